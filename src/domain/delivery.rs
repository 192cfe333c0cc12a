//! The delivery: the copy for one recipient, and the small line of its doorbell.
//!
//! A delivery says where the copy is; what the recipient decides is the leg's. A dead doorbell never kills
//! a delivery: the copy stays in the inbox.

use crate::code_list;
use crate::domain::leg_facts::{CopyPlace, Lane, Release};
use crate::domain::machine::{self, Machine, Transition, event, machine_codes, row};
use crate::domain::referral::Urgency;

code_list! {
    /// Where a copy is.
    DeliveryState, "delivery state" {
        /// Written, and not visible to anybody at the recipient yet: R0.
        Held = "held", "送信待ち", "held back";
        /// In the inbox: R0 and R1 are written.
        Waiting = "waiting", "未受領", "waiting in the inbox";
        /// R2: the recipient's system has it. Proves no reading and ends nothing.
        Taken = "taken", "システム受領済み", "taken by the recipient's system";
        /// R3: a named person has opened it.
        Opened = "opened", "開封済み", "opened by a named person";
        /// Nobody can open it any more; what was taken or opened before stays on record.
        Recalled = "recalled", "回収", "recalled";
        /// Ended while it was held back: nobody at the recipient ever saw that there was anything.
        Stopped = "stopped", "送信取りやめ", "stopped before it was visible";
        /// Nobody took it in time, and the sender has been told.
        Undeliverable = "undeliverable", "送達不能", "undeliverable";
    }
}

impl DeliveryState {
    pub const fn terminal(self) -> bool {
        matches!(self, Self::Recalled | Self::Stopped | Self::Undeliverable)
    }

    /// Whether the recipient can see that there is a copy. The statements of the ledger say the same.
    pub const fn visible(self) -> bool {
        !matches!(self, Self::Held | Self::Stopped)
    }

    /// Whether the copy is held back, as the guards of the leg ask it.
    pub const fn release(self) -> Release {
        if matches!(self, Self::Held) { Release::Held } else { Release::Done }
    }

    /// Where the copy is, as the guards of the leg ask it. A published copy is out even while it waits.
    pub const fn copy_place(self, push: Push) -> CopyPlace {
        match (self, push) {
            (Self::Taken | Self::Opened, _) => CopyPlace::Fetched,
            (_, Push::Published) => CopyPlace::SealedPublished,
            (_, Push::None) => CopyPlace::InInbox,
        }
    }
}

/// Whether a sealed document of this delivery was published over AMQP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Push {
    None,
    Published,
}

/// How long a copy has been waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    WithinLimit,
    TooLong,
}

code_list! {
    /// Who moves a delivery or a doorbell.
    DeliveryActor, "delivery actor" {
        Hub = "H", "ハブ（自動）", "the hub";
        RecipientSystem = "RS", "宛先機関のシステム", "the recipient's system";
        Reader = "RP", "宛先機関の職員（氏名あり）", "a named person at the recipient";
        Sender = "S", "差出機関の職員", "sender's staff";
        Operator = "O", "ハブの運用者", "the operator of the hub";
    }
}

code_list! {
    /// What can be done to a delivery.
    DeliveryAction, "delivery action" {
        Queue = "queue", "受信箱に入れる", "put into the inbox";
        HoldBack = "hold_back", "送信を待つ", "hold back";
        Release = "release", "相手に見せる", "release";
        Take = "take", "受領を確認する", "acknowledge";
        Open = "open", "開封する", "open";
        Recall = "recall", "回収する", "recall";
        GiveUp = "give_up", "送達不能とする", "give up";
    }
}

code_list! {
    /// Conditions on a delivery's transition.
    DeliveryGuard, "delivery guard" {
        SealedPublished = "sealed_published", "暗号化配信済みであること", "a sealed copy was published";
        WaitedTooLong = "waited_too_long", "待機期限を過ぎていること", "it has waited past its limit";
        NotUrgentNorStatutory = "not_urgent_nor_statutory", "至急でも法令に基づくものでもないこと", "the leg is neither urgent nor statutory";
    }
}

code_list! {
    /// What the body of an act on a delivery must carry.
    DeliveryField, "delivery field" {
        ReceiptHash = "receipt_hash", "受領証のハッシュ", "hash of the receipt acknowledged";
        /// Who opened: a person is always named, whoever attests it.
        Staff = "staff", "開封した職員", "the staff member who opened it";
    }
}

