//! The lines of a consent: for each person it speaks of, who decided, in what capacity, and how.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde_json::Value;

use super::custody::Custody;
use crate::{
    code_list,
    domain::{field_error::FieldError, subject::SubjectRef},
};

code_list! {
    /// In what capacity somebody consents. A capacity gives authority over a minor or gives none;
    /// for one's own data being the person is what counts.
    Capacity, "capacity of a consent's giver" {
        Parent = "PARENT", "親権者", "parent with parental authority";
        MinorsGuardian = "GUARDIAN_OF_MINOR", "未成年後見人", "guardian of a minor";
        FacilityHead = "FACILITY_HEAD", "施設長・児童相談所長", "head of a facility or child guidance centre";
        Custodian = "CUSTODIAN", "監護者", "custodian";
        Oneself = "SELF", "本人", "the person";
        OtherRelative = "OTHER_RELATIVE", "その他の親族・同居者", "other relative or cohabitant";
    }
}

impl Capacity {
    /// Whether it may consent for a child. A facility's head may by 児童福祉法 第47条; grandparents
    /// and other cohabitants may not, however near they live.
    pub const fn has_authority_over_child(self) -> bool {
        matches!(self, Self::Parent | Self::MinorsGuardian | Self::FacilityHead | Self::Custodian)
    }
}

code_list! {
    /// What was decided for one person.
    LineDecision, "decision of a consent's line" {
        Given = "given", "同意する", "consents";
        Refused = "refused", "同意しない", "refuses";
        Withdrawn = "withdrawn", "同意を撤回した", "has withdrawn";
    }
}

code_list! {
    /// Whether the guardian of a minor who consents alone was told. Telling must not endanger the minor.
    GuardianTold, "whether the guardian was told" {
        Told = "told", "保護者に知らせた", "the guardian was told";
        Unsafe = "unsafe", "本人の安全のため、知らせていない", "not told, because it would not be safe";
    }
}

code_list! {
    /// The child's own view (意見). It is always recordable, and no veto by itself.
    Opinion, "the child's own view" {
        InFavour = "in_favour", "賛成", "in favour";
        Against = "against", "反対", "against";
        Unsure = "unsure", "わからない・迷っている", "unsure";
        NotHeard = "not_heard", "年齢などのため聴いていない", "not heard";
    }
}

/// Who consented in the main. The name is not here: no decision needs it, and it stays sealed with the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Giver {
    /// The giver as one of the subjects; absent for a facility's head or a guardian outside the household.
    pub subject: Option<SubjectRef>,
    pub capacity: Capacity,
    /// For whom this giver consents: the consent's lines, where no line of its own says otherwise.
    pub consents_for: BTreeSet<SubjectRef>,
}

/// What the consent holds for one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub decision: LineDecision,
    /// Who decided, if it is one of the subjects.
    pub giver: Option<SubjectRef>,
    pub capacity: Capacity,
    /// Absent where it was not recorded; then one parent alone is not enough.
    pub custody: Option<Custody>,
    pub guardian: Option<GuardianTold>,
}

impl Line {
    /// Reads the member `lines` of a consent that has passed its schema. What a line leaves out is as the
    /// record has it in the main.
    ///
    /// Faults go to their place: a line for somebody who is not declared or has one already, a giver who is not
    /// declared, a custody that contradicts itself.
    pub(super) fn read_all(
        lines: &Value,
        main: &Giver,
        custody: Option<Custody>,
        declared: &dyn Fn(&SubjectRef) -> bool,
        first_day: Date,
        faults: &mut Vec<FieldError>,
    ) -> BTreeMap<SubjectRef, Self> {
        let mut read = BTreeMap::new();
        for (index, value) in lines.as_array().into_iter().flatten().enumerate() {
            let at = format!("/lines/{index}");
            let coded = |member: &str| value[member].as_str();
            let Some(subject) = coded("subject").and_then(|t| t.parse().ok()).filter(declared) else {
                faults.push(undeclared(format!("{at}/subject")));
                continue;
            };
            let giver = match &value["giver"] {
                Value::Null => main.subject.clone(),
                other => other["subject"].as_str().and_then(|text| text.parse().ok()),
            };
            if giver.as_ref().is_some_and(|giver| !declared(giver)) {
                faults.push(undeclared(format!("{at}/giver/subject")));
            }
            let own = match &value["custody"] {
                Value::Null => custody,
                custody => Custody::read(custody, &format!("{at}/custody"), first_day, faults),
            };
            let line = Self {
                decision: coded("decision").and_then(|t| t.parse().ok()).unwrap_or(LineDecision::Given),
                capacity: coded("capacity").and_then(|t| t.parse().ok()).unwrap_or(main.capacity),
                giver,
                custody: own,
                guardian: value["guardian"]["told"].as_str().and_then(|text| text.parse().ok()),
            };
            if read.insert(subject, line).is_some() {
                faults.push(FieldError::new(
                    format!("{at}/subject"),
                    "line_twice",
                    "同じ人について二つの行があります。一つにまとめてください。",
                    "There are two lines for this person; make it one.",
                ));
            }
        }
        read
    }
}

fn undeclared(at: String) -> FieldError {
    FieldError::new(
        at,
        "subject_not_declared",
        "subjects で宣言した ref を書いてください。",
        "Name a ref that is declared in subjects.",
    )
}
