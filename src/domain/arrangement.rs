//! Arrangements (取決め): what agencies agreed on once, so that a leg need only name it: a protection council and its
//! members, a contract, a published joint use, a stated purpose. Each is dated, and so is each membership.

use jiff::civil::Date;

use super::{
    ids::{AgencyId, ArrangementId, CaseId},
    section::Sections,
};
use crate::code_list;

code_list! {
    /// What an arrangement is.
    ArrangementKind, "arrangement kind" {
        /// 児童福祉法 第25条の2. Its keeper is the coordinating body (調整機関).
        Council = "council", "要保護児童対策地域協議会", "protection council";
        /// 個人情報の保護に関する法律 第27条5項1号・第66条2項. Its keeper is the principal.
        Contract = "contract", "委託契約", "contract";
        /// 個人情報の保護に関する法律 第27条5項3号. Its keeper is the responsible party.
        JointUse = "joint_use", "共同利用", "joint use";
        /// 個人情報の保護に関する法律 第61条・第69条1項. Its keeper is the public body that states the purpose.
        Purpose = "purpose", "利用目的", "stated purpose";
    }
}

/// Days from the first to the last, both included; open where no last day is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub first_day: Date,
    pub last_day: Option<Date>,
}

impl Period {
    pub fn contains(&self, day: Date) -> bool {
        self.first_day <= day && self.last_day.is_none_or(|last| day <= last)
    }
}

/// An agency that takes part, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    pub agency: AgencyId,
    pub period: Period,
}

/// A case on a council's register (支援対象児童等の登録), and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisteredCase {
    pub case: CaseId,
    pub period: Period,
}

/// One arrangement as a decision sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrangement {
    pub id: ArrangementId,
    pub version: u32,
    pub kind: ArrangementKind,
    pub keeper: AgencyId,
    /// The purpose as published or agreed, in words.
    pub purpose: String,
    /// The item list: the sections it covers.
    pub sections: Sections,
    pub period: Period,
    pub members: Vec<Member>,
    /// A council's register, as far as it concerns the case at hand.
    pub cases: Vec<RegisteredCase>,
}

impl Arrangement {
    pub fn is_in_force(&self, day: Date) -> bool {
        self.period.contains(day)
    }

    /// Whether an agency takes part on this day: the keeper always does.
    pub fn includes(&self, agency: AgencyId, day: Date) -> bool {
        agency == self.keeper || self.members.iter().any(|m| m.agency == agency && m.period.contains(day))
    }

    pub fn has_registered(&self, case: CaseId, day: Date) -> bool {
        self.cases.iter().any(|entry| entry.case == case && entry.period.contains(day))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_membership_holds_on_its_first_and_last_day_and_on_no_other() {
        let agency = |n| AgencyId::new(Uuid::from_u128(n));
        let period = Period { first_day: date(2026, 4, 1), last_day: Some(date(2027, 3, 31)) };
        let council = Arrangement {
            id: ArrangementId::new(Uuid::nil()),
            version: 1,
            kind: ArrangementKind::Council,
            keeper: agency(1),
            purpose: String::new(),
            sections: Sections::all(),
            period: Period { first_day: date(2020, 4, 1), last_day: None },
            members: vec![Member { agency: agency(2), period }],
            cases: Vec::new(),
        };
        assert!(council.includes(agency(1), date(2026, 3, 31)));
        assert!(!council.includes(agency(2), date(2026, 3, 31)));
        assert!(council.includes(agency(2), date(2026, 4, 1)));
        assert!(council.includes(agency(2), date(2027, 3, 31)));
        assert!(!council.includes(agency(2), date(2027, 4, 1)));
        assert!(!council.includes(agency(3), date(2026, 4, 1)));
    }
}
