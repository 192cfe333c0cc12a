//! The facts a sender records with a basis: what they are called, of what form they are, whether they are there.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::BasisCode;
use crate::{
    code_list,
    domain::{
        fault::Phrase,
        ids::AgencyId,
        municipality::MunicipalityCode,
        section::{Section, Sections},
    },
};

code_list! {
    /// Whether the person was asked for a consent, where the law does not ask for one.
    ConsentSought, "whether consent was sought" {
        Yes = "yes", "得た", "given";
        No = "no", "まだ求めていない", "not asked yet";
        Refused = "refused", "断られた・撤回された", "refused or withdrawn";
        Impossible = "impossible", "求められない", "cannot be asked";
    }
}

code_list! {
    /// What a family is in the register of 児童福祉法 第6条の3.
    CaseClass, "class of a case" {
        Protection = "yohogo", "要保護児童", "child in need of protection";
        Support = "yoshien", "要支援児童またはその保護者", "child in need of support, or its guardian";
        SpecifiedPregnancy = "tokutei_ninpu", "特定妊婦", "specified expectant mother";
        Ordinary = "ippan", "一般", "ordinary";
    }
}

/// The form of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactKind {
    Text,
    Texts,
    /// True, or not recorded.
    Yes,
    /// One of these codes.
    Code(&'static [&'static str]),
    Day,
    Sections,
    Agency,
    Municipality,
}

/// A fact the sender records with a basis, for example the parent's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Member of the leg's `basis` object.
    pub name: &'static str,
    pub label: Phrase,
    pub kind: FactKind,
    /// Without it the basis is refused with `BASIS_RECORD`.
    pub required: bool,
}

impl Fact {
    const fn new(name: &'static str, kind: FactKind, ja: &'static str, en: &'static str) -> Self {
        Self { name, label: Phrase { ja, en }, kind, required: true }
    }

    const fn if_any(self) -> Self {
        Self { required: false, ..self }
    }

    /// Whether it is there, of its form, and says something.
    pub fn is_recorded(&self, facts: &Facts) -> bool {
        let text = || facts.text(self.name);
        match self.kind {
            FactKind::Text => text().is_some(),
            FactKind::Texts => !facts.texts(self.name).is_empty(),
            FactKind::Yes => facts.holds(self.name),
            FactKind::Code(codes) => text().is_some_and(|text| codes.contains(&text)),
            FactKind::Day => facts.day(self.name).is_some(),
            FactKind::Sections => !facts.sections(self.name).is_empty(),
            FactKind::Agency => facts.agency(self.name).is_some(),
            FactKind::Municipality => facts.municipality(self.name).is_some(),
        }
    }
}

/// The facts recorded with a basis: the members of the leg's `basis` object beside `code` and
/// `consent`. They are sealed like contents; `Debug` shows none.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facts(Map<String, Value>);

impl Facts {
    pub const fn new(members: Map<String, Value>) -> Self {
        Self(members)
    }

    /// A text that says something.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().filter(|text| !text.trim().is_empty())
    }

    /// A list of texts; those that say nothing are left out.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        let list = self.0.get(name).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|text| text.as_str().map(str::trim)).filter(|text| !text.is_empty()).collect()
    }

    /// Whether a yes-or-no fact was recorded as true.
    pub fn holds(&self, name: &str) -> bool {
        self.0.get(name) == Some(&Value::Bool(true))
    }

    /// A code of a list.
    pub fn code<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }

    pub fn day(&self, name: &str) -> Option<Date> {
        self.code(name)
    }

    pub fn agency(&self, name: &str) -> Option<AgencyId> {
        self.code(name)
    }

    pub fn municipality(&self, name: &str) -> Option<MunicipalityCode> {
        MunicipalityCode::parse(self.text(name)?).ok()
    }

    pub fn sections(&self, name: &str) -> Sections {
        let list = self.0.get(name).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|section| section.as_str()?.parse::<Section>().ok()).collect()
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Facts({})", self.0.len())
    }
}

use FactKind::{Agency, Code, Day, Municipality, Text, Texts, Yes};

pub const PARENTS_REQUEST: Fact =
    Fact::new("parent_request", Text, "保護者の求め（日と内容）", "the parent's request: day and content");
pub const CHILDS_OFFENCE: Fact = Fact::new(
    "child_offence",
    Yes,
    "罪を犯した満14歳以上の児童",
    "a child of 14 or over who committed an offence",
)
.if_any();
pub const FACILITY: Fact =
    Fact::new("facility", Agency, "虐待があった施設（機関のID）", "the facility concerned: its agency id")
        .if_any();
pub const GROUNDS: Fact =
    Fact::new("grounds", Text, "要支援児童等と考えた理由", "why the family is thought to need support");
pub const CASE_CLASS: Fact = Fact::new(
    "case_class",
    Code(&["yohogo", "yoshien", "tokutei_ninpu", "ippan"]),
    "要支援児童・特定妊婦などの別",
    "child in need of support, specified expectant mother or neither",
);
pub const PRESENT_MUNICIPALITY: Fact = Fact::new(
    "present_municipality",
    Municipality,
    "いまいる市区町村（現在地）",
    "the municipality where the family is now",
);
pub const CONSENT_SOUGHT: Fact = Fact::new(
    "consent_sought",
    Code(&["yes", "no", "refused", "impossible"]),
    "同意を求めたか",
    "whether consent was sought",
);
pub const CONSENT_SOUGHT_REASON: Fact = Fact::new(
    "consent_sought_reason",
    Text,
    "同意を得ていない理由（得たときは不要）",
    "why there is no consent; not where it was given",
)
.if_any();
pub const CONSENT_DIFFICULT: Fact = Fact::new(
    "consent_difficult_because",
    Text,
    "同意を得ることが困難な理由",
    "why it is difficult to obtain a consent",
);
pub const REQUESTED_ON: Fact = Fact::new("requested_on", Day, "求めのあった日", "the day of the request");
pub const REQUESTED_BY: Fact =
    Fact::new("requested_by", Text, "求めた人（職名と氏名）", "who made the request: office and name");
