//! The life of what a disclosure rests on: a consent, or a basis in law.
//!
//! A withdrawal is not done when it is said: it spreads to everybody who holds a copy, and is settled when
//! each has answered. A basis in law is in force at once; only an exceptional one waits for an approver.

use crate::code_list;
use crate::domain::leg::Actor;
use crate::domain::machine::{self, Machine, Transition, machine_codes, row};

code_list! {
    /// Where a consent stands.
    ConsentState, "consent state" {
        Proposed = "proposed", "確認中", "proposed";
        Active = "active", "有効", "in force";
        Expired = "expired", "期限切れ", "expired";
        /// A later version took its place.
        Superseded = "superseded", "新しい同意に置換", "superseded";
        Withdrawn = "withdrawn", "撤回", "withdrawn";
        Refused = "refused", "不同意", "refused";
        Propagating = "propagating", "撤回を通知中", "withdrawal being passed on";
        Settled = "settled", "撤回完了", "every holder has answered";
        SettledWithGaps = "settled_with_gaps", "撤回完了（未回答あり）", "deadline passed, some holders silent";
    }
}

impl ConsentState {
    /// Whether something may be sent or opened on it. Everything but an active consent says no.
    pub const fn in_force(self) -> bool {
        matches!(self, Self::Active)
    }

    pub const fn terminal(self) -> bool {
        matches!(self, Self::Expired | Self::Superseded | Self::Refused | Self::Settled)
    }
}

code_list! {
    /// What can be done to a consent.
    ConsentAction, "consent action" {
        Propose = "propose", "同意の確認を始める", "propose";
        Give = "give", "同意する", "give";
        Refuse = "refuse", "同意しない", "refuse";
        Expire = "expire", "期限切れにする", "let expire";
        Supersede = "supersede", "新しい同意に置き換える", "supersede";
        Withdraw = "withdraw", "撤回する", "withdraw";
        Propagate = "propagate", "撤回を知らせる", "tell the holders";
        Settle = "settle", "撤回の完了を記録する", "settle";
        CloseGaps = "close_gaps", "未回答の対応を終える", "close the gaps";
    }
}

code_list! {
    /// Conditions on a consent's transition.
    ConsentGuard, "consent guard" {
        LastDayOver = "last_day_over", "有効期間の最終日を過ぎたこと", "its last day is over (24:00 JST)";
        AllAnswered = "all_answered", "すべての保有機関が回答したこと", "every holder has answered";
        DeadlineOver = "deadline_over", "回答期限を過ぎたこと", "the deadline for answers is over";
        NotAllAnswered = "not_all_answered", "未回答の保有機関があること", "some holder has not answered";
    }
}

code_list! {
    /// What the body of an act on a consent must carry.
    ConsentField, "consent field" {
        Method = "method", "確認の方法", "how it was asked";
        Giver = "giver", "同意した人", "who gave it";
        Version = "version", "新しい版", "the later version";
        Measures = "measures", "未回答機関への対応", "what was done about the silent holders";
    }
}

/// Whether a consent's last day is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    Within,
    Over,
}

/// Whether everybody who holds a copy has answered a withdrawal. With no holder, all have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holders {
    SomeSilent,
    AllAnswered,
}

/// Whether the deadline for the holders' answers is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerDeadline {
    Running,
    Over,
}

/// What the guards of a consent need to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsentFacts {
    pub validity: Validity,
    pub holders: Holders,
    pub deadline: AnswerDeadline,
}

/// The machine of a consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consent;

impl Machine for Consent {
    type State = ConsentState;
    type Action = ConsentAction;
    type Actor = Actor;
    type Guard = ConsentGuard;
    type Field = ConsentField;
    type Facts = ConsentFacts;

