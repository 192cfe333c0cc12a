//! The bases (根拠): what makes a disclosure lawful. A basis is one row of data and one pure function;
//! adding one touches its code, its row and its function, and nothing else.

mod consent;
mod notice;
mod placement;

use std::{collections::BTreeSet, fmt};

use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    agency::RecipientClass,
    disclosure::Question,
    fault::Phrase,
    mask::Why,
    refusal::{Refusal, RefusalCode},
    section::Sections,
    subject::SubjectRef,
};
use crate::code_list;

code_list! {
    /// Every basis of domain.md 2.1. One leg has one.
    BasisCode, "basis" {
        Consent = "CONSENT", "本人等の同意", "consent";
        WithinPurpose = "WITHIN_PURPOSE", "利用目的の範囲内", "within the stated purpose";
        Notice25 = "TSUKOKU_25", "要保護児童の通告", "notice of a child in need of protection";
        NoticeAbuse = "TSUKOKU_GY6", "児童虐待の通告", "notice of suspected abuse";
        NoticeFacility = "TSUKOKU_33_12", "施設職員等による虐待の通告", "notice of abuse by a facility's staff";
        NeedOfSupport = "YOSHIEN_21_10_5", "要支援児童等の情報提供", "provision about a family in need of support";
        MaterialOnRequest = "SHIRYO_13_4", "求めに応じた資料・情報の提供", "material given on request";
        Council = "YOTAIKYO", "要対協構成員間の情報共有", "sharing within the protection council";
        Transfer = "SOCHI_25_7", "送致・通知", "transfer to a child guidance centre";
        HealthRecords = "MCH_19_2", "健康診査等の情報の提供", "maternal and child health records";
        Placement = "ASSEN_21_11", "あっせん・調整・利用の要請", "placement at the parent's request";
        LifeAndBody = "LIFE_27_1_2", "生命・身体・財産の保護", "protection of life, body or property";
        HealthyGrowth = "CHILD_27_1_3", "児童の健全な育成", "healthy growth of a child";
        Cooperation = "COOP_27_1_4", "国・地方公共団体等への協力", "cooperation with a public body";
        LawPrivate = "LAW_27_1_1", "法令に基づく場合（民間）", "required by law, private sender";
        LawPublic = "LAW_69_1", "法令に基づく場合（公的機関）", "required by law, public sender";
        PublicBodies = "PUB_69_2_3", "公的機関の間の提供", "between public bodies";
        ClearBenefit = "BENEFIT_69_2_4", "明らかに本人の利益・特別の理由", "clear benefit of the person";
        JointUse = "JOINT_USE", "共同利用", "joint use";
        Entrustment = "ENTRUST", "委託", "entrustment";
    }
}

code_list! {
    /// What a basis asks of people before a leg may go: which steps a page shows.
    Lane, "lane" {
        Consent = "consent", "同意による", "by consent";
        /// No consent step, no approver, no delay, no required name.
        Notice = "notice", "通告", "notice";
        Statute = "statute", "法律の規定による", "by statute";
    }
}

/// A fact the sender records with a basis, for example the parent's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Member of the leg's `basis` object.
    pub name: &'static str,
    pub label: Phrase,
    /// Without it the basis is refused with `BASIS_RECORD`.
    pub required: bool,
}

/// One row of the table of bases.
pub struct Basis {
    pub code: BasisCode,
    /// The articles, in Japanese, as receipts and refusals name them.
    pub law: &'static str,
    pub lane: Lane,
    /// The day from which this reading of the law is applied; receipts carry it.
    pub rule_version: Date,
    /// What the sender records beside the code.
    pub facts: &'static [Fact],
    /// Where this hub does not decide the basis yet: what to do instead.
    pub instead: Option<Phrase>,
    /// Steps 4 and 6 to 10 of domain.md 7.5 for this basis.
    pub decide: fn(&Basis, &Question<'_>) -> Result<Grant, Refusal>,
}

impl Basis {
    /// The row of a code.
    pub fn of(code: BasisCode) -> &'static Self {
        TABLE.iter().find(|row| row.code == code).expect("invariant: every code has a row, see the tests")
    }