/// What the guards of a delivery need to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryFacts {
    pub lane: Lane,
    pub urgency: Urgency,
    pub push: Push,
    pub waited: Waited,
}

/// The machine of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery;

impl Machine for Delivery {
    type State = DeliveryState;
    type Action = DeliveryAction;
    type Actor = DeliveryActor;
    type Guard = DeliveryGuard;
    type Field = DeliveryField;
    type Facts = DeliveryFacts;

    const TABLE: &'static [Transition<Self>] = {
        use DeliveryAction::{GiveUp, HoldBack, Open, Queue, Recall, Release, Take};
        use DeliveryActor::{Hub, Operator, Reader, RecipientSystem, Sender};
        use DeliveryState::{Held, Opened, Recalled, Stopped, Taken, Undeliverable, Waiting};
        &[
            row(1, &[], Queue, Waiting, &[Hub]),
            row(2, &[Waiting], Take, Taken, &[RecipientSystem]).with(&[DeliveryField::ReceiptHash]),
            // A first opening of a waiting copy writes R2 and R3 in one operation.
            row(3, &[Waiting, Taken], Open, Opened, &[Reader]).with(&[DeliveryField::Staff]),
            // From waiting the copy is gone before anyone saw it; later, only further openings stop. The
            // hub recalls when a withdrawal, a cancellation or a mis-send of the leg asks for it.
            row(4, &[Waiting, Taken, Opened], Recall, Recalled, &[Sender, Operator, Hub]),
            // What may not end in silence is never given up: it stays in the inbox and escalates.
            row(5, &[Waiting], GiveUp, Undeliverable, &[Hub])
                .when(&[DeliveryGuard::NotUrgentNorStatutory, DeliveryGuard::WaitedTooLong]),
            // What is not urgent is held back for a while, so that its sender can undo it.
            row(6, &[], HoldBack, Held, &[Hub]),
            row(7, &[Held], Release, Waiting, &[Hub]),
            // However the leg ends meanwhile, its copy was never visible and never will be.
            row(8, &[Held], Recall, Stopped, &[Sender, Operator, Hub]),
            // A repeated acknowledgement gets the same receipt; every further opening is audited.
            event(&[Taken, Opened], Take, &[RecipientSystem]).with(&[DeliveryField::ReceiptHash]),
            event(&[Opened], Open, &[Reader]).with(&[DeliveryField::Staff]),
            // A published copy cannot be pulled back, so its late acknowledgement is evidence worth keeping.
            event(&[Recalled, Undeliverable], Take, &[RecipientSystem])
                .when(&[DeliveryGuard::SealedPublished])
                .with(&[DeliveryField::ReceiptHash]),
        ]
    };

    fn terminal(state: DeliveryState) -> bool {
        state.terminal()
    }

    fn holds(guard: DeliveryGuard, facts: &DeliveryFacts) -> bool {
        match guard {
            DeliveryGuard::SealedPublished => facts.push == Push::Published,
            DeliveryGuard::WaitedTooLong => facts.waited == Waited::TooLong,
            DeliveryGuard::NotUrgentNorStatutory => facts.lane.may_end_in_silence(facts.urgency),
        }
    }
}

/// Finds the one row that allows this act on a delivery in this state.
///
/// # Errors
/// [`machine::Illegal`] with the present state, what this actor can do instead, and why not this.
pub fn step(
    state: DeliveryState,
    action: DeliveryAction,
    actor: DeliveryActor,
    facts: &DeliveryFacts,
) -> Result<&'static Transition<Delivery>, machine::Illegal<Delivery>> {
    machine::step(Some(state), action, actor, facts)
}

code_list! {
    /// Where a doorbell (AMQP, webhook, e-mail) is on its way.
    DoorbellState, "doorbell state" {
        Queued = "queued", "送信待ち", "queued";
        /// The broker confirmed, the webhook answered 2xx, or the mail server accepted. Not "delivered".
        Published = "published", "送信済み", "published";
        RetryWait = "retry_wait", "再送待ち", "waiting to try again";
        DeadLetter = "dead_letter", "送信断念", "given up; can be queued again";
    }
}