    const TABLE: &'static [Transition<Self>] = {
        use Actor::{Guardian as G, Hub as H, PrivacyOfficer as P, SenderStaff as S};
        use ConsentAction::{
            CloseGaps, Expire, Give, Propagate, Propose, Refuse, Settle, Supersede, Withdraw,
        };
        use ConsentState::{
            Active, Expired, Propagating, Proposed, Refused, Settled, SettledWithGaps, Superseded, Withdrawn,
        };
        &[
            row(1, &[], Propose, Proposed, &[S]),
            row(2, &[Proposed], Give, Active, &[G]).with(&[ConsentField::Giver, ConsentField::Method]),
            row(3, &[Proposed], Refuse, Refused, &[G]).with(&[ConsentField::Method]),
            row(4, &[Active], Expire, Expired, &[H]).when(&[ConsentGuard::LastDayOver]),
            row(5, &[Active], Supersede, Superseded, &[S]).with(&[ConsentField::Version]),
            // Nothing may stand in the way of a withdrawal: no reason, no form, no approver.
            row(6, &[Active], Withdraw, Withdrawn, &[G]),
            row(7, &[Withdrawn], Propagate, Propagating, &[H]),
            // A late answer closes the last gap by itself.
            row(8, &[Propagating, SettledWithGaps], Settle, Settled, &[H]).when(&[ConsentGuard::AllAnswered]),
            row(9, &[Propagating], Settle, SettledWithGaps, &[H])
                .when(&[ConsentGuard::NotAllAnswered, ConsentGuard::DeadlineOver]),
            row(10, &[SettledWithGaps], CloseGaps, Settled, &[P]).with(&[ConsentField::Measures]),
        ]
    };

    fn terminal(state: ConsentState) -> bool {
        state.terminal()
    }

    fn holds(guard: ConsentGuard, facts: &ConsentFacts) -> bool {
        match guard {
            ConsentGuard::LastDayOver => facts.validity == Validity::Over,
            ConsentGuard::AllAnswered => facts.holders == Holders::AllAnswered,
            ConsentGuard::NotAllAnswered => facts.holders == Holders::SomeSilent,
            ConsentGuard::DeadlineOver => facts.deadline == AnswerDeadline::Over,
        }
    }
}

/// Finds the one row that allows this act on a consent; `None` as state: there is none yet.
///
/// # Errors
/// [`machine::Illegal`] with the present state, what this actor can do instead, and why not this.
pub fn consent_step(
    state: Option<ConsentState>,
    action: ConsentAction,
    actor: Actor,
    facts: &ConsentFacts,
) -> Result<&'static Transition<Consent>, machine::Illegal<Consent>> {
    machine::step(state, action, actor, facts)
}

code_list! {
    /// Where a basis in law stands.
    BasisState, "basis state" {
        /// In force at once, on the word of the one who asserts it.
        Asserted = "asserted", "適用中", "asserted, in force";
        Proposed = "proposed", "承認待ち", "proposed, waiting for approval";
        Approved = "approved", "承認済み", "approved, in force";
        Refused = "refused", "不承認", "refused";
    }
}

impl BasisState {
    /// Whether something may be sent or opened on it.
    pub const fn in_force(self) -> bool {
        matches!(self, Self::Asserted | Self::Approved)
    }

    /// A basis that is in force stays what it is: it speaks of one disclosure, and that was made.
    pub const fn terminal(self) -> bool {
        !matches!(self, Self::Proposed)
    }
}

code_list! {
    /// What can be done to a basis in law.
    BasisAction, "basis action" {
        Assert = "assert", "根拠を示す", "assert";
        Propose = "propose", "承認を求める", "propose";
        Approve = "approve", "承認する", "approve";
        Refuse = "refuse", "承認しない", "refuse";
    }
}

code_list! {
    /// Conditions on the transition of a basis in law.
    BasisGuard, "basis guard" {
        Exceptional = "exceptional", "承認を要する例外的な根拠であること", "the basis is exceptional and needs an approver";
        NotExceptional = "not_exceptional", "承認を要しない根拠であること", "the basis needs no approver";
        AnotherPerson = "another_person", "提案者とは別の人であること", "not the person who proposed it";
    }
}

code_list! {
    /// What the body of an act on a basis in law must carry.
    BasisField, "basis field" {
        Reason = "reason", "理由", "reason";
    }
}

/// Whether a basis needs an approver before it is used (個人情報の保護に関する法律 第69条第2項第4号). A notice never does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BasisKind {
    Ordinary,
    Exceptional,
}

/// Who decides, compared with who proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decider {
    SamePerson,
    AnotherPerson,
}

/// What the guards of a basis in law need to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasisFacts {
    pub kind: BasisKind,
    pub decider: Decider,
}

machine_codes!(ConsentState, ConsentAction, ConsentGuard, ConsentField);
machine_codes!(BasisState, BasisAction, BasisGuard, BasisField);

/// The machine of a basis in law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Basis;

impl Machine for Basis {
    type State = BasisState;
    type Action = BasisAction;
    type Actor = Actor;
    type Guard = BasisGuard;
    type Field = BasisField;
    type Facts = BasisFacts;

