//! The bases (根拠): what makes a disclosure lawful. A basis is one row of data and one pure function;
//! adding one touches its code, its row and its function, and nothing else.

mod arranged;
mod check_ups;
mod consent;
mod council;
pub mod docs;
mod fact;
mod grant;
mod material;
mod notice;
mod placement;
mod private;
mod public;
mod support;
mod table;
mod transfer;

use std::collections::BTreeSet;

use jiff::civil::Date;

pub use fact::{CHANGE_REASON, CaseClass, ConsentSought, FACILITY, Fact, FactKind, Facts, INSTEAD_OF};
pub use notice::to_the_facility;
pub use table::TABLE;

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

code_list! {
    /// Which sections a basis covers.
    Items, "items of a basis" {
        Consented = "consented", "同意の区分", "the sections consented to";
        Everything = "everything", "伝える区分（経済状況を除く）", "the sections asked, but for money matters";
        Needed = "needed", "相手の事務に必要と記録した区分（経済状況を除く）", "the sections recorded as needed, but for money matters";
        Arranged = "arranged", "取決めの項目", "the items of the arrangement";
        Requested = "requested", "求められた区分", "the sections that were requested";
        CheckUps = "check_ups", "氏名・生年月日等と健康（健康診査等）。照会では氏名・生年月日等だけ", "identity and health (check-ups); an inquiry: identity alone";
    }
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
    pub items: Items,
    /// From whom to whom it leads, in words; `decide` says it exactly.
    pub parties: Parties,
    /// Steps 4 and 6 to 10 of domain.md 7.5 for this basis.
    pub decide: fn(&Basis, &Question<'_>) -> Result<Grant, Refusal>,
}

/// Who may send to whom under a basis, for people.
pub struct Parties {
    pub from: Phrase,
    pub to: Phrase,
}

impl Basis {
    /// The row of a code.
    pub fn of(code: BasisCode) -> &'static Self {
        TABLE.iter().find(|row| row.code == code).expect("invariant: every code has a row, see the tests")
    }

    /// A refusal under this basis.
    pub fn refuse(&self, code: RefusalCode) -> Refusal {
        Refusal { rule_version: Some(self.rule_version), ..Refusal::new(code, self.law) }
    }

    /// Step 9: every required fact is there and says something.
    fn check_records(&self, q: &Question<'_>) -> Result<(), Refusal> {
        let complete = self.facts.iter().all(|fact| !fact.required || fact.is_recorded(q.facts));
        // Nothing falls back to another basis by itself: a person decides, and says why.
        let changed = q.facts.text(INSTEAD_OF.name).is_some_and(|former| former != self.code.code());
        let decided = !changed || CHANGE_REASON.is_recorded(q.facts);
        if complete && decided { Ok(()) } else { Err(self.refuse(RefusalCode::BasisRecord)) }
    }

    /// Step 9 for the bases that pass what is needed: somebody has recorded what that is.
    fn check_needed(&self, q: &Question<'_>) -> Result<(), Refusal> {
        if q.needed.is_empty() { Err(self.refuse(RefusalCode::BasisRecord)) } else { Ok(()) }
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
}