code_list! {
    /// What happens to a doorbell.
    DoorbellAction, "doorbell action" {
        Queue = "queue", "送信待ちにする", "queue";
        Confirm = "confirm", "送信を確認する", "record the confirmation";
        Fail = "fail", "失敗を記録する", "record a failure";
        Refuse = "refuse", "恒久的な拒否を記録する", "record a permanent refusal";
        Retry = "retry", "再送する", "try again";
        Requeue = "requeue", "もう一度送信待ちにする", "queue again";
    }
}

code_list! {
    /// Conditions on a doorbell's transition.
    DoorbellGuard, "doorbell guard" {
        AttemptsLeft = "attempts_left", "試行回数が残っていること", "attempts are left";
        AttemptsSpent = "attempts_spent", "試行回数を使い切ったこと", "all attempts are spent";
    }
}

/// Whether a doorbell may be tried again. The only fact its guards look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempts {
    Left,
    Spent,
}

code_list! {
    /// What the body of an act on a doorbell must carry.
    DoorbellField, "doorbell field" {
        Cause = "cause", "原因コード", "code of the cause";
    }
}

machine_codes!(DeliveryState, DeliveryActor, DeliveryAction, DeliveryGuard, DeliveryField);
machine_codes!(DoorbellState, DoorbellAction, DoorbellGuard, DoorbellField);

/// The machine of a doorbell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doorbell;

impl Machine for Doorbell {
    type State = DoorbellState;
    type Action = DoorbellAction;
    type Actor = DeliveryActor;
    type Guard = DoorbellGuard;
    type Field = DoorbellField;
    type Facts = Attempts;

    const TABLE: &'static [Transition<Self>] = {
        use DeliveryActor::{Hub, Operator};
        use DoorbellAction::{Confirm, Fail, Queue, Refuse, Requeue, Retry};
        use DoorbellState::{DeadLetter, Published, Queued, RetryWait};
        &[
            row(1, &[], Queue, Queued, &[Hub]),
            row(2, &[Queued], Confirm, Published, &[Hub]),
            row(3, &[Queued], Fail, RetryWait, &[Hub])
                .when(&[DoorbellGuard::AttemptsLeft])
                .with(&[DoorbellField::Cause]),
            row(4, &[Queued], Fail, DeadLetter, &[Hub])
                .when(&[DoorbellGuard::AttemptsSpent])
                .with(&[DoorbellField::Cause]),
            // An address that is gone, or an endpoint that says so for good.
            row(4, &[Queued], Refuse, DeadLetter, &[Hub]).with(&[DoorbellField::Cause]),
            row(5, &[RetryWait], Retry, Queued, &[Hub]),
            row(6, &[DeadLetter], Requeue, Queued, &[Operator]),
        ]
    };

    fn terminal(state: DoorbellState) -> bool {
        matches!(state, DoorbellState::Published)
    }

    fn holds(guard: DoorbellGuard, attempts: &Attempts) -> bool {
        match guard {
            DoorbellGuard::AttemptsLeft => *attempts == Attempts::Left,
            DoorbellGuard::AttemptsSpent => *attempts == Attempts::Spent,
        }
    }
}