pub const REQUESTED_FOR: Fact =
    Fact::new("requested_for", Text, "求めの目的（事務・業務）", "for which task it was requested");
pub const REQUESTED_SECTIONS: Fact =
    Fact::new("requested_sections", FactKind::Sections, "求められた区分", "the sections requested");
pub const REQUESTED_ITEMS: Fact =
    Fact::new("requested_items", Text, "求める健康診査等の項目", "the check-ups requested");
pub const NECESSITY: Fact = Fact::new(
    "necessity",
    Text,
    "必要な限度であり相当の理由がある根拠",
    "why it is necessary, and the due reason",
);
pub const TRANSFER_LETTER: Fact = Fact::new(
    "transfer_letter",
    Text,
    "送致書・通知書（日付と番号）",
    "the letter of transfer: day and number",
);
pub const PAPERS_DEMANDED: Fact =
    Fact::new("papers_demanded", Texts, "都道府県が求める添付書類", "the attachments the prefecture demands")
        .if_any();
pub const PAPERS: Fact = Fact::new(
    "papers",
    Texts,
    "添えた書類（求められたものはすべて要る）",
    "the attachments there are; all that are demanded",
)
.if_any();
pub const PUBLIC_TASK: Fact =
    Fact::new("public_task", Text, "協力する法令の事務", "the task by law that is cooperated with");
pub const CONSENT_HINDERS: Fact = Fact::new(
    "consent_hinders_because",
    Text,
    "同意を求めると事務に支障がある理由",
    "why asking for a consent would hinder it",
);
pub const ARTICLE: Fact = Fact::new("article", Text, "提供を定める条文", "the article that provides for it");
pub const REASON: Fact =
    Fact::new("reason", Text, "提供する相当の理由・特別の理由", "the due or special reason");
pub const CONDITIONS: Fact = Fact::new(
    "conditions",
    Text,
    "相手に付ける条件（第70条）",
    "the conditions put on the recipient (Article 70)",
);
pub const RIGHTS_HARMED: Fact = Fact::new(
    "rights_harmed",
    Yes,
    "本人または第三者の権利利益を不当に侵害するおそれがある",
    "somebody's rights would be harmed unjustly",
)
.if_any();
pub const STATED_PURPOSE: Fact = Fact::new(
    "stated_purpose",
    Text,
    "この提供の利用目的（取決めのとおりに書く）",
    "the stated purpose it serves, in the words of the arrangement",
);

/// With any basis but a notice: the basis of the leg that this one takes the place of.
pub const INSTEAD_OF: Fact = Fact::new(
    "instead_of",
    Code(&codes()),
    "根拠を変えて送り直すとき、前の根拠",
    "where a leg is sent anew on another basis: the former basis",
)
.if_any();
/// Why a person chose another basis.
pub const CHANGE_REASON: Fact = Fact::new(
    "change_reason",
    Text,
    "根拠を変えると判断した理由",
    "why a person decided to change the basis",
)
.if_any();

const fn codes() -> [&'static str; BasisCode::ALL.len()] {
    let mut codes = [""; BasisCode::ALL.len()];
    let mut place = 0;
    while place < codes.len() {
        codes[place] = BasisCode::ALL[place].code();
        place += 1;
    }
    codes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts(value: &Value) -> Facts {
        serde_json::from_value(value.clone()).unwrap()
    }

    #[test]
    fn an_empty_fact_is_no_fact() {
        let facts = facts(&json!({
            "parent_request": " 　", "child_offence": "true", "requested_sections": [], "papers": ["", " "],
        }));
        for fact in [PARENTS_REQUEST, CHILDS_OFFENCE, REQUESTED_SECTIONS, PAPERS] {
            assert!(!fact.is_recorded(&facts), "{}", fact.name);
        }
    }

    #[test]
    fn a_fact_of_another_form_is_no_fact() {
        let facts = facts(&json!({
            "requested_on": "2026-13-01", "facility": "保育所", "present_municipality": "122075",
            "consent_sought": "perhaps", "requested_sections": ["everything"], "reason": 1,
        }));
        for fact in [REQUESTED_ON, FACILITY, PRESENT_MUNICIPALITY, CONSENT_SOUGHT, REQUESTED_SECTIONS, REASON]
        {
            assert!(!fact.is_recorded(&facts), "{}", fact.name);
        }
    }

    #[test]
    fn the_codes_of_a_fact_are_those_of_its_list() {
        let codes = |fact: Fact| match fact.kind {
            Code(codes) => codes.to_vec(),
            _ => Vec::new(),
        };
        assert_eq!(codes(CONSENT_SOUGHT), ConsentSought::ALL.iter().map(|c| c.code()).collect::<Vec<_>>());
        assert_eq!(codes(CASE_CLASS), CaseClass::ALL.iter().map(|c| c.code()).collect::<Vec<_>>());
        assert_eq!(codes(INSTEAD_OF), BasisCode::ALL.iter().map(|c| c.code()).collect::<Vec<_>>());
    }

    #[test]
    fn debug_shows_no_fact() {
        let facts = facts(&json!({"parent_request": "10月1日", "child_offence": true}));
        assert_eq!(format!("{facts:?}"), "Facts(2)");
    }
}
