//! The only reader of the time and the only maker of ids; a fixed one for tests.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::Timestamp;
use uuid::Uuid;

/// Where the hub's time and ids come from.
#[derive(Clone, Debug)]
pub enum Clock {
    System,
    /// A clock that stands still until it is moved. Its ids are random all the same.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    pub fn fixed(at: Timestamp) -> Self {
        Self::Fixed(Arc::new(AtomicI64::new(at.as_microsecond())))
    }

    /// The present moment, in whole microseconds: what the ledger can hold without rounding.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the time")]
    pub fn now(&self) -> Timestamp {
        let micros = match self {
            Self::System => Timestamp::now().as_microsecond(),
            Self::Fixed(at) => at.load(Ordering::SeqCst),
        };
        Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Moves a fixed clock; a system clock goes its own way.
    pub fn advance(&self, by: std::time::Duration) {
        if let Self::Fixed(at) = self {
            at.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }

    /// A time-ordered id (UUIDv7) for rows that stay inside or among the parties.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
    pub fn new_id<T: From<Uuid>>(&self) -> T {
        T::from(Uuid::now_v7())
    }

    /// A wholly random id (UUIDv4), for what is shown outside and must not be guessable.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
    pub fn new_random_id<T: From<Uuid>>(&self) -> T {
        T::from(Uuid::new_v4())
    }
}