/// Finds the one row that allows this act on a doorbell in this state.
///
/// # Errors
/// [`machine::Illegal`] with the present state, what this actor can do instead, and why not this.
pub fn ring_step(
    state: DoorbellState,
    action: DoorbellAction,
    actor: DeliveryActor,
    attempts: Attempts,
) -> Result<&'static Transition<Doorbell>, machine::Illegal<Doorbell>> {
    machine::step(Some(state), action, actor, &attempts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::machine::Why;

    fn facts(lane: Lane, urgency: Urgency, push: Push) -> DeliveryFacts {
        DeliveryFacts { lane, urgency, push, waited: Waited::TooLong }
    }

    #[test]
    fn a_copy_opens_with_or_without_an_acknowledgement() {
        let facts = facts(Lane::Consent, Urgency::Ordinary, Push::None);
        for from in [DeliveryState::Waiting, DeliveryState::Taken] {
            let row = step(from, DeliveryAction::Open, DeliveryActor::Reader, &facts).unwrap();
            assert_eq!((row.to, row.requires), (Some(DeliveryState::Opened), &[DeliveryField::Staff][..]));
        }
        let again = step(DeliveryState::Opened, DeliveryAction::Open, DeliveryActor::Reader, &facts).unwrap();
        assert_eq!(again.to, None);
        let system =
            step(DeliveryState::Waiting, DeliveryAction::Open, DeliveryActor::RecipientSystem, &facts);
        assert_eq!(system.unwrap_err().why, Why::NotByThisActor);
    }

    #[test]
    fn what_is_held_back_can_be_neither_taken_nor_opened_and_what_is_stopped_stays_so() {
        let facts = facts(Lane::Consent, Urgency::Ordinary, Push::None);
        for state in [DeliveryState::Held, DeliveryState::Stopped] {
            assert!(!state.visible());
            for (action, actor) in [
                (DeliveryAction::Take, DeliveryActor::RecipientSystem),
                (DeliveryAction::Open, DeliveryActor::Reader),
                (DeliveryAction::GiveUp, DeliveryActor::Hub),
            ] {
                assert!(step(state, action, actor, &facts).is_err(), "{state} {action}");
            }
        }
        let by_hub = |state, action| step(state, action, DeliveryActor::Hub, &facts).map(|row| row.to);
        let released = by_hub(DeliveryState::Held, DeliveryAction::Release);
        assert_eq!(released.unwrap(), Some(DeliveryState::Waiting));
        let stopped = by_hub(DeliveryState::Held, DeliveryAction::Recall);
        assert_eq!(stopped.unwrap(), Some(DeliveryState::Stopped));
        for state in DeliveryState::ALL.iter().filter(|state| **state != DeliveryState::Held) {
            assert!(by_hub(*state, DeliveryAction::Release).is_err(), "{state}");
        }
    }

    #[test]
    fn a_recalled_copy_is_never_opened() {
        let facts = facts(Lane::Consent, Urgency::Ordinary, Push::None);
        for from in [DeliveryState::Waiting, DeliveryState::Taken, DeliveryState::Opened] {
            let row = step(from, DeliveryAction::Recall, DeliveryActor::Sender, &facts).unwrap();
            assert_eq!(row.to, Some(DeliveryState::Recalled));
        }
        let open = step(DeliveryState::Recalled, DeliveryAction::Open, DeliveryActor::Reader, &facts);
        assert_eq!(open.unwrap_err().why, Why::Ended);
    }

    #[test]
    fn only_a_published_copy_is_acknowledged_after_its_recall() {
        let take = |push| {
            let facts = facts(Lane::Consent, Urgency::Ordinary, push);
            step(DeliveryState::Recalled, DeliveryAction::Take, DeliveryActor::RecipientSystem, &facts)
        };
        assert_eq!(take(Push::Published).unwrap().to, None);
        assert_eq!(take(Push::None).unwrap_err().why, Why::Guard(DeliveryGuard::SealedPublished));
    }

    #[test]
    fn what_may_not_end_in_silence_stays_in_the_inbox() {
        let give_up = |lane, urgency| {
            let facts = facts(lane, urgency, Push::None);
            step(DeliveryState::Waiting, DeliveryAction::GiveUp, DeliveryActor::Hub, &facts).is_ok()
        };
        assert!(give_up(Lane::Consent, Urgency::Ordinary));
        assert!(!give_up(Lane::Consent, Urgency::AtOnce));
        assert!(!give_up(Lane::Statutory, Urgency::Ordinary));
        assert!(!give_up(Lane::Notice, Urgency::Ordinary));
    }

    #[test]
    fn a_published_copy_is_out_even_while_it_waits() {
        assert_eq!(DeliveryState::Waiting.copy_place(Push::None), CopyPlace::InInbox);
        assert_eq!(DeliveryState::Waiting.copy_place(Push::Published), CopyPlace::SealedPublished);
        assert_eq!(DeliveryState::Taken.copy_place(Push::None), CopyPlace::Fetched);
    }

    #[test]
    fn a_dead_doorbell_can_be_queued_again_by_the_operator_alone() {
        use DoorbellAction::{Fail, Requeue};
        let fail =
            |attempts| ring_step(DoorbellState::Queued, Fail, DeliveryActor::Hub, attempts).unwrap().to;
        assert_eq!(fail(Attempts::Left), Some(DoorbellState::RetryWait));
        assert_eq!(fail(Attempts::Spent), Some(DoorbellState::DeadLetter));
        let requeue = |actor| ring_step(DoorbellState::DeadLetter, Requeue, actor, Attempts::Spent);
        assert_eq!(requeue(DeliveryActor::Operator).unwrap().to, Some(DoorbellState::Queued));
        assert_eq!(requeue(DeliveryActor::Hub).unwrap_err().why, Why::NotByThisActor);
    }
}
