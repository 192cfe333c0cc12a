//! The supervisor of the link: connects, declares, watches, begins anew.

use std::{
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::StreamExt;
use lapin::{
    Channel, Event,
    tcp::{RustlsConnector, RustlsConnectorConfig},
    uri::AMQPUri,
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio::time::{Instant, sleep, timeout};

use super::{BadSettings, Settings, Shared, link::Link, topology};
use crate::domain::patience::reconnect_after;

/// How long one answer of the broker may take outside of publishing.
const ANSWER: Duration = Duration::from_secs(10);
/// How often the link is looked at without being asked, in case an event was missed.
const LOOK: Duration = Duration::from_secs(1);
/// A link that lived this long was a good one: the next wait is short again.
const GOOD: Duration = Duration::from_secs(10);

/// The supervising half of the transport. The hub spawns [`Driver::run`].
pub struct Driver {
    shared: Arc<Shared>,
    uri: AMQPUri,
    tls: Arc<RustlsConnector>,
    chance: Chance,
}

/// Why a link ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("{0}")]
    Amqp(#[from] lapin::Error),
    #[error("the broker did not answer within {} s", ANSWER.as_secs())]
    NoAnswer,
    #[error("a publish failed or was not confirmed")]
    Condemned,
    #[error("the connection is closed")]
    Closed,
}

impl Driver {
    pub(super) fn new(settings: &Settings, shared: Arc<Shared>) -> Result<Self, BadSettings> {
        let mut uri = settings.url.0.clone();
        // Two missed heartbeats end a link whose far side has gone without a word.
        uri.query.heartbeat.get_or_insert(10);
        let tls = Arc::new(tls(settings.private_ca.as_deref())?);
        Ok(Self { shared, uri, tls, chance: Chance(settings.seed) })
    }

    /// Keeps a link to the broker until `shutdown` is ready, then closes it in good order.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) {
        let shared = self.shared.clone();
        let mut shutdown = pin!(shutdown);
        let mut failed = 0u32;
        loop {
            let began = Instant::now();
            tokio::select! {
                () = &mut shutdown => break,
                Err(reason) = self.live() => {
                    // Whoever published over the old link gets its answers when the last of them
                    // lets go of it; nobody new finds it.
                    shared.link.send_replace(None);
                    failed = if began.elapsed() > GOOD { 0 } else { failed.saturating_add(1) };
                    let wait = reconnect_after(failed, self.chance.draw());
                    tracing::warn!(%reason, wait_ms = wait.as_millis(), "no link to the broker");
                    tokio::select! {
                        () = &mut shutdown => break,
                        () = sleep(wait) => {}
                    }
                }
            }
        }
        if let Some(link) = shared.link.send_replace(None) {
            let _in_good_order = timeout(LOOK, link.connection().close(200, "OK".into())).await;
        }
    }

    /// One link's life. Never ends well: only by a fault, or by being dropped.
    async fn live(&self) -> Result<std::convert::Infallible, Ended> {
        let link = Arc::new(answered(Link::connect(&self.uri, &self.tls)).await?);
        let channel = answered(link.connection().create_channel()).await?;
        answered(topology::declare_common(&channel)).await?;
        // All queues: the broker may be another one, or have lost everything.
        let wanted: Vec<_> = self.shared.queues().wanted.keys().copied().collect();
        self.shared.queues().missing.extend(wanted);
        let mut channel = self.declare_missing(&link, channel).await?;

        self.shared.link.send_replace(Some(link.clone()));
        let generation = self.shared.generation.fetch_add(1, Ordering::SeqCst) + 1;
        tracing::info!(generation, "linked to the broker");
        let mut events = pin!(link.connection().events_listener());
        loop {
            tokio::select! {
                () = link.until_condemned() => return Err(Ended::Condemned),
                event = events.next() => match event {
                    Some(Event::Error(error)) => return Err(error.into()),
                    Some(Event::ConnectionBlocked(_)) => tracing::warn!("the broker takes no messages at present"),
                    Some(Event::ConnectionUnblocked) => tracing::info!("the broker takes messages again"),
                    Some(_) => {}
                    None => return Err(Ended::Closed),
                },
                () = self.shared.wake.notified() => channel = self.declare_missing(&link, channel).await?,
                () = sleep(LOOK) => if !link.connection().status().connected() {
                    return Err(Ended::Closed);
                },
            }
        }
    }

    /// Declares what is missing and gives back a channel that works. A queue the broker refuses
    /// (an older one with other arguments, say) is reported and left, so that one agency's trouble
    /// does not keep the doorbells of all the others.
    async fn declare_missing(&self, link: &Link, mut channel: Channel) -> Result<Channel, Ended> {
        loop {
            let next = {
                let mut queues = self.shared.queues();
                queues.missing.pop_first().map(|agency| (agency, queues.wanted.get(&agency).copied()))
            };
            let (agency, line) = match next {
                None => return Ok(channel),
                Some((_, None)) => continue,
                Some((agency, Some(line))) => (agency, line),
            };
            match answered(topology::declare_subscriber(&channel, agency, line)).await {
                Ok(()) => {}
                Err(Ended::Amqp(error)) if error.is_amqp_soft_error() => {
                    let queue = topology::queue_name(agency, line);
                    tracing::error!(%error, queue, "the broker refused a queue; its doorbells wait in the inbox");
                    channel = answered(link.connection().create_channel()).await?;
                }
                Err(reason) => return Err(reason),
            }
        }
    }
}

async fn answered<T>(answer: impl Future<Output = lapin::Result<T>>) -> Result<T, Ended> {
    Ok(timeout(ANSWER, answer).await.map_err(|_| Ended::NoAnswer)??)
}

pub(super) fn tls(private_ca: Option<&str>) -> Result<RustlsConnector, BadSettings> {
    let roots = match private_ca {
        None => RustlsConnectorConfig::new_with_platform_verifier(),
        Some(pem) => {
            let certificates = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
            let certificates = certificates.map_err(|_| BadSettings::Authority)?;
            if certificates.is_empty() {
                return Err(BadSettings::Authority);
            }
            RustlsConnectorConfig::default().with_parsable_certificates(certificates)
        }
    };
    roots.connector_with_no_client_auth().map_err(|error| BadSettings::Tls(error.to_string()))
}

/// A small generator of even numbers from 0 to 1 (splitmix64). It spreads reconnects and guards
/// nothing.
struct Chance(u64);

impl Chance {
    fn draw(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        // The upper 53 bits are what a double can hold exactly.
        (bits >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_even_enough_and_follows_its_seed() {
        let mut chance = Chance(1);
        let draws: Vec<f64> = (0..1000).map(|_| chance.draw()).collect();
        assert!(draws.iter().all(|draw| (0.0..1.0).contains(draw)));
        let mean = draws.iter().sum::<f64>() / 1000.0;
        assert!((0.45..0.55).contains(&mean), "{mean}");
        assert_eq!(Chance(1).draw(), draws[0]);
        assert!(Chance(2).draw() != draws[0]);
    }
}
