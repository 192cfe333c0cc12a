//! Doorbells by RabbitMQ. `lapin` is spoken here and in the folder of the same name, nowhere else.
//!
//! Two halves. [`Amqp`] is the handle: cheap to clone, it publishes over the link there is, or says
//! that there is none. [`Driver`] is the supervisor, to be spawned by the hub: it connects, declares
//! what the broker must have, watches the link, drops it at the first fault and begins anew.
//! lapin's own recovery stays off: with it a publish in flight when the broker dies is settled only
//! when the recovery has ended, and a channel closed by a protocol error stays closed.
//!
//! The broker may lose everything. What it can't do is leave us in doubt for more than [`DEADLINE`].
//!
//! lapin logs returned messages and, at `trace`, its frames: the hub keeps its log level at `error`.

mod driver;
mod examine;
mod link;
mod topology;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use lapin::uri::{AMQPScheme, AMQPUri};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};
use uuid::Uuid;

pub use driver::Driver;
pub use examine::{Examined, Unreached, examine};
use link::Link;
pub use topology::{DEAD_EXCHANGE, DEAD_QUEUE, EXCHANGE, queue_name, routing_key};

use super::{Line, Outcome, Reason, Ring};
use crate::domain::ids::AgencyId;

/// How long a batch may take from the call to the last confirm. A broker that has stopped
/// answering says nothing: only a deadline of our own notices.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Why the settings of the broker were refused. The settings themselves are not repeated: they
/// hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSettings {
    #[error("the broker's URL can't be read; write amqps://user:password@host:5671/vhost")]
    Url,
    #[error(
        "the broker's URL is not encrypted and its host is not this machine; \
         write amqps://, or allow an unencrypted connection if the network between is yours"
    )]
    Unencrypted,
    #[error("the broker's certificate authority holds no readable PEM certificate")]
    Authority,
    #[error("TLS can't be set up for the broker: {0}")]
    Tls(String),
}

/// Where the broker is and how to sign in. Never prints its password.
#[derive(Clone)]
pub struct BrokerUrl(AMQPUri);

impl BrokerUrl {
    /// Reads `amqps://user:password@host:5671/vhost`. `amqp://` is taken for the machine itself,
    /// and elsewhere only if `unencrypted` says that it may be.
    ///
    /// # Errors
    ///
    /// [`BadSettings::Url`] and [`BadSettings::Unencrypted`].
    pub fn parse(text: &str, unencrypted: bool) -> Result<Self, BadSettings> {
        let uri: AMQPUri = text.parse().map_err(|_| BadSettings::Url)?;
        // A slash too few, and the parser takes user, password and host for the name of a vhost.
        if !text.starts_with("amqp://") && !text.starts_with("amqps://") || uri.vhost.contains('@') {
            return Err(BadSettings::Url);
        }
        let here = match uri.authority.host.trim_matches(['[', ']']).parse::<std::net::IpAddr>() {
            Ok(address) => address.is_loopback(),
            Err(_) => uri.authority.host == "localhost",
        };
        if uri.scheme == AMQPScheme::AMQP && !here && !unencrypted {
            return Err(BadSettings::Unencrypted);
        }
        Ok(Self(uri))
    }
}

impl fmt::Debug for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AMQPUri { scheme, authority, vhost, .. } = &self.0;
        let scheme = if *scheme == AMQPScheme::AMQPS { "amqps" } else { "amqp" };
        write!(f, "{scheme}://***@{}:{}/{vhost}", authority.host, authority.port)
    }
}

/// What the transport needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    pub url: BrokerUrl,
    /// PEM certificates of a private authority. If given, it alone is trusted; if not, what the
    /// machine trusts.
    pub private_ca: Option<String>,
    /// The hub's opaque id, for the `source` of events.
    pub hub: Uuid,
    /// Spreads the reconnects of several nodes. Any number that differs between them.
    pub seed: u64,
}

/// Opens a transport that will keep a queue for each of `subscribers`. Nothing is connected before
/// the driver runs; until then every ring fails with [`Reason::NotConnected`].
///
/// # Errors
///
/// [`BadSettings`] for a certificate authority that can't be read.
pub fn open(
    settings: &Settings,
    subscribers: impl IntoIterator<Item = (AgencyId, Line)>,
) -> Result<(Amqp, Driver), BadSettings> {
    let shared = Arc::new(Shared {
        hub: settings.hub,
        queues: Mutex::new(Queues { wanted: subscribers.into_iter().collect(), missing: BTreeSet::new() }),
        wake: Notify::new(),
        link: watch::Sender::new(None),
        generation: AtomicU64::new(0),
    });
    let driver = Driver::new(settings, shared.clone())?;
    Ok((Amqp(shared), driver))
}

/// The publishing half.
#[derive(Clone)]
pub struct Amqp(Arc<Shared>);

/// What the handle and the driver both see.
struct Shared {
    hub: Uuid,
    queues: Mutex<Queues>,
    /// Wakes the driver when a queue is missing.
    wake: Notify,
    link: watch::Sender<Option<Arc<Link>>>,
    generation: AtomicU64,
}

/// The queues the broker must have.
struct Queues {
    wanted: BTreeMap<AgencyId, Line>,
    /// Those among them that are still to be declared.
    missing: BTreeSet<AgencyId>,
}

