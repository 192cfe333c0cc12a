//! Rings doorbells and knows nothing of their meaning.
//!
//! The ledger is the only truth: whatever is published here may be lost and is rung again by the
//! sweep. So a transport promises little, and says exactly what it knows: [`Outcome::Published`]
//! means that the broker has taken charge of a ring, never that anybody heard it.

pub mod amqp;
mod in_process;
#[cfg(test)]
pub mod scripted;

use std::fmt;

pub use in_process::{Heard, InProcess, Listener};

use crate::domain::{doorbell::Doorbell, ids::AgencyId};

/// One doorbell to ring, and what goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    pub doorbell: Doorbell,
    pub body: Body,
}

impl Ring {
    /// A doorbell with nothing in it.
    pub const fn empty(doorbell: Doorbell) -> Self {
        Self { doorbell, body: Body::Empty }
    }
}

/// What a ring carries.
#[derive(Clone, PartialEq, Eq)]
pub enum Body {
    /// Nothing: the inbox has it.
    Empty,
    /// The sealed document, a JWE in compact form. Publishing it is disclosure and can't be undone;
    /// the caller has checked the rights and written the audit row before it comes here.
    Sealed(String),
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            // Even sealed, a document is no matter for a log.
            Self::Sealed(jwe) => write!(f, "Sealed({} bytes)", jwe.len()),
        }
    }
}

/// What became of one ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The transport has it, as safely as it can hold anything.
    Published,
    /// Nobody's queue takes it. What is declared is being declared again; try later.
    Unroutable,
    /// It may or may not have been taken. Try later; ringing twice does no harm.
    Failed(Reason),
}

/// Why a ring failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    #[error("there is no connection to the broker; the supervisor is connecting")]
    NotConnected,
    #[error("the broker takes nothing at present (its memory or disk alarm is on)")]
    Blocked,
    #[error("the broker refused it; the queue is probably full")]
    Refused,
    #[error("the broker did not confirm in time")]
    TimedOut,
    #[error("the connection broke before the broker confirmed")]
    Broken,
}

/// How an agency that subscribed is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Line {
    /// Empty doorbells only. They wait up to a day and may be dead-lettered.
    Inbox,
    /// Doorbells and sealed documents. Nothing waits long, and nothing is ever dead-lettered.
    Sealed,
}

/// How doorbells leave this process: within it, or by a broker. The set is closed.
#[derive(Clone, Debug)]
pub enum Transport {
    /// Embedded mode: one process, no broker.
    InProcess(InProcess),
    /// Clustered mode: RabbitMQ.
    Amqp(amqp::Amqp),
    #[cfg(test)]
    Scripted(scripted::Scripted),
}

impl Transport {
    /// Rings all of them, together, and says what became of each, in the order given.
    ///
    /// Never takes longer than [`amqp::DEADLINE`]. A ring whose future is dropped may or may not
    /// have been taken, like one that failed.
    pub async fn publish(&self, rings: Vec<Ring>) -> Vec<Outcome> {
        match self {
            Self::InProcess(here) => here.publish(&rings),
            Self::Amqp(amqp) => amqp.publish(rings).await,
            #[cfg(test)]
            Self::Scripted(script) => script.publish(rings),
        }
    }

    /// How many times the transport has begun anew. When the number has grown, whatever was
    /// published before may be gone, and the sweep should ring for all that waits.
    pub fn generation(&self) -> u64 {
        match self {
            Self::InProcess(_) => 1,
            Self::Amqp(amqp) => amqp.generation(),
            #[cfg(test)]
            Self::Scripted(script) => script.script().generation,
        }
    }

    /// Whether a ring published now has a chance. For the readiness page; a hub without a broker
    /// still accepts referrals.
    pub fn connected(&self) -> bool {
        match self {
            Self::InProcess(_) => true,
            Self::Amqp(amqp) => amqp.connected(),
            #[cfg(test)]
            Self::Scripted(_) => true,
        }
    }

    /// Makes sure that `agency` has a queue of this kind from now on, also after a reconnect.
    pub fn subscribe(&self, agency: AgencyId, line: Line) {
        match self {
            // Within the process a listener hears every doorbell and picks its own.
            Self::InProcess(_) => {}
            Self::Amqp(amqp) => amqp.subscribe(agency, line),
            #[cfg(test)]
            Self::Scripted(script) => script.script().lines.push((agency, Some(line))),
        }
    }

    /// Stops declaring a queue for `agency`. What is in the broker is left for the operator: a
    /// queue that still holds doorbells is not deleted behind anybody's back.
    pub fn unsubscribe(&self, agency: AgencyId) {
        match self {
            Self::InProcess(_) => {}
            Self::Amqp(amqp) => amqp.unsubscribe(agency),
            #[cfg(test)]
            Self::Scripted(script) => script.script().lines.push((agency, None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_document_is_not_printed() {
        let body = Body::Sealed("eyJhbGciOi.secret".to_owned());
        assert_eq!(format!("{body:?}"), "Sealed(17 bytes)");
    }
}
