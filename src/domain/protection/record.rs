//! The record of a protection: its terms, who changed them, and what waits for a second person.
//!
//! What closes takes effect at once. What opens anything (a change that hides less, a release, a lift for one
//! recipient) is asked for by one person and approved by another.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{LONGEST_LIFT, Lift, Protection, second_person, terms::Terms};
use crate::{
    code_list,
    domain::{
        ids::{AgencyId, CaseId, LegId, ReferralId, StaffId},
        referral::ReferralType,
        refusal::Refusal,
        staff::StaffRole,
    },
};

/// How long a lift that was asked for may wait for its second person: it is asked for while somebody needs it.
const LIFT_WAITS: SignedDuration = SignedDuration::from_hours(1);

code_list! {
    /// What a version of a protection was made by.
    ProtectionStep, "step of a protection" {
        Recorded = "recorded", "記録", "recorded";
        Changed = "changed", "変更", "changed";
        ChangeAsked = "change_asked", "変更の申出", "a change was asked for";
        ReleaseAsked = "release_asked", "解除の申出", "a release was asked for";
        Released = "released", "解除", "released";
        UnlockAsked = "unlock_asked", "一時開示の申出", "a lift was asked for";
        Unlocked = "unlocked", "一時開示", "lifted for one recipient";
    }
}

code_list! {
    /// Whether a protection protects.
    ProtectionState, "state of a protection" {
        Active = "active", "秘匿中", "active";
        Released = "released", "解除済", "released";
    }
}

/// What is protected: all of a case, or one referral that names no case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    Case(CaseId),
    Referral(ReferralId),
}

/// A lift, as it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedLift {
    pub recipient: AgencyId,
    pub purpose: ReferralType,
    pub minutes: u8,
}

/// A lift, as it was approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenLift {
    pub recipient: AgencyId,
    pub purpose: ReferralType,
    pub until: Timestamp,
}

/// What waits for a second person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    Change(Terms),
    Release,
    Unlock(AskedLift),
}

/// What was asked for, by whom and why.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    pub asked: Asked,
    pub by: StaffId,
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How far the chain of a leg had come when a version took effect: what lies before was shown without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    pub leg: LegId,
    pub recipient: AgencyId,
    pub seq: i64,
    /// Whether the copy had been opened, or published sealed, by then.
    pub disclosed: bool,
}

/// One version of a protection; sealed whole.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    #[serde(flatten)]
    pub place: Place,
    pub terms: Terms,
    pub state: ProtectionState,
    pub step: ProtectionStep,
    pub by: StaffId,
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<StaffId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lift: Option<GivenLift>,
    #[serde(default)]
    pub legs: Vec<Reached>,
}

/// Why a step of a protection was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotMade {
    /// It is released, or nothing waits for a second person.
    Illegal {
        state: &'static str,
        allowed: Vec<&'static str>,
    },
    Refused(Refusal),
}

impl Record {
    pub fn new(place: Place, terms: Terms, by: StaffId, at: Timestamp) -> Self {
        Self {
            place,
            terms,
            state: ProtectionState::Active,
            step: ProtectionStep::Recorded,
            by,
            at,
            asked_by: None,
            reason: None,
            pending: None,
            lift: None,
            legs: Vec::new(),
        }
    }

    /// What decisions read; nothing once it is released.
    pub fn protection(&self) -> Option<Protection> {
        let lift =
            self.lift.map(|GivenLift { recipient, purpose, until }| Lift { recipient, purpose, until });
        (self.state == ProtectionState::Active).then(|| self.terms.protection(lift))
    }

    /// New terms. They take effect at once where they hide no less; otherwise they wait for a second person.
    ///
    /// # Errors
    /// It is released.
    pub fn change(&self, terms: Terms, by: StaffId, at: Timestamp) -> Result<Self, NotMade> {
        self.active()?;
        if terms.protection(None).is_no_weaker_than(&self.terms.protection(None)) {
            let lift = self.lift;
            return Ok(Self { terms, lift, ..self.next(ProtectionStep::Changed, by, at) });
        }
        self.ask(Asked::Change(terms), ProtectionStep::ChangeAsked, by, at, None)
    }