impl Shared {
    fn queues(&self) -> MutexGuard<'_, Queues> {
        // The maps are whole after every step, so what a panic left behind can be used.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the driver declare these agencies' queues, as far as they subscribe.
    fn declare_again(&self, agencies: impl IntoIterator<Item = AgencyId>) {
        let mut queues = self.queues();
        let known: Vec<_> =
            agencies.into_iter().filter(|agency| queues.wanted.contains_key(agency)).collect();
        if !known.is_empty() {
            queues.missing.extend(known);
            self.wake.notify_one();
        }
    }
}

impl Amqp {
    /// See [`Transport::publish`](super::Transport::publish). Only a confirm without a returned
    /// message counts: RabbitMQ confirms an unroutable message too, after returning it.
    pub async fn publish(&self, rings: Vec<Ring>) -> Vec<Outcome> {
        let deadline = Instant::now() + DEADLINE;
        let link = self.0.link.borrow().clone();
        let Some(link) = link else {
            return vec![Outcome::Failed(Reason::NotConnected); rings.len()];
        };
        let outcomes = link.publish(self.0.hub, &rings, deadline).await;
        let homeless = rings.iter().zip(&outcomes).filter(|(_, outcome)| **outcome == Outcome::Unroutable);
        self.0.declare_again(homeless.map(|(ring, _)| ring.doorbell.to));
        outcomes
    }

    /// Grows with each successful connect; 0 before the first.
    pub fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::SeqCst)
    }

    /// Whether there is a link and the broker takes messages.
    pub fn connected(&self) -> bool {
        self.0.link.borrow().as_ref().is_some_and(|link| link.open())
    }

    /// Waits until there is a link, for start-up and tests.
    pub async fn until_connected(&self) {
        // The sender lives as long as this handle, so waiting can't fail.
        let mut link = self.0.link.subscribe();
        let _link = link.wait_for(Option::is_some).await;
    }

    /// Has `agency`'s queue of this kind declared now and after every reconnect.
    pub fn subscribe(&self, agency: AgencyId, line: Line) {
        self.0.queues().wanted.insert(agency, line);
        self.0.declare_again([agency]);
    }

    /// Stops declaring `agency`'s queue; see [`Transport::unsubscribe`](super::Transport::unsubscribe).
    pub fn unsubscribe(&self, agency: AgencyId) {
        let mut queues = self.0.queues();
        queues.wanted.remove(&agency);
        queues.missing.remove(&agency);
    }
}

impl fmt::Debug for Amqp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Amqp")
            .field("connected", &self.connected())
            .field("generation", &self.generation())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::doorbell::{Doorbell, DoorbellKind};

    fn settings() -> Settings {
        let url = BrokerUrl::parse("amqp://hub:hunter2@127.0.0.1:1/tsunagu", false).unwrap();
        Settings { url, private_ca: None, hub: Uuid::nil(), seed: 1 }
    }

    #[test]
    fn a_password_is_never_printed() {
        let printed = format!("{:?}", settings());
        assert!(printed.contains("amqp://***@127.0.0.1:1/tsunagu"), "{printed}");
        assert!(!printed.contains("hunter2") && !printed.contains("hub:h"), "{printed}");
        for wrong in
            ["amqp:/hub:hunter2@127.0.0.1", "amqp:///hub:hunter2@127.0.0.1", "http://hub:hunter2@x", ""]
        {
            let wrong = BrokerUrl::parse(wrong, false).unwrap_err();
            assert_eq!(wrong, BadSettings::Url);
            assert!(!format!("{wrong} {wrong:?}").contains("hunter2"));
        }
    }

    #[test]
    fn an_unencrypted_connection_stays_on_the_machine_unless_allowed() {
        for near in ["amqp://localhost", "amqp://127.0.0.1:5672/%2f", "amqps://broker.example"] {
            assert!(BrokerUrl::parse(near, false).is_ok(), "{near}");
        }
        for far in ["amqp://broker.example", "amqp://10.0.0.1", "amqp://localhost.example"] {
            assert_eq!(BrokerUrl::parse(far, false).unwrap_err(), BadSettings::Unencrypted, "{far}");
            assert!(BrokerUrl::parse(far, true).is_ok(), "{far}");
        }
    }

    #[test]
    fn an_authority_without_a_certificate_is_refused() {
        for pem in ["", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
            let settings = Settings { private_ca: Some(pem.to_owned()), ..settings() };
            assert!(matches!(open(&settings, []), Err(BadSettings::Authority)), "{pem}");
        }
    }

    #[tokio::test]
    async fn without_a_link_every_ring_fails_at_once() {
        let (amqp, _driver) = open(&settings(), []).unwrap();
        let doorbell = Doorbell {
            id: Uuid::nil().into(),
            to: Uuid::nil().into(),
            kind: DoorbellKind::LegChanged,
            subject: Uuid::nil(),
            time: Timestamp::UNIX_EPOCH,
        };
        let outcomes = amqp.publish(vec![Ring::empty(doorbell); 2]).await;
        assert_eq!(outcomes, [Outcome::Failed(Reason::NotConnected); 2]);
        assert_eq!((amqp.connected(), amqp.generation()), (false, 0));
    }

    #[tokio::test]
    async fn only_subscribers_are_declared_again() {
        let (amqp, _driver) = open(&settings(), []).unwrap();
        let [known, foreign] = [1, 2].map(|n| AgencyId::new(Uuid::from_u128(n)));
        amqp.subscribe(known, Line::Inbox);
        amqp.0.queues().missing.clear();
        amqp.0.declare_again([known, foreign]);
        assert_eq!(amqp.0.queues().missing.iter().collect::<Vec<_>>(), [&known]);
        amqp.unsubscribe(known);
        assert!(amqp.0.queues().missing.is_empty());
    }
}
