//! What those who tell others work with: the transport, the mailer, and which queues the broker is to keep.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use super::{
    Context,
    job::{self, Hands},
};
use crate::{
    delivery::email::Mailer,
    domain::{ids::AgencyId, problem::Problem},
    transport::{Line, Transport},
};

/// How long a doorbell lies in the broker before it expires: what still waits then is rung for again.
const DOORBELL_LIVES: Duration = Duration::from_secs(24 * 3600);

/// The desk of the dispatcher. One for all workers of a process.
pub struct Desk {
    pub transport: Transport,
    pub mailer: Mailer,
    /// After how long a delivery that still waits is rung for again.
    pub ring_again_after: Duration,
    /// Wakes the worker that sends mail.
    pub(super) post: Notify,
    /// What its workers have in hand.
    pub(super) hands: Hands,
    lines: Mutex<BTreeMap<AgencyId, Line>>,
}

impl Desk {
    /// A desk whose transport already keeps a queue for each of `lines`.
    pub fn new(
        transport: Transport,
        mailer: Mailer,
        lines: impl IntoIterator<Item = (AgencyId, Line)>,
    ) -> Self {
        Self {
            transport,
            mailer,
            ring_again_after: DOORBELL_LIVES,
            post: Notify::new(),
            hands: Hands::default(),
            lines: Mutex::new(lines.into_iter().collect()),
        }
    }

    /// Puts down what its workers have in hand: nobody works here any more. Tells how much that was.
    ///
    /// # Errors
    /// The ledger could not be reached; the leases lapse then.
    pub async fn clear(&self, context: &Context) -> Result<usize, Problem> {
        job::give_back(context, &self.hands).await
    }

    /// Has the transport keep this queue for the agency from now on, or none.
    pub(super) fn keep(&self, agency: AgencyId, line: Option<Line>) {
        // The map is whole after every step, so what a panic left behind can be used.
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        match line {
            Some(line) if lines.get(&agency) != Some(&line) => {
                lines.insert(agency, line);
                self.transport.subscribe(agency, line);
            }
            None if lines.remove(&agency).is_some() => self.transport.unsubscribe(agency),
            Some(_) | None => {}
        }
    }

    /// Has the transport keep exactly these queues.
    pub(super) fn keep_only(&self, wanted: &BTreeMap<AgencyId, Line>) {
        let kept: Vec<AgencyId> =
            self.lines.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect();
        for agency in kept.into_iter().filter(|agency| !wanted.contains_key(agency)) {
            self.keep(agency, None);
        }
        for (agency, line) in wanted {
            self.keep(*agency, Some(*line));
        }
    }
}