    const TABLE: &'static [Transition<Self>] = {
        use Actor::{SenderStaff as S, SenderSupervisor as SS};
        use BasisState::{Approved, Asserted, Proposed, Refused};
        &[
            row(1, &[], BasisAction::Assert, Asserted, &[S]).when(&[BasisGuard::NotExceptional]),
            row(2, &[], BasisAction::Propose, Proposed, &[S])
                .when(&[BasisGuard::Exceptional])
                .with(&[BasisField::Reason]),
            row(3, &[Proposed], BasisAction::Approve, Approved, &[SS]).when(&[BasisGuard::AnotherPerson]),
            row(4, &[Proposed], BasisAction::Refuse, Refused, &[SS])
                .when(&[BasisGuard::AnotherPerson])
                .with(&[BasisField::Reason]),
        ]
    };

    fn terminal(state: BasisState) -> bool {
        state.terminal()
    }

    fn holds(guard: BasisGuard, facts: &BasisFacts) -> bool {
        match guard {
            BasisGuard::Exceptional => facts.kind == BasisKind::Exceptional,
            BasisGuard::NotExceptional => facts.kind == BasisKind::Ordinary,
            BasisGuard::AnotherPerson => facts.decider == Decider::AnotherPerson,
        }
    }
}

/// Finds the one row that allows this act on a basis in law; `None` as state: there is none yet.
///
/// # Errors
/// [`machine::Illegal`] with the present state, what this actor can do instead, and why not this.
pub fn basis_step(
    state: Option<BasisState>,
    action: BasisAction,
    actor: Actor,
    facts: &BasisFacts,
) -> Result<&'static Transition<Basis>, machine::Illegal<Basis>> {
    machine::step(state, action, actor, facts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::machine::Why;

    const FACTS: ConsentFacts = ConsentFacts {
        validity: Validity::Within,
        holders: Holders::SomeSilent,
        deadline: AnswerDeadline::Running,
    };

    #[test]
    fn a_consent_is_given_by_the_family_and_withdrawn_without_a_reason() {
        use ConsentAction::{Give, Withdraw};
        let give = |actor| consent_step(Some(ConsentState::Proposed), Give, actor, &FACTS);
        assert_eq!(give(Actor::Guardian).unwrap().to, Some(ConsentState::Active));
        assert_eq!(give(Actor::SenderStaff).unwrap_err().why, Why::NotByThisActor);
        let row = consent_step(Some(ConsentState::Active), Withdraw, Actor::Guardian, &FACTS).unwrap();
        assert_eq!((row.to, row.requires, row.guards), (Some(ConsentState::Withdrawn), &[][..], &[][..]));
        assert!(!ConsentState::Withdrawn.in_force());
    }

    #[test]
    fn a_withdrawal_is_settled_by_answers_or_by_the_deadline() {
        let settle = |holders, deadline| {
            let facts = ConsentFacts { holders, deadline, ..FACTS };
            consent_step(Some(ConsentState::Propagating), ConsentAction::Settle, Actor::Hub, &facts)
        };
        for deadline in [AnswerDeadline::Running, AnswerDeadline::Over] {
            assert_eq!(settle(Holders::AllAnswered, deadline).unwrap().to, Some(ConsentState::Settled));
        }
        let gaps = settle(Holders::SomeSilent, AnswerDeadline::Over).unwrap();
        assert_eq!(gaps.to, Some(ConsentState::SettledWithGaps));
        let early = settle(Holders::SomeSilent, AnswerDeadline::Running).unwrap_err();
        assert_eq!(early.why, Why::Guard(ConsentGuard::DeadlineOver));
    }

    #[test]
    fn an_exceptional_basis_needs_another_person_and_an_ordinary_one_nobody() {
        let begin = |action, kind| {
            basis_step(None, action, Actor::SenderStaff, &BasisFacts { kind, decider: Decider::SamePerson })
        };
        assert!(begin(BasisAction::Assert, BasisKind::Ordinary).unwrap().to.unwrap().in_force());
        assert!(begin(BasisAction::Assert, BasisKind::Exceptional).is_err());
        assert!(!begin(BasisAction::Propose, BasisKind::Exceptional).unwrap().to.unwrap().in_force());
        let approve = |decider| {
            let facts = BasisFacts { kind: BasisKind::Exceptional, decider };
            basis_step(Some(BasisState::Proposed), BasisAction::Approve, Actor::SenderSupervisor, &facts)
        };
        assert_eq!(approve(Decider::AnotherPerson).unwrap().to, Some(BasisState::Approved));
        assert_eq!(approve(Decider::SamePerson).unwrap_err().why, Why::Guard(BasisGuard::AnotherPerson));
    }
}
