//! SOCHI_25_7: a municipality, or a prefectural welfare office, transfers a child to the child guidance centre or
//! notifies the governor (児童福祉法 第25条の7・第25条の8), with the papers the prefecture demands.

use super::{
    Basis, Grant,
    fact::{PAPERS, PAPERS_DEMANDED},
};
use crate::domain::{
    agency::{AgencyKind, RecipientClass},
    disclosure::Question,
    fault::Phrase,
    refusal::{Refusal, RefusalCode},
};

pub fn decide(row: &Basis, q: &Question<'_>) -> Result<Grant, Refusal> {
    // A contractor transfers nobody: the measure is the authority's own.
    if !q.sender.kind.is_municipal_office() && q.sender.kind != AgencyKind::PrefecturalWelfare {
        return Err(row.refuse(RefusalCode::BasisSender).advising(NOTICE_STAYS_OPEN));
    }
    let class = match q.recipient.kind {
        AgencyKind::ChildGuidance => RecipientClass::ChildGuidance,
        AgencyKind::PrefecturalDivision => RecipientClass::MunicipalCentre,
        _ => return Err(row.refuse(RefusalCode::BasisRecipient)),
    };
    row.check_records(q)?;
    let papers = q.facts.texts(PAPERS.name);
    if !q.facts.texts(PAPERS_DEMANDED.name).iter().all(|paper| papers.contains(paper)) {
        return Err(row.refuse(RefusalCode::BasisRecord).advising(PAPERS_MISSING));
    }
    // The notice that is transferred keeps its notifier: the desk of the transfer is a reception desk too.
    Ok(Grant { notifier_goes_along: true, ..row.grant_to(q, class) })
}

const NOTICE_STAYS_OPEN: Phrase = Phrase {
    ja: "送致ができるのは市町村と都道府県の福祉事務所です。通告（TSUKOKU_GY6、TSUKOKU_25）は誰でもできます。",
    en: "Municipalities and prefectural welfare offices transfer; anybody may give notice (TSUKOKU_GY6, TSUKOKU_25).",
};

const PAPERS_MISSING: Phrase = Phrase {
    ja: "都道府県が求める添付書類がそろっていません。足りない書類を添えて papers に書いてください。",
    en: "Not all attachments the prefecture demands are there; add them and name them in papers.",
};
