//! A refused disclosure as an answer: its law, what to do, and a signature, so that it can be shown like a receipt.

use jiff::Timestamp;

use super::Context;
use crate::domain::{
    ids::AgencyId,
    problem::{Problem, ProblemKind},
    receipt,
    refusal::Refusal,
};

/// The problem an agency is answered with when a decision refused it at this moment.
pub(super) fn refused(
    context: &Context,
    kind: ProblemKind,
    agency: AgencyId,
    refusal: &Refusal,
    at: Timestamp,
) -> Problem {
    let law = (!refusal.law.is_empty()).then_some(refusal.law);
    let signed = context.vault.sign_refusal(&receipt::Refusal {
        agency,
        at,
        code: refusal.code.code().into(),
        law: law.map(Into::into),
        rule_version: refusal.rule_version.map(|day| day.to_string()),
    });
    let problem = Problem::new(kind)
        .detail(refusal.detail)
        .mend(refusal.mend)
        .code(refusal.code.code())
        .signed(signed.into());
    match law {
        Some(law) => problem.law(law),
        None => problem,
    }
}
