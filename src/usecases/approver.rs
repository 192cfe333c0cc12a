//! Whose approval counts for which leg of a submission.

use super::{Caller, Context};
use crate::domain::{
    basis::BasisCode,
    fault::Phrase,
    ids::StaffId,
    problem::Problem,
    refusal::{Refusal, RefusalCode},
    staff::StaffRole,
    submission::{AskedLeg, Submission},
};

/// Who approved, and for what that is enough. A leg whose approver does not count has none.
pub(super) struct Approvals {
    named: Option<StaffId>,
    /// The approver is a superior who did not write it.
    superior: bool,
}

impl Approvals {
    /// The approver that a decision about this leg may count.
    pub fn of(&self, asked: &AskedLeg) -> Option<StaffId> {
        self.named.filter(|_| self.superior || !is_exceptional(asked))
    }
}

/// Looks at who is named as approver. The exceptional basis of 個人情報の保護に関する法律 第69条2項4号 wants a superior
/// (domain.md 2.1); the second look at health and development is a colleague's.
pub(super) async fn approvals(
    context: &Context,
    caller: &Caller,
    submission: &Submission,
) -> Result<Approvals, Problem> {
    let named = submission.approved_by;
    let superior = match named.filter(|_| submission.legs.iter().any(is_exceptional)) {
        Some(id) => {
            let row = context.ledger.staff(caller.scope(), id).await?;
            id != submission.written_by && row.is_some_and(|row| row.role == StaffRole::Supervisor)
        }
        None => false,
    };
    Ok(Approvals { named, superior })
}

/// The refusal of a leg that lacks its approver, saying which one it wants.
pub(super) fn explained(asked: &AskedLeg, refusal: Refusal) -> Refusal {
    if refusal.code != RefusalCode::ApproverRequired || !is_exceptional(asked) {
        return refusal;
    }
    Refusal {
        detail: Phrase {
            ja: "この根拠による提供には、作成者とは別の管理職の承認が必要です。",
            en: "This basis needs the approval of a supervisor other than the writer.",
        },
        ..refusal.advising(Phrase {
            ja: "管理職（supervisor）が宛先と内容を確かめ、その職員を approved_by に書いてください。",
            en: "Let a supervisor check recipient and content and be named in approved_by.",
        })
    }
}

/// Whether a leg rests on the basis that law gives for exceptions alone.
fn is_exceptional(asked: &AskedLeg) -> bool {
    asked.basis.as_deref() == Some(BasisCode::ClearBenefit.code())
}
