//! The case (相談ケース): one household's thread, and what may be done with it.
//!
//! What is said of the household is kept as it was written; decided on are only the handles, roles and relations.

mod household;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

pub use household::{Household, Member, Relation, RelationKind};

use super::{
    answer::Outcome,
    consultation::Channel,
    ids::{ConsultationId, StaffId},
};
use crate::code_list;

code_list! {
    /// Whether an agency works on a case.
    CaseState, "state of a case" {
        Open = "open", "継続中", "open";
        Closed = "closed", "終結", "closed";
    }
}

code_list! {
    /// What a version of a case was made by.
    CaseStep, "step of a case" {
        Opened = "opened", "開始", "opened";
        Changed = "changed", "世帯・担当の変更", "household or staff changed";
        Planned = "planned", "サポートプランの作成", "a support plan was made";
        Closed = "closed", "終結", "closed";
        Reopened = "reopened", "再開", "reopened";
    }
}

/// The results that end a case. While somebody waits, is booked or is being supported, there is still something to do.
pub const fn ends_a_case(outcome: Outcome) -> bool {
    !matches!(outcome, Outcome::Booked | Outcome::Waiting | Outcome::SupportContinues)
}

/// Who looks after a case: whoever is responsible (担当), and who stands in (副担当).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Care {
    pub responsible: StaffId,
    pub deputy: Option<StaffId>,
}

/// Where a case stands, with what only holds there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Open,
    Reopened { reason: String },
    Closed { outcome: Outcome, note: Option<String> },
}

impl Standing {
    pub const fn state(&self) -> CaseState {
        match self {
            Self::Open | Self::Reopened { .. } => CaseState::Open,
            Self::Closed { .. } => CaseState::Closed,
        }
    }
}

/// One version of a case, whole. It has no `Debug`: what it holds goes into no log.
#[derive(Clone, Serialize, Deserialize)]
pub struct CaseRecord {
    pub step: CaseStep,
    pub by: StaffId,
    pub at: Timestamp,
    pub standing: Standing,
    pub care: Care,
    pub household: Household,
    /// The number of the support plan in force; 0 before the first.
    pub plan: i64,
    /// The talk it began with, where that was noted.
    pub consultation: Option<ConsultationId>,
}

/// A step that the case's state does not allow, and those it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotNow {
    pub state: CaseState,
    pub allowed: &'static [&'static str],
}

impl CaseRecord {
    pub fn open(
        household: Household,
        care: Care,
        consultation: Option<ConsultationId>,
        (by, at): (StaffId, Timestamp),
    ) -> Self {
        let (step, standing) = (CaseStep::Opened, Standing::Open);
        Self { step, by, at, standing, care, household, plan: 0, consultation }
    }

    /// The household and who looks after it, as they are now.
    ///
    /// # Errors
    /// The case is closed.
    pub fn change(
        &self,
        household: Household,
        care: Care,
        (by, at): (StaffId, Timestamp),
    ) -> Result<Self, NotNow> {
        self.while_open()?;
        Ok(Self { step: CaseStep::Changed, by, at, household, care, ..self.clone() })
    }

    /// The next support plan is in force; those before it stay as they were made.
    ///
    /// # Errors
    /// The case is closed.
    pub fn planned(&self, (by, at): (StaffId, Timestamp)) -> Result<Self, NotNow> {
        self.while_open()?;
        Ok(Self { step: CaseStep::Planned, by, at, plan: self.plan + 1, ..self.clone() })
    }

    /// # Errors
    /// The case is closed already.
    pub fn close(
        &self,
        outcome: Outcome,
        note: Option<String>,
        (by, at): (StaffId, Timestamp),
    ) -> Result<Self, NotNow> {
        self.while_open()?;
        let standing = Standing::Closed { outcome, note };
        Ok(Self { step: CaseStep::Closed, by, at, standing, ..self.clone() })
    }

    /// # Errors
    /// The case is open.
    pub fn reopen(&self, reason: String, (by, at): (StaffId, Timestamp)) -> Result<Self, NotNow> {
        match self.standing.state() {
            CaseState::Open => Err(self.not_now()),
            CaseState::Closed => {
                let standing = Standing::Reopened { reason };
                Ok(Self { step: CaseStep::Reopened, by, at, standing, ..self.clone() })
            }
        }
    }