    /// The next version, which hides also what other terms do. Nothing, where this one does already.
    pub fn strengthen(&self, more: &Terms, by: StaffId, at: Timestamp) -> Option<Self> {
        let terms = self.terms.clone().and(more);
        let already = self.terms.protection(None).is_no_weaker_than(&terms.protection(None));
        (!already).then(|| Self { terms, lift: self.lift, ..self.next(ProtectionStep::Changed, by, at) })
    }

    /// Asks that the protection end.
    ///
    /// # Errors
    /// It is released.
    pub fn ask_release(&self, by: StaffId, reason: String, at: Timestamp) -> Result<Self, NotMade> {
        self.ask(Asked::Release, ProtectionStep::ReleaseAsked, by, at, Some(reason))
    }

    /// Asks that one recipient see the address for one purpose and a few minutes.
    ///
    /// # Errors
    /// It is released.
    pub fn ask_unlock(
        &self,
        lift: AskedLift,
        by: StaffId,
        reason: String,
        at: Timestamp,
    ) -> Result<Self, NotMade> {
        self.ask(Asked::Unlock(lift), ProtectionStep::UnlockAsked, by, at, Some(reason))
    }

    /// A second person approves what waits.
    ///
    /// # Errors
    /// Nothing waits any more; or the approver is who asked, or no supervisor: `APPROVER_REQUIRED`.
    pub fn approve(&self, approver: (StaffId, StaffRole), at: Timestamp) -> Result<Self, NotMade> {
        self.active()?;
        let Some(pending) = self.waiting(at) else {
            return Err(self.illegal(vec!["change", "release", "unlock"]));
        };
        second_person(pending.by, Some(approver)).map_err(NotMade::Refused)?;
        let made = |step| Self {
            asked_by: Some(pending.by),
            reason: pending.reason.clone(),
            ..self.next(step, approver.0, at)
        };
        Ok(match &pending.asked {
            Asked::Change(terms) => Self { terms: terms.clone(), ..made(ProtectionStep::Changed) },
            Asked::Release => Self { state: ProtectionState::Released, ..made(ProtectionStep::Released) },
            Asked::Unlock(AskedLift { recipient, purpose, minutes }) => {
                let length = SignedDuration::from_mins(i64::from(*minutes)).min(LONGEST_LIFT);
                let until = at.checked_add(length).unwrap_or(at);
                let lift = GivenLift { recipient: *recipient, purpose: *purpose, until };
                Self { lift: Some(lift), ..made(ProtectionStep::Unlocked) }
            }
        })
    }

    /// What still waits for a second person.
    pub fn waiting(&self, at: Timestamp) -> Option<&Pending> {
        let stale = |pending: &&Pending| {
            matches!(pending.asked, Asked::Unlock(_)) && at.duration_since(pending.at) > LIFT_WAITS
        };
        self.pending.as_ref().filter(|pending| !stale(pending))
    }

    fn ask(
        &self,
        asked: Asked,
        step: ProtectionStep,
        by: StaffId,
        at: Timestamp,
        reason: Option<String>,
    ) -> Result<Self, NotMade> {
        self.active()?;
        let pending = Pending { asked, by, at, reason: reason.clone() };
        Ok(Self { pending: Some(pending), lift: self.lift, reason, ..self.next(step, by, at) })
    }

    /// The next version: nothing waits, nothing is lifted, unless the step says so.
    fn next(&self, step: ProtectionStep, by: StaffId, at: Timestamp) -> Self {
        Self { step, state: self.state, ..Self::new(self.place, self.terms.clone(), by, at) }
    }

    fn active(&self) -> Result<(), NotMade> {
        match self.state {
            ProtectionState::Active => Ok(()),
            ProtectionState::Released => Err(self.illegal(Vec::new())),
        }
    }

