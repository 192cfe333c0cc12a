//! All bases, a row each (domain.md 2.1 and 7.4).

use jiff::civil::{Date, date};

use super::{
    Basis, BasisCode, Items, Lane, Parties, arranged, check_ups, consent, council,
    fact::{
        ARTICLE, CASE_CLASS, CHILDS_OFFENCE, CONDITIONS, CONSENT_DIFFICULT, CONSENT_HINDERS, CONSENT_SOUGHT,
        CONSENT_SOUGHT_REASON, FACILITY, GROUNDS, NECESSITY, PAPERS, PAPERS_DEMANDED, PARENTS_REQUEST,
        PRESENT_MUNICIPALITY, PUBLIC_TASK, REASON, REQUESTED_BY, REQUESTED_FOR, REQUESTED_ITEMS,
        REQUESTED_ON, REQUESTED_SECTIONS, RIGHTS_HARMED, STATED_PURPOSE, TRANSFER_LETTER,
    },
    material, notice, placement, private, public, support, transfer,
};
use crate::domain::fault::Phrase;

/// The day from which the law is read as it stands here.
const VERSION: Date = date(2026, 4, 1);

const fn parties(from: (&'static str, &'static str), to: (&'static str, &'static str)) -> Parties {
    Parties { from: Phrase { ja: from.0, en: from.1 }, to: Phrase { ja: to.0, en: to.1 } }
}

