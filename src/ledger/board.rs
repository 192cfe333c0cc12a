//! The board: what an agency has sent and how it stands, in the order in which somebody has to look at it.
//!
//! A 通告 stands on the board of whoever wrote it and of those the writer names, and on nobody else's ([`super::notice`]).
//! Every order is read by an index from one end, page by page; an order that has no index of its own is put
//! together from parts that have.

use jiff::Timestamp;

use super::{
    Ledger, LedgerError, Scope,
    leg::LegRow,
    notice::{NO_NOTICE, Reading},
    text::statements,
    values::{Column, LAST},
};
use crate::domain::{ids::LegId, leg::LegState, receipt::ReceiptLevel};

/// What is read at once, and the most a page can show.
pub const MOST: usize = 21;

/// A part of the board, read from one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// In nobody's hands yet, oldest first.
    Waiting,
    /// Taken by a system and opened by nobody, oldest first.
    Taken,
    /// Under way and in neither of the two parts above, newest first.
    Rest,
    /// In one state, without what is [`Part::Taken`], newest first.
    InState(LegState),
    /// Under way with a deadline, nearest first, in one state or in any.
    Due(Option<LegState>),
    /// Under way without a deadline, newest first, in one state or in any.
    Undated(Option<LegState>),
}

/// Where a page ends and the next one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct After {
    /// In microseconds; what has no deadline has 0.
    pub due: i64,
    pub leg: LegId,
}

/// One receipt of one leg, without its text.
#[derive(Clone, Copy, Debug)]
pub struct Rung {
    pub leg: LegId,
    pub level: ReceiptLevel,
    pub at: Timestamp,
}

/// The deadline of a leg under way: its clock's or, until there is an answer, that of the reply. As the index has it.
pub(super) const DUE: &str = "(CASE WHEN clock_due IS NOT NULL THEN clock_due WHEN state IN ('requested', 'received') THEN reply_by END)";
/// Not ended, as the indexes have it. A test holds it to the machine.
const UNDER_WAY: &str = "state NOT IN ('declined', 'forwarded', 'completed', 'discontinued', 'cancelled', 'withdrawn', 'expired', 'entered_in_error')";
const TAKEN: &str = "(state = 'received' AND EXISTS (SELECT 1 FROM delivery WHERE delivery.id = leg.delivery AND delivery.state = 'taken'))";

statements! {
    WAITING = ["SELECT ", LegRow::COLUMNS, " FROM leg WHERE sender = $1 AND ", NO_NOTICE,
        " AND state = 'requested' AND id > $2 ORDER BY id LIMIT $3"];
    ONLY_TAKEN = ["SELECT ", LegRow::COLUMNS, " FROM leg WHERE sender = $1 AND ", NO_NOTICE,
        " AND state = 'received' AND ", TAKEN, " AND id > $2 ORDER BY id LIMIT $3"];
    REST = ["SELECT ", LegRow::COLUMNS, " FROM leg WHERE sender = $1 AND ", NO_NOTICE, " AND ", UNDER_WAY,
        " AND state <> 'requested' AND NOT ", TAKEN, " AND id < $2 ORDER BY id DESC LIMIT $3"];
    IN_STATE = ["SELECT ", LegRow::COLUMNS, " FROM leg WHERE sender = $1 AND ", NO_NOTICE,
        " AND NOT ", TAKEN, " AND id < $2 AND state = $4 ORDER BY id DESC LIMIT $3"];
    NEAREST = ["SELECT ", LegRow::COLUMNS, " FROM leg WHERE sender = $1 AND ", NO_NOTICE, " AND ", UNDER_WAY,
        " AND ", DUE, " >= $4 AND (", DUE, " > $4 OR id > $2) ORDER BY ", DUE, ", id LIMIT $3"];
    NEAREST_IN_STATE = ["SELECT ", LegRow::COLUMNS, " FROM leg WHERE sender = $1 AND ", NO_NOTICE, " AND ", UNDER_WAY,
        " AND ", DUE, " >= $4 AND (", DUE, " > $4 OR id > $2) AND state = $5 ORDER BY ", DUE, ", id LIMIT $3"];
    UNDATED = ["SELECT ", LegRow::COLUMNS, " FROM leg WHERE sender = $1 AND ", NO_NOTICE, " AND ", UNDER_WAY,
        " AND ", DUE, " IS NULL AND id < $2 ORDER BY id DESC LIMIT $3"];
    UNDATED_IN_STATE = ["SELECT ", LegRow::COLUMNS, " FROM leg WHERE sender = $1 AND ", NO_NOTICE, " AND ", UNDER_WAY,
        " AND ", DUE, " IS NULL AND id < $2 AND state = $4 ORDER BY id DESC LIMIT $3"];
    RUNGS = ["SELECT leg, level, at FROM receipt WHERE leg IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, ",
        "$13, $14, $15, $16, $17, $18, $19, $20, $21) ORDER BY at, level"];
}