    fn illegal(&self, allowed: Vec<&'static str>) -> NotMade {
        NotMade::Illegal { state: self.state.code(), allowed }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::domain::refusal::RefusalCode;

    const F: &str = "0192f000-0000-7000-8000-00000000000f";

    fn staff(n: u128) -> StaffId {
        StaffId::new(Uuid::from_u128(n))
    }

    fn at(text: &str) -> Timestamp {
        format!("2026-10-15T{text}+09:00").parse().unwrap()
    }

    fn terms(more: &serde_json::Value) -> Terms {
        let mut document =
            json!({"hidden_from": [{"agency": F}, {"municipality": "141003"}], "ground": "支援措置"});
        document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Terms::parse(&document).unwrap()
    }

    fn record() -> Record {
        let place = Place::Case(CaseId::new(Uuid::from_u128(7)));
        Record::new(place, terms(&json!({})), staff(1), at("10:00:00"))
    }

    #[test]
    fn a_record_reads_back() {
        let lift = AskedLift {
            recipient: AgencyId::new(Uuid::from_u128(9)),
            purpose: ReferralType::Introduction,
            minutes: 5,
        };
        let asked = record().ask_unlock(lift, staff(1), "救急".into(), at("10:01:00")).unwrap();
        let given = asked.approve((staff(2), StaffRole::Supervisor), at("10:02:00")).unwrap();
        for record in [record(), asked, given] {
            let text = serde_json::to_string(&record).unwrap();
            assert!(serde_json::from_str::<Record>(&text).unwrap() == record, "{text}");
        }
    }

    #[test]
    fn what_closes_needs_one_person_and_what_opens_needs_two() {
        let blocked = record().change(terms(&json!({"blocked": [F]})), staff(1), at("10:01:00")).unwrap();
        assert_eq!(blocked.step, ProtectionStep::Changed);
        assert!(blocked.terms == terms(&json!({"blocked": [F]})) && blocked.pending.is_none());
        let weaker = terms(&json!({"hidden_from": [{"agency": F}]}));
        let asked = blocked.change(weaker.clone(), staff(1), at("10:02:00")).unwrap();
        assert_eq!(asked.step, ProtectionStep::ChangeAsked);
        assert!(asked.protection() == blocked.protection(), "nothing is opened yet");
        let alone = asked.approve((staff(1), StaffRole::Supervisor), at("10:03:00"));
        assert!(
            matches!(alone, Err(NotMade::Refused(refusal)) if refusal.code == RefusalCode::ApproverRequired)
        );
        let opened = asked.approve((staff(2), StaffRole::Supervisor), at("10:03:00")).unwrap();
        assert!(opened.terms == weaker && opened.asked_by == Some(staff(1)) && opened.pending.is_none());
    }

    #[test]
    fn a_release_ends_it_for_good() {
        let asked = record().ask_release(staff(1), "転居".into(), at("10:01:00")).unwrap();
        assert!(asked.protection() == record().protection());
        let released = asked.approve((staff(2), StaffRole::Supervisor), at("10:02:00")).unwrap();
        assert_eq!((released.state, released.protection()), (ProtectionState::Released, None));
        assert!(released.change(terms(&json!({})), staff(1), at("10:03:00")).is_err());
        assert!(released.approve((staff(3), StaffRole::Supervisor), at("10:03:00")).is_err());
    }

    #[test]
    fn a_lift_ends_by_itself_and_never_lasts_longer_than_fifteen_minutes() {
        let lift = AskedLift {
            recipient: AgencyId::new(Uuid::from_u128(9)),
            purpose: ReferralType::Introduction,
            minutes: 200,
        };
        let asked = record().ask_unlock(lift, staff(1), "救急".into(), at("10:01:00")).unwrap();
        let late = asked.approve((staff(2), StaffRole::Supervisor), at("11:01:01"));
        assert!(matches!(late, Err(NotMade::Illegal { .. })), "nobody approves what was needed an hour ago");
        let given = asked.approve((staff(2), StaffRole::Supervisor), at("10:02:00")).unwrap();
        assert_eq!(given.lift.unwrap().until, at("10:17:00"));
        assert_eq!(
            given.change(terms(&json!({"blocked": [F]})), staff(1), at("10:03:00")).unwrap().lift,
            given.lift
        );
    }
}
