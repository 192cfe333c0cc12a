//! Custody (親権): whether one parent's consent is enough (民法 第818条・第824条の2).

use std::collections::BTreeSet;

use jiff::civil::{Date, date};
use serde::Deserialize;
use serde_json::Value;

use crate::{code_list, domain::field_error::FieldError};

code_list! {
    /// Who holds custody of the child.
    CustodyKind, "custody" {
        Sole = "sole", "単独親権", "sole custody";
        JointMarried = "joint_married", "共同親権（婚姻中）", "joint custody, married";
        JointAfterDivorce = "joint_after_divorce", "共同親権（離婚後）", "joint custody after divorce";
        /// The other parent has no say, whatever they object.
        SoleAfterViolence = "sole_after_violence", "単独親権（DV・虐待による）", "sole custody after violence";
    }
}

/// From this day parents may keep joint custody after a divorce.
pub const JOINT_AFTER_DIVORCE_FROM: Date = date(2026, 4, 1);

code_list! {
    /// Where the other custodian stands, as far as it is known.
    OtherCustodian, "stand of the other custodian" {
        Agrees = "agrees", "同意している", "agrees";
        NoObjection = "no_objection", "反対は知られていない", "no objection is known";
        Objects = "objects", "反対している", "objects";
        NotAsked = "not_asked", "確認していない", "was not asked";
    }
}

code_list! {
    /// Why one of two custodians may act alone (民法 第824条の2).
    SoleGround, "ground for acting alone" {
        Daily = "daily", "監護・教育に関する日常の行為", "a daily act of care and education";
        Urgent = "urgent", "子の利益のため急迫の事情", "urgent for the child's interest";
        CannotAct = "cannot_act", "もう一人が親権を行うことができない", "the other custodian cannot act";
    }
}

code_list! {
    /// What the family will do under the consent, as the law of custody sees it.
    Act, "act" {
        Consultation = "consultation", "相談・助言を受ける", "consultation";
        TemporaryCare = "temporary_care", "一時預かりの利用", "temporary childcare";
        PlayGroup = "play_group", "子育てひろば等の利用", "play groups and the like";
        Checkup = "checkup", "健康診査・通常の予防接種", "check-ups and ordinary vaccination";
        MinorIllness = "minor_illness", "軽いけが・病気の受診", "treatment of a minor illness";
        NurseryPlace = "nursery_place", "入園・転園", "entering or changing a nursery";
        Therapy = "therapy", "療育・発達支援の継続利用", "continued therapy";
        SeriousTreatment = "serious_treatment", "心身に重大な影響のある医療", "treatment with serious effects";
        Schooling = "schooling", "入学・転校・進路", "choice of school";
        Residential = "residential", "宿泊・入所を伴う利用", "a stay away from home";
        ChangeOfResidence = "change_of_residence", "居所の変更", "change of residence";
        Other = "other", "その他", "other";
    }
}

/// The acts that one custodian may decide alone as part of daily life: a list of the tenant's.
/// A change of residence is on none.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<Act>")]
pub struct DailyActs(BTreeSet<Act>);

/// A list of daily acts with an act that never is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a change of residence (change_of_residence) is never a daily act; take it off the list")]
pub struct NeverDaily;

impl TryFrom<Vec<Act>> for DailyActs {
    type Error = NeverDaily;

    fn try_from(acts: Vec<Act>) -> Result<Self, NeverDaily> {
        if acts.contains(&Act::ChangeOfResidence) {
            Err(NeverDaily)
        } else {
            Ok(Self(acts.into_iter().collect()))
        }
    }
}

impl Default for DailyActs {
    fn default() -> Self {
        use Act as A;
        Self([A::Consultation, A::TemporaryCare, A::PlayGroup, A::Checkup, A::MinorIllness].into())
    }
}

impl DailyActs {
    pub fn contains(&self, act: Act) -> bool {
        self.0.contains(&act)
    }
}

/// What is on record about a child's custody, for the act the consent is about. The reason for a
/// ground stays sealed with the document; that there is one was checked when it was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Custody {
    pub kind: CustodyKind,
    /// Known where custody is joint.
    pub other: Option<OtherCustodian>,
    pub ground: Option<SoleGround>,
}

impl Custody {
    pub const SOLE: Self = Self { kind: CustodyKind::Sole, other: None, ground: None };

    /// Whether the consent of one parent is enough. `daily` says whether the act is on the tenant's
    /// list of daily acts.
    pub fn lets_one_consent(&self, daily: bool) -> bool {
        match self.kind {
            CustodyKind::Sole | CustodyKind::SoleAfterViolence => true,
            CustodyKind::JointMarried | CustodyKind::JointAfterDivorce => match (self.other, self.ground) {
                (Some(OtherCustodian::Agrees), _) => true,
                (_, Some(SoleGround::Urgent | SoleGround::CannotAct)) => true,
                (_, Some(SoleGround::Daily)) => daily,
                (Some(OtherCustodian::NoObjection | OtherCustodian::NotAsked), None) => daily,
                (Some(OtherCustodian::Objects) | None, None) => false,
            },
        }
    }