    /// A refusal under this basis.
    pub fn refuse(&self, code: RefusalCode) -> Refusal {
        Refusal::new(code, self.law)
    }

    /// Step 9: every required fact is there and says something.
    fn check_records(&self, q: &Question<'_>) -> Result<(), Refusal> {
        let complete = self.facts.iter().all(|fact| !fact.required || q.facts.text(fact.name).is_some());
        if complete { Ok(()) } else { Err(self.refuse(RefusalCode::BasisRecord)) }
    }
}

/// What a basis grants before it meets what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub persons: Persons,
    /// Which sections the basis covers, each limit with the reason that goes for the rest.
    pub limits: Vec<Limit>,
    pub class: RecipientClass,
    /// The recipient has the reception desk of this notice: the notifier's compartment goes along.
    pub notifier_goes_along: bool,
    /// What receipts cite, such as `consent:<id>@v1`.
    pub reference: Option<String>,
}

/// Whose data a basis covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Persons {
    Everyone,
    /// These, and with any of them the household as a whole.
    Only(BTreeSet<SubjectRef>),
}

impl Persons {
    pub fn cover(&self, subject: Option<&SubjectRef>) -> bool {
        match (self, subject) {
            (Self::Everyone, _) => true,
            (Self::Only(people), Some(subject)) => people.contains(subject),
            (Self::Only(people), None) => !people.is_empty(),
        }
    }
}

/// Sections a basis covers, and why all others are withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub sections: Sections,
    pub otherwise: Why,
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

    /// Whether a yes-or-no fact was recorded as true.
    pub fn holds(&self, name: &str) -> bool {
        self.0.get(name) == Some(&Value::Bool(true))
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Facts({})", self.0.len())
    }
}

const VERSION: Date = date(2026, 4, 1);

const PARENTS_REQUEST: Fact = Fact {
    name: "parent_request",
    label: Phrase { ja: "保護者の求め（日と内容）", en: "the parent's request: day and content" },
    required: true,
};

const CHILDS_OFFENCE: Fact = Fact {
    name: "child_offence",
    label: Phrase {
        ja: "罪を犯した満14歳以上の児童", en: "a child of 14 or over who committed an offence"
    },
    required: false,
};

/// All bases. Rows that say `undecided` refuse, and name another way.
pub static TABLE: &[Basis] = &[
    Basis {
        code: BasisCode::Consent,
        law: "個人情報の保護に関する法律 第27条1項・第69条2項1号",
        lane: Lane::Consent,
        rule_version: VERSION,
        facts: &[],
        instead: None,
        decide: consent::decide,
    },
    Basis {
        code: BasisCode::Notice25,
        law: "児童福祉法 第25条",
        lane: Lane::Notice,
        rule_version: VERSION,
        facts: &[CHILDS_OFFENCE],
        instead: None,
        decide: notice::decide,
    },
    Basis {
        code: BasisCode::NoticeAbuse,
        law: "児童虐待の防止等に関する法律 第6条",
        lane: Lane::Notice,
        rule_version: VERSION,
        facts: &[],
        instead: None,
        decide: notice::decide,
    },
    Basis {
        code: BasisCode::Placement,
        law: "児童福祉法 第21条の11、個人情報の保護に関する法律 第27条1項・第69条2項1号",
        lane: Lane::Consent,
        rule_version: VERSION,
        facts: &[PARENTS_REQUEST],
        instead: None,
        decide: placement::decide,
    },
    undecided(BasisCode::WithinPurpose, "個人情報の保護に関する法律 第61条・第69条1項", BY_CONSENT),
    Basis {
        lane: Lane::Notice,
        ..undecided(BasisCode::NoticeFacility, "児童福祉法 第33条の12", BY_TELEPHONE)
    },
    undecided(BasisCode::NeedOfSupport, "児童福祉法 第21条の10の5", BY_CONSENT_OR_NOTICE),
    undecided(BasisCode::MaterialOnRequest, "児童虐待の防止等に関する法律 第13条の4", BY_LETTER),
    undecided(BasisCode::Council, "児童福祉法 第25条の2・第25条の3", BY_LETTER),
    undecided(BasisCode::Transfer, "児童福祉法 第25条の7・第25条の8", BY_LETTER),
    undecided(BasisCode::HealthRecords, "母子保健法 第19条の2", BY_CONSENT),
    undecided(BasisCode::LifeAndBody, "個人情報の保護に関する法律 第27条1項2号", BY_TELEPHONE),
    undecided(BasisCode::HealthyGrowth, "個人情報の保護に関する法律 第27条1項3号", BY_CONSENT_OR_NOTICE),
    undecided(BasisCode::Cooperation, "個人情報の保護に関する法律 第27条1項4号", BY_CONSENT),
    undecided(BasisCode::LawPrivate, "個人情報の保護に関する法律 第27条1項1号", BY_LETTER),
    undecided(BasisCode::LawPublic, "個人情報の保護に関する法律 第69条1項", BY_LETTER),
    undecided(BasisCode::PublicBodies, "個人情報の保護に関する法律 第69条2項3号", BY_CONSENT),
    undecided(BasisCode::ClearBenefit, "個人情報の保護に関する法律 第69条2項4号", BY_CONSENT),
    undecided(BasisCode::JointUse, "個人情報の保護に関する法律 第27条5項3号", BY_CONSENT),
    undecided(BasisCode::Entrustment, "個人情報の保護に関する法律 第27条5項1号・第66条2項", BY_CONSENT),
];

