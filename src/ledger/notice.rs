//! 通告 on the side that gave it: seen by whoever wrote one, and by those the writer names. Nobody else there finds one,
//! by any list, read or count: a notice can be about the very people one works with.
//!
//! Every statement that reads a sender's side leaves notices out, or asks by person as here. Who wrote a notice is
//! found by an index of its own, so a list costs as many rows as that person has notices.

use jiff::Timestamp;

use super::{
    Ledger, LedgerError, Scope,
    leg::LegRow,
    referral::ReferralRow,
    text::statements,
    values::{LAST, table},
};
use crate::domain::{
    ids::{LegId, ReferralId, StaffId},
    leg::LegState,
};

table! {
    /// One of the sender's own staff who may see a notice besides its writer.
    NoticeReaderRow = "notice_reader" {
        referral: ReferralId,
        staff: StaffId,
        named_at: Timestamp,
    }
}

/// That a leg is no notice, or one that this person may see.
macro_rules! seen_leg {
    ($person:literal) => {
        concat!(
            "(leg.kind <> 'TSUKOKU' OR EXISTS (SELECT 1 FROM referral WHERE referral.id = leg.referral AND ",
            "referral.written_by = ",
            $person,
            ") OR EXISTS (SELECT 1 FROM notice_reader WHERE notice_reader.referral = leg.referral AND ",
            "notice_reader.staff = ",
            $person,
            "))"
        )
    };
}

/// That a referral is no notice, or one that this person may see.
macro_rules! seen_referral {
    ($person:literal) => {
        concat!(
            "(referral.kind <> 'TSUKOKU' OR referral.written_by = ",
            $person,
            " OR EXISTS (SELECT 1 FROM notice_reader WHERE notice_reader.referral = referral.id AND ",
            "notice_reader.staff = ",
            $person,
            "))"
        )
    };
}

/// That it is no notice: what a list of a whole agency shows.
pub(super) const NO_NOTICE: &str = "kind <> 'TSUKOKU'";

pub(super) use {seen_leg, seen_referral};

/// The notices of a person. That person's agency gave them all: nobody belongs to two.
const MINE: &str = "(SELECT id FROM referral WHERE written_by = $1 AND kind = 'TSUKOKU' UNION \
     SELECT referral FROM notice_reader WHERE staff = $1)";
/// Where a notice stands for its sender: what came after it was taken (受理) is the desk's own.
const TOLD: &str = "(CASE WHEN EXISTS (SELECT 1 FROM leg_event WHERE leg_event.leg = leg.id AND \
     leg_event.to_state = 'accepted') THEN 'accepted' ELSE leg.state END)";

statements! {
    NEWEST = ["SELECT ", LegRow::COLUMNS, " FROM leg WHERE referral IN ", MINE, " AND $4 LIKE '%,' || ", TOLD,
        " || ',%' AND id < $2 ORDER BY id DESC LIMIT $3"];
    OLDEST = ["SELECT ", LegRow::COLUMNS, " FROM leg WHERE referral IN ", MINE, " AND $4 LIKE '%,' || ", TOLD,
        " || ',%' AND id > $2 ORDER BY id LIMIT $3"];
    DATED = ["SELECT ", LegRow::COLUMNS, " FROM leg WHERE referral IN ", MINE, " AND $4 LIKE '%,' || ", TOLD,
        " || ',%' AND ", TOLD, " <> 'accepted' AND ", super::board::DUE, " >= $5 AND (", super::board::DUE,
        " > $5 OR id > $2) ORDER BY ", super::board::DUE, ", id LIMIT $3"];
    UNDATED = ["SELECT ", LegRow::COLUMNS, " FROM leg WHERE referral IN ", MINE, " AND $4 LIKE '%,' || ", TOLD,
        " || ',%' AND (", TOLD, " = 'accepted' OR ", super::board::DUE, " IS NULL) AND id < $2 ORDER BY id DESC LIMIT $3"];
    REFERRALS = ["SELECT ", ReferralRow::COLUMNS, " FROM referral WHERE id IN ", MINE,
        " AND id < $2 ORDER BY id DESC LIMIT $3"];
    REFERRALS_IN_STATE = ["SELECT ", ReferralRow::COLUMNS, " FROM referral WHERE id IN ", MINE, " AND id < $2 AND ",
        "EXISTS (SELECT 1 FROM leg WHERE leg.referral = referral.id AND ", TOLD, " = $4) ORDER BY id DESC LIMIT $3"];
    READERS = ["SELECT ", NoticeReaderRow::COLUMNS, " FROM notice_reader WHERE referral = $1 ORDER BY named_at, staff"];
}

/// How a list of notices is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    Newest,
    Oldest,
    /// By deadline, from this one on.
    Dated(i64),
    Undated,
}

impl Ledger {
    /// The notices of the person in the scope that stand in one of these states for their sender, after `after`.
    pub(super) async fn notices(
        &self,
        scope: Scope,
        states: &[LegState],
        reading: Reading,
        after: Option<LegId>,
        limit: i64,
    ) -> Result<Vec<LegRow>, LedgerError> {
        let Some(person) = scope.person() else { return Ok(Vec::new()) };
        let text = match reading {
            Reading::Newest => NEWEST,
            Reading::Oldest => OLDEST,
            Reading::Dated(_) => DATED,
            Reading::Undated => UNDATED,
        };
        let from = match reading {
            Reading::Newest | Reading::Undated => LAST,
            Reading::Oldest | Reading::Dated(_) => "",
        };
        let from = after.map_or_else(|| from.to_owned(), |leg| leg.to_string());
        let codes: String = states.iter().flat_map(|state| [",", state.code()]).collect();
        let statement = sqlx::query(text).bind(person.to_string()).bind(from).bind(limit);
        let statement = statement.bind(format!("{codes},"));
        self.many(match reading {
            Reading::Dated(due) => statement.bind(due),
            _ => statement,
        })
        .await
    }

    /// The referrals of that person's notices, newest first; those with a leg in this state for their sender, or all.
    pub(super) async fn notice_referrals(
        &self,
        scope: Scope,
        state: Option<LegState>,
        before: String,
        limit: i64,
    ) -> Result<Vec<ReferralRow>, LedgerError> {
        let Some(person) = scope.person() else { return Ok(Vec::new()) };
        let text = if state.is_some() { REFERRALS_IN_STATE } else { REFERRALS };
        let statement = sqlx::query(text).bind(person.to_string()).bind(before).bind(limit);
        self.many(match state {
            Some(state) => statement.bind(state.code()),
            None => statement,
        })
        .await
    }

    /// Whom the writer named. The caller has read the referral under its scope.
    pub async fn notice_readers(&self, of: &ReferralRow) -> Result<Vec<NoticeReaderRow>, LedgerError> {
        self.many(sqlx::query(READERS).bind(of.id.to_string())).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{referral::ReferralType, told};

    #[test]
    fn the_codes_in_the_statements_are_the_domains() {
        let notice = format!("'{}'", ReferralType::Notice);
        for text in [NO_NOTICE, MINE, seen_leg!("$2"), seen_referral!("$2")] {
            assert!(text.contains(&notice), "{text}");
        }
        let taken = format!("'{}'", told::TAKEN);
        assert_eq!(TOLD.matches(&taken).count(), 2);
        assert!(DATED.contains(&format!("<> {taken}")) && UNDATED.contains(&format!("= {taken}")));
        assert!(include_str!("../../migrations/0014_notice.sql").contains(&format!("kind = {notice}")));
    }
}
