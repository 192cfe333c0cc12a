//! YOSHIEN_21_10_5: whoever comes upon a family in need of support through medicine, welfare or education tells the
//! municipality where the family is now (児童福祉法 第21条の10の5). Secrecy does not stand in the way.

use super::{
    Basis, CaseClass, ConsentSought, Grant,
    fact::{CASE_CLASS, CONSENT_SOUGHT, CONSENT_SOUGHT_REASON, PRESENT_MUNICIPALITY},
};
use crate::domain::{
    disclosure::Question,
    fault::Phrase,
    municipality::is_one_municipality,
    refusal::{Refusal, RefusalCode},
};

pub fn decide(row: &Basis, q: &Question<'_>) -> Result<Grant, Refusal> {
    if !q.sender.kind.cares_for_children() {
        return Err(row.refuse(RefusalCode::BasisSender).advising(NOTICE_STAYS_OPEN));
    }
    // A contractor is not the municipality, and the place of the family counts, not its register.
    let elsewhere = q.facts.municipality(PRESENT_MUNICIPALITY.name);
    let elsewhere =
        elsewhere.is_some_and(|present| !is_one_municipality(present.as_str(), q.recipient.municipality));
    if !q.recipient.kind.is_municipal_office() || elsewhere {
        return Err(row.refuse(RefusalCode::BasisRecipient).advising(WHERE_THE_FAMILY_IS));
    }
    match q.facts.code(CASE_CLASS.name) {
        Some(CaseClass::Ordinary) => return Err(row.refuse(RefusalCode::BasisSubject)),
        Some(CaseClass::Protection) => {
            return Err(row.refuse(RefusalCode::BasisSubject).advising(GIVE_NOTICE));
        }
        Some(CaseClass::Support | CaseClass::SpecifiedPregnancy) | None => {}
    }
    row.check_records(q)?;
    let given = q.facts.code(CONSENT_SOUGHT.name) == Some(ConsentSought::Yes);
    if !given && !CONSENT_SOUGHT_REASON.is_recorded(q.facts) {
        return Err(row.refuse(RefusalCode::BasisRecord));
    }
    Ok(row.grant(q))
}

const NOTICE_STAYS_OPEN: Phrase = Phrase {
    ja: "虐待が疑われるときは、誰でも通告（TSUKOKU_GY6）ができます。ほかは同意を得てください。",
    en: "Where abuse is suspected anybody may give notice (TSUKOKU_GY6); otherwise obtain a consent.",
};

const WHERE_THE_FAMILY_IS: Phrase = Phrase {
    ja: "家族がいまいる市区町村の窓口を宛先にしてください（住民票の市区町村や受託者ではありません）。",
    en: "Address an office of the municipality where the family is now, not where it is registered, and no contractor.",
};

const GIVE_NOTICE: Phrase = Phrase {
    ja: "要保護児童は通告してください（TSUKOKU_25、TSUKOKU_GY6）。",
    en: "Give notice of a child in need of protection: TSUKOKU_25 or TSUKOKU_GY6.",
};
