//! Doorbells within one process, for the embedded mode.

use tokio::sync::broadcast::{self, error::RecvError};

use super::{Outcome, Ring};
use crate::domain::doorbell::Doorbell;

/// A bounded channel that every listener hears. Who is slow misses doorbells and is told so; the
/// table has them all, so dropping them is harmless.
#[derive(Clone, Debug)]
pub struct InProcess {
    doorbells: broadcast::Sender<Doorbell>,
}

/// What a listener hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    Doorbell(Doorbell),
    /// This many were rung while the listener was busy: look into the inbox.
    Missed(u64),
}

/// One who listens from now on.
#[derive(Debug)]
pub struct Listener(broadcast::Receiver<Doorbell>);

impl InProcess {
    /// A channel that keeps `capacity` doorbells (at least one) for a slow listener.
    pub fn new(capacity: usize) -> Self {
        Self { doorbells: broadcast::channel(capacity.max(1)).0 }
    }

    pub fn listen(&self) -> Listener {
        Listener(self.doorbells.subscribe())
    }

    /// Rings all of them. A doorbell that nobody listens for counts as published: whoever comes
    /// later reads the inbox. A sealed document has nobody to go to here and is left out.
    pub(super) fn publish(&self, rings: &[Ring]) -> Vec<Outcome> {
        rings
            .iter()
            .map(|ring| {
                // The only error is that nobody listens.
                let _heard_by = self.doorbells.send(ring.doorbell);
                Outcome::Published
            })
            .collect()
    }
}

impl Listener {
    /// The next doorbell, or how many were missed; `None` when the hub has closed.
    pub async fn next(&mut self) -> Option<Heard> {
        match self.0.recv().await {
            Ok(doorbell) => Some(Heard::Doorbell(doorbell)),
            Err(RecvError::Lagged(missed)) => Some(Heard::Missed(missed)),
            Err(RecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::{
        domain::doorbell::DoorbellKind,
        transport::{Body, Transport},
    };

    fn doorbell(n: u128) -> Doorbell {
        Doorbell {
            id: Uuid::from_u128(n).into(),
            to: Uuid::from_u128(7).into(),
            kind: DoorbellKind::DeliveryWaiting,
            subject: Uuid::from_u128(n),
            time: Timestamp::UNIX_EPOCH,
        }
    }

    #[tokio::test]
    async fn every_listener_hears_every_doorbell_in_order() {
        let here = InProcess::new(8);
        let mut listeners = [here.listen(), here.listen()];
        let transport = Transport::InProcess(here);
        let rings = vec![Ring::empty(doorbell(1)), Ring::empty(doorbell(2))];
        assert_eq!(transport.publish(rings).await, [Outcome::Published; 2]);
        for listener in &mut listeners {
            assert_eq!(listener.next().await, Some(Heard::Doorbell(doorbell(1))));
            assert_eq!(listener.next().await, Some(Heard::Doorbell(doorbell(2))));
        }
        drop(transport);
        assert_eq!(listeners[0].next().await, None);
    }

    #[tokio::test]
    async fn a_slow_listener_is_told_what_it_missed_and_holds_nobody_up() {
        let here = InProcess::new(2);
        let mut slow = here.listen();
        for n in 0..100 {
            assert_eq!(here.publish(&[Ring::empty(doorbell(n))]), [Outcome::Published]);
        }
        assert_eq!(slow.next().await, Some(Heard::Missed(98)));
        assert_eq!(slow.next().await, Some(Heard::Doorbell(doorbell(98))));
    }

    #[test]
    fn ringing_where_nobody_listens_is_no_failure() {
        let ring = Ring { doorbell: doorbell(1), body: Body::Sealed("e30".to_owned()) };
        assert_eq!(InProcess::new(0).publish(&[ring]), [Outcome::Published]);
    }
}