impl Part {
    /// The states, as their sender is told them, of the notices that stand in this part, and how they are read. That a
    /// notice was opened is not told, so none is [`Part::Taken`].
    fn notices(self, due: i64) -> (Vec<LegState>, Reading) {
        let live = |keep: &dyn Fn(LegState) -> bool| {
            LegState::ALL.iter().copied().filter(|state| !state.terminal() && keep(*state)).collect()
        };
        match self {
            Self::Waiting => (vec![LegState::Requested], Reading::Oldest),
            Self::Taken => (Vec::new(), Reading::Oldest),
            Self::Rest => (live(&|state| state != LegState::Requested), Reading::Newest),
            Self::InState(state) => (vec![state], Reading::Newest),
            Self::Due(state) => (live(&|one| state.is_none_or(|only| only == one)), Reading::Dated(due)),
            Self::Undated(state) => (live(&|one| state.is_none_or(|only| only == one)), Reading::Undated),
        }
    }
}

impl LegRow {
    /// The deadline by which [`Part::Due`] is ordered.
    fn due(&self) -> Option<Timestamp> {
        let unanswered = matches!(self.state, LegState::Requested | LegState::Received);
        self.clock_due.or(self.reply_by.filter(|_| unanswered))
    }
}

impl Ledger {
    /// What the caller's agency has sent, with the notices of the person in the scope, one part after `after`.
    pub async fn board(
        &self,
        scope: Scope,
        part: Part,
        after: Option<After>,
        limit: usize,
    ) -> Result<Vec<LegRow>, LedgerError> {
        let upwards = || after.map_or_else(String::new, |after| after.leg.to_string());
        let downwards = || after.map_or_else(|| LAST.to_owned(), |after| after.leg.to_string());
        let due = after.map_or(i64::MIN, |after| after.due);
        let most = i64::try_from(limit.min(MOST)).unwrap_or_default();
        let begin = |text: &'static str, from: String| {
            sqlx::query(text).bind(scope.agency().to_string()).bind(from).bind(most)
        };
        let statement = match part {
            Part::Waiting => begin(WAITING, upwards()),
            Part::Taken => begin(ONLY_TAKEN, upwards()),
            Part::Rest => begin(REST, downwards()),
            Part::InState(state) => begin(IN_STATE, downwards()).bind(state.code()),
            Part::Due(None) => begin(NEAREST, upwards()).bind(due),
            Part::Due(Some(state)) => begin(NEAREST_IN_STATE, upwards()).bind(due).bind(state.code()),
            Part::Undated(None) => begin(UNDATED, downwards()),
            Part::Undated(Some(state)) => begin(UNDATED_IN_STATE, downwards()).bind(state.code()),
        };
        let mut legs: Vec<LegRow> = self.many(statement).await?;
        let (states, reading) = part.notices(due);
        legs.extend(self.notices(scope, &states, reading, after.map(|after| after.leg), most).await?);
        match part {
            Part::Waiting | Part::Taken => legs.sort_unstable_by_key(|leg| leg.id),
            Part::Due(_) => legs.sort_unstable_by_key(|leg| (leg.due(), leg.id)),
            Part::Rest | Part::InState(_) | Part::Undated(_) => {
                legs.sort_unstable_by_key(|leg| std::cmp::Reverse(leg.id));
            }
        }
        legs.truncate(limit.min(MOST));
        Ok(legs)
    }

    /// The rungs of a page's legs in one round trip, oldest first. The caller has read the legs under its scope.
    pub async fn rungs(&self, legs: &[LegRow]) -> Result<Vec<Rung>, LedgerError> {
        let Some(last) = legs.last() else { return Ok(Vec::new()) };
        let filled = legs.iter().chain(std::iter::repeat(last)).take(MOST);
        let statement = filled.fold(sqlx::query(RUNGS), |statement, leg| statement.bind(leg.id.to_string()));
        let rows = statement.fetch_all(&self.reads).await?;
        let rung = |row| {
            Ok(Rung { leg: Column::read(row, 0)?, level: Column::read(row, 1)?, at: Column::read(row, 2)? })
        };
        rows.iter().map(rung).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_is_what_the_machine_has_not_ended() {
        let ended = LegState::ALL.iter().filter(|state| state.terminal());
        let list: Vec<String> = ended.map(|state| format!("'{state}'")).collect();
        assert_eq!(UNDER_WAY, format!("state NOT IN ({})", list.join(", ")));
        let indexes = include_str!("../../migrations/0007_sign_in.sql");
        assert_eq!(indexes.matches(UNDER_WAY).count(), 2);
        assert_eq!(indexes.matches(DUE).count(), 1);
    }

    #[test]
    fn the_codes_in_the_statements_are_the_domains() {
        let (requested, received) = (LegState::Requested, LegState::Received);
        assert!(DUE.contains(&format!("('{requested}', '{received}')")));
        assert!(TAKEN.contains(&format!("'{}'", crate::domain::delivery::DeliveryState::Taken)));
    }
}