#[rustfmt::skip]
pub static TABLE: &[Basis] = &[
    Basis {
        code: BasisCode::Consent, law: "個人情報の保護に関する法律 第27条1項・第69条2項1号", lane: Lane::Consent, rule_version: VERSION,
        facts: &[], items: Items::Consented,
        parties: parties(("同意に名前のある機関", "an agency the consent names"), ("同意に名前のある機関", "an agency the consent names")),
        decide: consent::decide,
    },
    Basis {
        code: BasisCode::WithinPurpose, law: "個人情報の保護に関する法律 第61条・第69条1項", lane: Lane::Statute, rule_version: VERSION,
        facts: &[STATED_PURPOSE], items: Items::Arranged,
        parties: parties(("利用目的を定めた公的機関・その受託者", "a public body or its contractor, inside the stated purpose"), ("利用目的に挙げた相手", "a partner inside the stated purpose")),
        decide: arranged::within_purpose,
    },
    Basis {
        code: BasisCode::Notice25, law: "児童福祉法 第25条", lane: Lane::Notice, rule_version: VERSION,
        facts: &[CHILDS_OFFENCE], items: Items::Everything,
        parties: parties(("誰でも", "anybody"), ("市町村・都道府県の福祉事務所・児童相談所（児童委員を介してもよい）。罪を犯した満14歳以上の児童は家庭裁判所だけ", "a municipality, a prefectural welfare office or a child guidance centre, also through a child commissioner; the family court alone for an offender of 14 or over")),
        decide: notice::decide,
    },
    Basis {
        code: BasisCode::NoticeAbuse, law: "児童虐待の防止等に関する法律 第6条", lane: Lane::Notice, rule_version: VERSION,
        facts: &[], items: Items::Everything,
        parties: parties(("誰でも", "anybody"), ("市町村・都道府県の福祉事務所・児童相談所（児童委員を介してもよい）", "a municipality, a prefectural welfare office or a child guidance centre, also through a child commissioner")),
        decide: notice::decide,
    },
    Basis {
        code: BasisCode::NoticeFacility, law: "児童福祉法 第33条の12", lane: Lane::Notice, rule_version: VERSION,
        facts: &[FACILITY], items: Items::Everything,
        parties: parties(("誰でも（その施設の職員も）", "anybody, staff of the facility included"), ("都道府県・市町村の所管課。その施設には送らない", "the division in charge of the prefecture or municipality, never the facility")),
        decide: notice::about_a_facility,
    },
    Basis {
        code: BasisCode::NeedOfSupport, law: "児童福祉法 第21条の10の5", lane: Lane::Statute, rule_version: VERSION,
        facts: &[CASE_CLASS, GROUNDS, PRESENT_MUNICIPALITY, CONSENT_SOUGHT, CONSENT_SOUGHT_REASON], items: Items::Everything,
        parties: parties(("児童・妊産婦の医療・福祉・教育の機関", "an institution of medicine, welfare or education for children or expectant mothers"), ("家族の現在地の市町村（受託者は不可）", "the municipality where the family is now, no contractor")),
        decide: support::decide,
    },
    Basis {
        code: BasisCode::MaterialOnRequest, law: "児童虐待の防止等に関する法律 第13条の4", lane: Lane::Statute, rule_version: VERSION,
        facts: &[REQUESTED_ON, REQUESTED_BY, REQUESTED_FOR, REQUESTED_SECTIONS, NECESSITY, RIGHTS_HARMED], items: Items::Requested,
        parties: parties(("地方公共団体の機関、児童の医療・福祉・教育の機関", "an organ of local government, an institution of medicine, welfare or education"), ("求めた市町村長・福祉事務所長・児童相談所長", "the municipality, welfare office or child guidance centre that asked")),
        decide: material::decide,
    },
    Basis {
        code: BasisCode::Council, law: "児童福祉法 第25条の2・第25条の3", lane: Lane::Statute, rule_version: VERSION,
        facts: &[], items: Items::Needed,
        parties: parties(("その日に要対協の構成員である機関", "a member of the council on the day"), ("同じ要対協の構成員である機関", "a member of the same council on the day")),
        decide: council::decide,
    },
    Basis {
        code: BasisCode::Transfer, law: "児童福祉法 第25条の7・第25条の8", lane: Lane::Statute, rule_version: VERSION,
        facts: &[TRANSFER_LETTER, PAPERS_DEMANDED, PAPERS], items: Items::Everything,
        parties: parties(("市町村、都道府県の福祉事務所", "a municipality or a prefectural welfare office"), ("児童相談所（送致）、都道府県（通知）", "a child guidance centre (transfer) or the prefecture (notification)")),
        decide: transfer::decide,
    },
    Basis {
        code: BasisCode::HealthRecords, law: "母子保健法 第19条の2", lane: Lane::Statute, rule_version: VERSION,
        facts: &[REQUESTED_FOR, REQUESTED_ITEMS], items: Items::CheckUps,
        parties: parties(("市町村", "a municipality"), ("求めた（求められた）別の市町村", "another municipality, the one that asked or is asked")),
        decide: check_ups::decide,
    },
    Basis {
        code: BasisCode::Placement, law: "児童福祉法 第21条の11、個人情報の保護に関する法律 第27条1項・第69条2項1号", lane: Lane::Consent, rule_version: VERSION,
        facts: &[PARENTS_REQUEST], items: Items::Consented,
        parties: parties(("市町村・その受託者", "a municipality or its contractor"), ("子育て支援事業者（同意にも名前が要る）", "a childcare-support business, which the consent names too")),
        decide: placement::decide,
    },
    Basis {
        code: BasisCode::LifeAndBody, law: "個人情報の保護に関する法律 第27条1項2号", lane: Lane::Statute, rule_version: VERSION,
        facts: &[CONSENT_SOUGHT, CONSENT_DIFFICULT], items: Items::Needed,
        parties: parties(("民間の機関（市町村の受託者を除く）", "a private body that is no contractor of a municipality"), ("どの機関でも", "any agency")),
        decide: private::consent_is_difficult,
    },
    Basis {
        code: BasisCode::HealthyGrowth, law: "個人情報の保護に関する法律 第27条1項3号", lane: Lane::Statute, rule_version: VERSION,
        facts: &[CONSENT_SOUGHT, CONSENT_DIFFICULT], items: Items::Needed,
        parties: parties(("民間の機関（市町村の受託者を除く）", "a private body that is no contractor of a municipality"), ("どの機関でも", "any agency")),
        decide: private::consent_is_difficult,
    },
    Basis {
        code: BasisCode::Cooperation, law: "個人情報の保護に関する法律 第27条1項4号", lane: Lane::Statute, rule_version: VERSION,
        facts: &[PUBLIC_TASK, CONSENT_HINDERS], items: Items::Needed,
        parties: parties(("民間の機関（市町村の受託者を除く）", "a private body that is no contractor of a municipality"), ("公的機関・その受託者", "a public body or its contractor")),
        decide: private::cooperation,
    },
    Basis {
        code: BasisCode::LawPrivate, law: "個人情報の保護に関する法律 第27条1項1号", lane: Lane::Statute, rule_version: VERSION,
        facts: &[ARTICLE], items: Items::Needed,
        parties: parties(("民間の機関（市町村の受託者を除く）", "a private body that is no contractor of a municipality"), ("条文に定められた相手", "whom the article names")),
        decide: private::by_law,
    },
    Basis {
        code: BasisCode::LawPublic, law: "個人情報の保護に関する法律 第69条1項", lane: Lane::Statute, rule_version: VERSION,
        facts: &[ARTICLE], items: Items::Needed,
        parties: parties(("公的機関", "a public body"), ("条文に定められた相手", "whom the article names")),
        decide: public::by_law,
    },
    Basis {
        code: BasisCode::PublicBodies, law: "個人情報の保護に関する法律 第69条2項3号・第70条", lane: Lane::Statute, rule_version: VERSION,
        facts: &[REASON, CONDITIONS, RIGHTS_HARMED], items: Items::Needed,
        parties: parties(("公的機関", "a public body"), ("別の公的機関", "another public body")),
        decide: public::between_bodies,
    },
    Basis {
        code: BasisCode::ClearBenefit, law: "個人情報の保護に関する法律 第69条2項4号", lane: Lane::Statute, rule_version: VERSION,
        facts: &[REASON, RIGHTS_HARMED], items: Items::Needed,
        parties: parties(("公的機関（作成者とは別の職員の承認が要る）", "a public body, with the approval of somebody other than the writer"), ("どの機関でも", "any agency")),
        decide: public::clear_benefit,
    },
    Basis {
        code: BasisCode::JointUse, law: "個人情報の保護に関する法律 第27条5項3号", lane: Lane::Statute, rule_version: VERSION,
        facts: &[], items: Items::Arranged,
        parties: parties(("公表した共同利用の範囲にある民間の機関（市町村の受託者を除く）", "a private member of the published group that is no contractor of a municipality"), ("同じ範囲にある機関", "a member of the same group")),
        decide: arranged::joint_use,
    },
    Basis {
        code: BasisCode::Entrustment, law: "個人情報の保護に関する法律 第27条5項1号・第66条2項", lane: Lane::Statute, rule_version: VERSION,
        facts: &[], items: Items::Arranged,
        parties: parties(("委託者または受託者", "the principal or the contractor"), ("契約の相手方", "the other party of the contract")),
        decide: arranged::entrustment,
    },
];
