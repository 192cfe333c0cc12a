//! Looks at the broker for the operator, and changes nothing there.

use std::{fmt, sync::Arc, time::Duration};

use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::time::timeout;

use super::{BadSettings, DEAD_EXCHANGE, DEAD_QUEUE, EXCHANGE, Settings, driver, link::Link, queue_name};
use crate::{domain::ids::AgencyId, transport::Line};

/// How long one answer of the broker may take.
const ANSWER: Duration = Duration::from_secs(10);

/// What stands at the broker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    /// Exchanges and queues that the hub needs and that are not there.
    pub missing: Vec<String>,
    /// Queues of subscribers, and how many doorbells wait in each.
    pub waiting: Vec<(String, u32)>,
    /// Doorbells that nobody took in time.
    pub dead: u32,
}

/// Why the broker could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum Unreached {
    #[error(transparent)]
    Settings(#[from] BadSettings),
    #[error("it did not answer within {} s", ANSWER.as_secs())]
    NoAnswer,
    #[error("{0}")]
    Refused(#[from] lapin::Error),
}

/// Something the hub declares at the broker.
enum Needed {
    Exchange(&'static str, ExchangeKind),
    Queue(String),
}

impl fmt::Display for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exchange(name, _) => f.write_str(name),
            Self::Queue(name) => f.write_str(name),
        }
    }
}

/// Signs in at the broker and looks whether everything is there that the hub and these subscribers need.
///
/// # Errors
/// [`Unreached`]; a broker that lacks something is no error, but stands in the answer.
pub async fn examine(settings: &Settings, subscribers: &[(AgencyId, Line)]) -> Result<Examined, Unreached> {
    let tls = Arc::new(driver::tls(settings.private_ca.as_deref())?);
    let link = answered(Link::connect(&settings.url.0, &tls)).await?;
    let mut channel = answered(link.connection().create_channel()).await?;
    let mut examined = Examined::default();
    let queues = subscribers.iter().map(|(agency, line)| Needed::Queue(queue_name(*agency, *line)));
    let common = [
        Needed::Exchange(EXCHANGE, ExchangeKind::Topic),
        Needed::Exchange(DEAD_EXCHANGE, ExchangeKind::Fanout),
        Needed::Queue(DEAD_QUEUE.to_owned()),
    ];
    for needed in common.into_iter().chain(queues) {
        match answered(look(&channel, &needed)).await {
            Ok(messages) => examined.note(&needed, messages),
            // The broker closes a channel that asked for what is not there.
            Err(Unreached::Refused(error)) if error.is_amqp_soft_error() => {
                examined.missing.push(needed.to_string());
                channel = answered(link.connection().create_channel()).await?;
            }
            Err(reason) => return Err(reason),
        }
    }
    let _in_good_order = timeout(ANSWER, link.connection().close(200, "OK".into())).await;
    Ok(examined)
}

impl Examined {
    fn note(&mut self, needed: &Needed, messages: u32) {
        match needed {
            Needed::Exchange(..) => {}
            Needed::Queue(name) if name == DEAD_QUEUE => self.dead = messages,
            Needed::Queue(name) => self.waiting.push((name.clone(), messages)),
        }
    }
}

/// Asks for it passively; how many messages a queue holds.
async fn look(channel: &Channel, needed: &Needed) -> lapin::Result<u32> {
    match needed {
        Needed::Exchange(name, kind) => {
            let passive = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
            channel.exchange_declare((*name).into(), kind.clone(), passive, FieldTable::default()).await?;
            Ok(0)
        }
        Needed::Queue(name) => {
            let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let queue = channel.queue_declare(name.as_str().into(), passive, FieldTable::default()).await?;
            Ok(queue.message_count())
        }
    }
}

async fn answered<T>(answer: impl Future<Output = lapin::Result<T>>) -> Result<T, Unreached> {
    Ok(timeout(ANSWER, answer).await.map_err(|_| Unreached::NoAnswer)??)
}
