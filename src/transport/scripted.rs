//! A transport for tests: it says what it was told to say, and remembers what it was given.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

use super::{Line, Outcome, Ring};
use crate::domain::ids::AgencyId;

/// Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Scripted(Arc<Mutex<Script>>);

#[derive(Debug, Default)]
pub struct Script {
    /// What the next rings come to; after them, everything is published.
    pub outcomes: VecDeque<Outcome>,
    pub published: Vec<Ring>,
    /// Rings that were not taken.
    pub refused: Vec<Ring>,
    /// The queues as they were asked for and given up, in order.
    pub lines: Vec<(AgencyId, Option<Line>)>,
    pub generation: u64,
}

impl Scripted {
    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap()
    }

    /// What was published since this was asked last.
    pub fn heard(&self) -> Vec<Ring> {
        std::mem::take(&mut self.script().published)
    }

    pub(super) fn publish(&self, rings: Vec<Ring>) -> Vec<Outcome> {
        let mut script = self.script();
        let mut outcomes = Vec::new();
        for ring in rings {
            let outcome = script.outcomes.pop_front().unwrap_or(Outcome::Published);
            let kept =
                if outcome == Outcome::Published { &mut script.published } else { &mut script.refused };
            kept.push(ring);
            outcomes.push(outcome);
        }
        outcomes
    }
}
