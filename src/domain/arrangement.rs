//! Arrangements (取決め): what agencies agreed on once, so that a leg need only name it: a protection council and its
//! members, a contract, a published joint use, a stated purpose. Each is dated, and so is each membership.

mod reading;

use jiff::civil::Date;

pub use self::reading::{NewArrangement, last_day};
use super::{
    agency::{Body, Party},
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

impl ArrangementKind {
    /// Whether an agency may keep one of this kind: the 調整機関 of a council is an organ of local
    /// government (児童福祉法 第25条の2第4項), the principal of a contract and who states a purpose are public
    /// bodies, and joint use is an institution of the rules for private bodies.
    pub const fn may_be_kept_by(self, party: &Party<'_>) -> bool {
        match self {
            Self::Council => party.kind.may_coordinate_council(),
            Self::Contract | Self::Purpose => matches!(party.body, Body::Public),
            Self::JointUse => party.acts_privately(),
        }
    }
}

code_list! {
    /// What was done to an arrangement. Each step makes a version, and none undoes another.
    ArrangementStep, "arrangement step" {
        Record = "record", "記録", "recorded";
        AddMember = "add_member", "構成員等の追加", "a member added";
        EndMember = "end_member", "構成員等の終了", "a membership ended";
        RegisterCase = "register_case", "ケースの登録", "a case registered";
        EndCase = "end_case", "ケースの登録の終了", "a registration ended";
        End = "end", "終了", "ended";
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

    /// Whether its last day has passed.
    pub fn is_over(&self, day: Date) -> bool {
        self.last_day.is_some_and(|last| last < day)
    }

    /// Whether a day belongs to both.
    pub fn overlaps(&self, other: &Self) -> bool {
        !self.is_over(other.first_day) && !other.is_over(self.first_day)
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
    /// What receipts cite: which arrangement, as it stood in which version.
    pub fn reference(&self) -> String {
        format!("arrangement:{}@v{}", self.id, self.version)
    }

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
        assert_eq!(council.reference(), "arrangement:00000000-0000-0000-0000-000000000000@v1");
    }

    #[test]
    fn two_periods_overlap_if_they_share_a_day() {
        let period = |first: i8, last: Option<i8>| Period {
            first_day: date(2026, 4, first),
            last_day: last.map(|last| date(2026, 4, last)),
        };
        for (one, other, overlap) in [
            (period(1, Some(10)), period(10, Some(20)), true),
            (period(1, Some(10)), period(11, None), false),
            (period(5, None), period(1, Some(5)), true),
            (period(5, None), period(1, Some(4)), false),
            (period(1, None), period(20, None), true),
        ] {
            assert_eq!(one.overlaps(&other), overlap, "{one:?} {other:?}");
            assert_eq!(other.overlaps(&one), overlap, "{other:?} {one:?}");
        }
    }
}