    /// Two people hold it.
    pub const fn is_joint(self) -> bool {
        matches!(self.kind, CustodyKind::JointMarried | CustodyKind::JointAfterDivorce)
    }

    /// Reads a member `custody` that has passed its schema, and finds what contradicts itself.
    pub(super) fn read(
        value: &Value,
        at: &str,
        first_day: Date,
        faults: &mut Vec<FieldError>,
    ) -> Option<Self> {
        let mut fault = |member: &str, code, ja, en| {
            faults.push(FieldError::new(format!("{at}/{member}"), code, ja, en));
        };
        let Some(kind) = coded(&value["kind"]) else {
            fault(
                "kind",
                "malformed",
                "親権の区分を一覧のコードで書いてください。",
                "Give the custody as a code of the list.",
            );
            return None;
        };
        let custody = Self { kind, other: coded(&value["other_custodian"]), ground: coded(&value["ground"]) };
        if kind == CustodyKind::JointAfterDivorce && first_day < JOINT_AFTER_DIVORCE_FROM {
            fault(
                "kind",
                "custody_not_yet",
                "離婚後の共同親権は2026年4月1日からの制度です。親権者を確かめてください。",
                "Joint custody after a divorce exists only from 1 April 2026; check who holds custody.",
            );
        }
        if custody.is_joint() && custody.other.is_none() {
            fault(
                "other_custodian",
                "other_custodian_missing",
                "共同親権では、もう一人の親権者の意向（確認していない場合はその旨）を記録してください。",
                "With joint custody, record where the other custodian stands, or that they were not asked.",
            );
        }
        if custody.ground.is_some() && value["reason"].as_str().is_none_or(|text| text.trim().is_empty()) {
            fault(
                "reason",
                "ground_reason",
                "単独で行える理由を具体的に書いてください。",
                "Say in words why one custodian may act alone.",
            );
        }
        Some(custody)
    }
}

fn coded<T: std::str::FromStr>(value: &Value) -> Option<T> {
    value.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Every kind, every stand, every ground, on the list of daily acts and off it.
    #[test]
    fn one_parent_is_enough_where_the_law_says_so() {
        use CustodyKind as K;
        use OtherCustodian as O;
        use SoleGround as G;
        let mut allowed = 0;
        for kind in K::ALL {
            for other in O::ALL.iter().copied().map(Some).chain([None]) {
                for ground in G::ALL.iter().copied().map(Some).chain([None]) {
                    for daily in [true, false] {
                        let custody = Custody { kind: *kind, other, ground };
                        let sole = matches!(kind, K::Sole | K::SoleAfterViolence);
                        let silent = matches!(other, Some(O::NoObjection | O::NotAsked));
                        let expected = sole
                            || other == Some(O::Agrees)
                            || matches!(ground, Some(G::Urgent | G::CannotAct))
                            || daily && (ground == Some(G::Daily) || ground.is_none() && silent);
                        assert_eq!(custody.lets_one_consent(daily), expected, "{custody:?} {daily}");
                        allowed += usize::from(expected);
                    }
                }
            }
        }
        assert_eq!(allowed, 2 * 40 + 2 * (8 + 4 * 4 + 4 + 2));
    }

    #[test]
    fn a_change_of_residence_is_on_no_list() {
        assert!(!DailyActs::default().contains(Act::ChangeOfResidence));
        assert_eq!(DailyActs::try_from(vec![Act::ChangeOfResidence]), Err(NeverDaily));
        assert!(DailyActs::try_from(vec![Act::Residential]).unwrap().contains(Act::Residential));
    }

    #[test]
    fn what_contradicts_itself_is_told_at_its_place() {
        let found = |value: Value, first_day| {
            let mut faults = Vec::new();
            Custody::read(&value, "/custody", first_day, &mut faults);
            faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect::<Vec<_>>()
        };
        let (before, from) = (date(2026, 3, 31), JOINT_AFTER_DIVORCE_FROM);
        let after_divorce = json!({"kind": "joint_after_divorce", "other_custodian": "objects"});
        assert_eq!(found(after_divorce.clone(), before), [("/custody/kind".into(), "custody_not_yet")]);
        assert_eq!(found(after_divorce, from), []);
        for (value, member, code) in [
            (json!({"kind": "joint_married"}), "other_custodian", "other_custodian_missing"),
            (json!({"kind": "sole", "ground": "urgent"}), "reason", "ground_reason"),
            (json!({"kind": "sole", "ground": "daily", "reason": " 　"}), "reason", "ground_reason"),
            (json!({}), "kind", "malformed"),
        ] {
            assert_eq!(found(value, from), [(format!("/custody/{member}"), code)]);
        }
    }
}