const BY_CONSENT: Phrase = Phrase {
    ja: "このハブはこの根拠をまだ判定しません。宛先を名前で挙げた同意（CONSENT）を得てください。",
    en: "This hub does not yet decide this basis; use CONSENT with a consent that names the recipient.",
};
const BY_CONSENT_OR_NOTICE: Phrase = Phrase {
    ja: "このハブはこの根拠をまだ判定しません。同意（CONSENT）を使い、虐待が疑われるときは通告（TSUKOKU_GY6）してください。",
    en: "This hub does not yet decide this basis; use CONSENT, or TSUKOKU_GY6 where abuse is suspected.",
};
const BY_LETTER: Phrase = Phrase {
    ja: "このハブはこの根拠をまだ判定しません。従来の文書で送るか、同意（CONSENT）を使ってください。",
    en: "This hub does not yet decide this basis; send it on paper as before, or use CONSENT.",
};
const BY_TELEPHONE: Phrase = Phrase {
    ja: "このハブはこの根拠をまだ判定しません。待たずに電話で伝えてください（児童相談所は189、緊急時は110・119）。児童虐待の通告は TSUKOKU_GY6 で送れます。",
    en: "This hub does not yet decide this basis; telephone at once (189, in an emergency 110 or 119), or use TSUKOKU_GY6 for suspected abuse.",
};

/// A row that refuses and says what to use instead.
const fn undecided(code: BasisCode, law: &'static str, instead: Phrase) -> Basis {
    let decide = |row: &Basis, _: &Question<'_>| {
        let refusal = row.refuse(RefusalCode::BasisUndecided);
        Err(row.instead.map_or(refusal, |mend| refusal.advising(mend)))
    };
    Basis {
        code,
        law,
        lane: Lane::Statute,
        rule_version: VERSION,
        facts: &[],
        instead: Some(instead),
        decide,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_row() {
        for code in BasisCode::ALL {
            assert_eq!(TABLE.iter().filter(|row| row.code == *code).count(), 1, "{code}");
        }
        assert_eq!(TABLE.len(), BasisCode::ALL.len());
    }

    #[test]
    fn an_empty_fact_is_no_fact() {
        let Value::Object(members) = serde_json::json!({"parent_request": " 　", "child_offence": "true"})
        else {
            panic!("an object")
        };
        let facts = Facts::new(members);
        assert_eq!(facts.text("parent_request"), None);
        assert!(!facts.holds("child_offence"));
    }
}