    fn while_open(&self) -> Result<(), NotNow> {
        match self.standing.state() {
            CaseState::Open => Ok(()),
            CaseState::Closed => Err(self.not_now()),
        }
    }

    fn not_now(&self) -> NotNow {
        let state = self.standing.state();
        let allowed = match state {
            CaseState::Open => &["change", "plan", "close"][..],
            CaseState::Closed => &["reopen"][..],
        };
        NotNow { state, allowed }
    }
}

/// A support plan (サポートプラン), with the items of 児童福祉法施行規則 第1条の39の2.
#[derive(Clone, Serialize, Deserialize)]
pub struct Plan {
    /// 意向
    pub wishes: String,
    /// 解決すべき課題
    pub issues: Vec<String>,
    /// 支援の種類及び内容
    pub supports: Vec<Support>,
    /// その他
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    /// When it is looked at again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_on: Option<Date>,
    /// When it was explained to the family, or handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explained_on: Option<Date>,
}

/// One support of a plan: its kind and its content, and by whom.
#[derive(Clone, Serialize, Deserialize)]
pub struct Support {
    pub kind: String,
    pub content: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
}

/// What happened (経過記録): never changed, corrected by a later entry.
#[derive(Clone, Serialize, Deserialize)]
pub struct Entry {
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Whom somebody talked to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
    pub text: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn who(number: u128) -> (StaffId, Timestamp) {
        (StaffId::new(Uuid::from_u128(number)), Timestamp::UNIX_EPOCH)
    }

    fn opened() -> CaseRecord {
        let paper = json!({ "class": "ippan", "members": [{ "ref": "child", "role": "child" }] });
        let household = Household::parse(&paper, jiff::civil::date(2026, 10, 15)).unwrap();
        let care = Care { responsible: who(1).0, deputy: None };
        CaseRecord::open(household, care, None, who(1))
    }

    /// Every step from every state: what is allowed is what a refusal names.
    #[test]
    fn each_state_allows_its_steps_and_names_them() {
        let open = opened();
        let closed = open.close(Outcome::Closed, None, who(2)).unwrap();
        let reopened = closed.reopen("転入".to_owned(), who(3)).unwrap();
        for (record, allowed) in [
            (&open, &["change", "plan", "close"][..]),
            (&closed, &["reopen"][..]),
            (&reopened, &["change", "plan", "close"][..]),
        ] {
            let steps = [
                ("change", record.change(record.household.clone(), record.care, who(4))),
                ("plan", record.planned(who(4))),
                ("close", record.close(Outcome::HandedOver, None, who(4))),
                ("reopen", record.reopen("再相談".to_owned(), who(4))),
            ];
            for (name, made) in steps {
                match made {
                    Ok(next) => {
                        assert!(allowed.contains(&name), "{name} from {}", record.step);
                        assert_eq!(next.by, who(4).0);
                    }
                    Err(refused) => {
                        assert!(!allowed.contains(&name), "{name} from {}", record.step);
                        assert_eq!((refused.state, refused.allowed), (record.standing.state(), allowed));
                    }
                }
            }
        }
    }

    #[test]
    fn a_step_changes_what_it_is_about_and_keeps_the_rest() {
        let planned = opened().planned(who(2)).unwrap().planned(who(3)).unwrap();
        assert_eq!((planned.plan, planned.step), (2, CaseStep::Planned));
        let closed = planned.close(Outcome::NoContact, Some("転出先不明".to_owned()), who(4)).unwrap();
        assert_eq!((closed.plan, closed.standing.state()), (2, CaseState::Closed));
        let again: CaseRecord = serde_json::from_str(&serde_json::to_string(&closed).unwrap()).unwrap();
        assert!(again.standing == closed.standing && again.care == closed.care, "it reads back");
        let reopened = again.reopen("再相談".to_owned(), who(5)).unwrap();
        assert_eq!((reopened.plan, reopened.standing.state()), (2, CaseState::Open));
    }

    #[test]
    fn what_goes_on_ends_no_case() {
        let ending: Vec<_> = Outcome::ALL.iter().filter(|outcome| ends_a_case(**outcome)).collect();
        assert_eq!(ending.len(), Outcome::ALL.len() - 3);
        assert!(!ends_a_case(Outcome::SupportContinues) && ends_a_case(Outcome::Closed));
    }
}
