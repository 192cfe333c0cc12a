//! The transitions of a leg, as data. This table is the only authority: the API's 409, the buttons of the
//! pages and `docs/machines.md` are read from it.

use Actor::{
    Guardian as G, Hub as H, PrivacyOfficer as P, ReceiverStaff as R, SenderStaff as S,
    SenderSupervisor as SS,
};
use LegState::{
    Accepted, AwaitingBasis, CancelRequested, Cancelled, Completed, Declined, Discontinued, Draft,
    EnteredInError, Expired, Forwarded, InProgress, InfoRequested, OnHold, Received, Requested, Scheduled,
    Waitlisted, Withdrawn,
};

use crate::domain::leg::{Actor, Field, Guard, LegAction, LegState, Transition};
use crate::domain::machine::{event, row};

/// Every state that has not ended.
const LIVE: &[LegState] = &[
    Draft,
    AwaitingBasis,
    Requested,
    Received,
    InfoRequested,
    Accepted,
    Waitlisted,
    Scheduled,
    InProgress,
    OnHold,
    CancelRequested,
];
/// Every state from the sending on that has not ended: sender and recipient can speak to each other.
const SHARED: &[LegState] = &[
    Requested,
    Received,
    InfoRequested,
    Accepted,
    Waitlisted,
    Scheduled,
    InProgress,
    OnHold,
    CancelRequested,
];
/// Every state in which the recipient may have looked at its copy after the arrival was recorded. The ended
/// ones belong here: that somebody looked is a fact to keep, whether or not the content may still be shown.
const ARRIVED: &[LegState] = &[
    Received,
    InfoRequested,
    Accepted,
    Waitlisted,
    Scheduled,
    InProgress,
    OnHold,
    CancelRequested,
    Declined,
    Forwarded,
    Completed,
    Discontinued,
    Cancelled,
    Withdrawn,
    Expired,
    EnteredInError,
];
/// The same with the state before any arrival: the glass may be broken for a copy nobody has opened yet.
const REACHED: &[LegState] = &[
    Requested,
    Received,
    InfoRequested,
    Accepted,
    Waitlisted,
    Scheduled,
    InProgress,
    OnHold,
    CancelRequested,
    Declined,
    Forwarded,
    Completed,
    Discontinued,
    Expired,
];
/// Every state that has ended.
const ENDED: &[LegState] =
    &[Declined, Forwarded, Completed, Discontinued, Cancelled, Withdrawn, Expired, EnteredInError];
/// Rows 12 to 14: the recipient is at work on it.
const AT_WORK: &[LegState] = &[Accepted, Scheduled, InProgress];

/// The table. Row numbers are those of `docs/machines.md`.
pub const TRANSITIONS: &[Transition] = &[
    // A forwarded leg and a replacement begin by this row too, as drafts of their own.
    row(1, &[], LegAction::Draft, Draft, &[S]),
    // A notice has nothing to wait for, so it goes from the draft straight to row 3.
    row(2, &[Draft], LegAction::Choose, AwaitingBasis, &[S])
        .when(&[Guard::NotNotice])
        .with(&[Field::Recipient]),
    row(3, &[Draft, AwaitingBasis], LegAction::Submit, Requested, &[S])
        .when(&[Guard::OnConsent, Guard::LiveBasis, Guard::NotBlocked, Guard::Approved, Guard::PreviewHolds])
        .with(&[Field::Consent]),
    row(3, &[Draft, AwaitingBasis], LegAction::Submit, Requested, &[S])
        .when(&[Guard::OnStatute, Guard::LiveBasis, Guard::NotBlocked, Guard::Approved, Guard::PreviewHolds])
        .with(&[Field::BasisRecord]),
    row(3, &[Draft, AwaitingBasis], LegAction::Submit, Requested, &[S]).when(&[
        Guard::NoPersonalData,
        Guard::NotBlocked,
        Guard::PreviewHolds,
    ]),
    // Nothing stands between a person and a notice: no record, approver, blocked list or preview.
    row(3, &[Draft, AwaitingBasis], LegAction::Submit, Requested, &[S]).when(&[Guard::IsNotice]),
    row(4, &[AwaitingBasis], LegAction::Cancel, Cancelled, &[S, G]),
    // The R2 or R3 written by the same operation is the reason; nobody but the hub says "arrived".
    row(5, &[Requested], LegAction::Receive, Received, &[H]),
    // Whoever takes a family over takes over first what protects it.
    row(6, &[Received], LegAction::Accept, Accepted, &[R]).when(&[Guard::FlagTaken]),
    // The clock of a notice runs day and night: a desk takes it or says at once that it is not the one.
    row(6, &[Received], LegAction::Waitlist, Waitlisted, &[R])
        .when(&[Guard::NotNotice])
        .with(&[Field::ReviewOn]),
    row(6, &[Received], LegAction::Decline, Declined, &[R]).with(&[Field::Reason, Field::By]),
    row(7, &[Received], LegAction::Ask, InfoRequested, &[R]).with(&[Field::Question]),
    row(7, &[InfoRequested], LegAction::Reply, Received, &[S]).with(&[Field::Answer]),
    row(8, &[Received], LegAction::Forward, Forwarded, &[R])
        .when(&[Guard::OnwardCovered])
        .with(&[Field::OnwardRecipient]),
    row(8, &[Received], LegAction::Forward, Declined, &[R]).when(&[Guard::OnwardNotCovered]).with(&[
        Field::Reason,
        Field::By,
        Field::Suggestion,
    ]),
    // A family that was taken over is not given back by the way: its agency hands it over in its turn.
    row(8, &[Accepted], LegAction::Forward, Forwarded, &[R])
        .when(&[Guard::OnwardCovered, Guard::NotHandOver])
        .with(&[Field::OnwardRecipient]),
    row(8, &[Accepted], LegAction::Forward, Declined, &[R])
        .when(&[Guard::OnwardNotCovered, Guard::NotHandOver])
        .with(&[Field::Reason, Field::By, Field::Suggestion]),
    row(9, &[Waitlisted], LegAction::Accept, Accepted, &[R]).when(&[Guard::FlagTaken]),
    row(9, &[Waitlisted], LegAction::Decline, Declined, &[R]).with(&[Field::Reason, Field::By]),
    row(9, &[Waitlisted], LegAction::Expire, Expired, &[H])
        .when(&[Guard::NotUrgentNorStatutory, Guard::SilenceStepsDone]),
    row(10, &[Accepted], LegAction::Schedule, Scheduled, &[R]).with(&[Field::AppointmentAt]),
    row(10, &[Accepted], LegAction::Start, InProgress, &[R]),
    row(11, &[Scheduled], LegAction::Start, InProgress, &[R]),
    row(11, &[Scheduled], LegAction::AppointmentMoved, Scheduled, &[R]).with(&[Field::AppointmentAt]),
    row(12, AT_WORK, LegAction::Hold, OnHold, &[R]).with(&[Field::Reason, Field::ReviewOn]),
    row(12, &[OnHold], LegAction::Resume, Accepted, &[R]).when(&[Guard::HeldFromAccepted]),
    row(12, &[OnHold], LegAction::Resume, Scheduled, &[R]).when(&[Guard::HeldFromScheduled]),
    row(12, &[OnHold], LegAction::Resume, InProgress, &[R]).when(&[Guard::HeldFromInProgress]),
    row(13, AT_WORK, LegAction::Complete, Completed, &[R]).with(&[Field::Outcome]),
    row(14, &[Accepted, Scheduled, InProgress, OnHold], LegAction::Discontinue, Discontinued, &[R])
        .with(&[Field::Reason]),
    row(15, &[Requested], LegAction::Cancel, Cancelled, &[S]).when(&[Guard::NotNotice, Guard::NotFetched]),
    // While the copy is held back nobody at the recipient has seen anything: no R1 was written, and none will be.
    row(15, &[Requested], LegAction::Undo, Cancelled, &[S]).when(&[Guard::Held]),
    row(16, &[Requested], LegAction::Cancel, CancelRequested, &[S, SS])
        .when(&[Guard::NotNotice, Guard::CopyOut]),
    row(16, &[Received, InfoRequested, Waitlisted], LegAction::Cancel, CancelRequested, &[S, SS])
        .when(&[Guard::NotNotice]),
    // Whoever has handed a family over has nothing left to cancel; a mistake is recalled.
    row(16, &[Accepted, Scheduled, InProgress, OnHold], LegAction::Cancel, CancelRequested, &[S, SS])
        .when(&[Guard::NotNotice, Guard::NotHandOver]),
    row(17, &[CancelRequested], LegAction::ConfirmCancel, Cancelled, &[R]),
    // The result may win the race against the cancellation; but a family was accepted before, or not at all.
    row(17, &[CancelRequested], LegAction::Complete, Completed, &[R])
        .when(&[Guard::NotHandOver])
        .with(&[Field::Outcome]),
    row(18, &[CancelRequested], LegAction::LapseCancel, Cancelled, &[H]).when(&[Guard::CancelUnanswered]),
    row(19, &[Requested, Received], LegAction::Expire, Expired, &[H])
        .when(&[Guard::NotUrgentNorStatutory, Guard::SilenceStepsDone]),
    row(20, LIVE, LegAction::Withdraw, Withdrawn, &[G]).when(&[Guard::OnConsent]),
    // Whoever notices a mis-send stops it; minutes count. A 通告 is the one thing that nobody takes back: whether
    // there is nothing in it is for the authority to find out (児童虐待の防止等に関する法律 第8条).
    row(21, LIVE, LegAction::Recall, EnteredInError, &[S, SS, P])
        .when(&[Guard::NotNotice])
        .with(&[Field::Reason]),
    // On an ended leg the same act starts the procedure, but the end and its receipt stay.
    event(
        &[Declined, Forwarded, Completed, Discontinued, Cancelled, Withdrawn, Expired],
        LegAction::Recall,
        &[S, SS, P],
    )
    .when(&[Guard::NotNotice])
    .with(&[Field::Reason])
    .at_row(21),
    // The holder's word about a copy that was asked back, given on the leg that ended.
    event(ENDED, LegAction::ConfirmDisposal, &[R]).when(&[Guard::DisposalAsked]).with(&[Field::Disposal]),
    event(&[Declined, Expired, Cancelled], LegAction::Replace, &[S]).with(&[Field::Recipient]).at_row(22),
    event(&[Requested], LegAction::Release, &[H]).when(&[Guard::Held]),
    // The interim answer to a hand-over. It takes the protection over where one waits, for a case it names.
    event(SHARED, LegAction::Acknowledge, &[R]).when(&[Guard::FlagWaits]).with(&[Field::Case]),
    event(SHARED, LegAction::Acknowledge, &[R]).when(&[Guard::IsHandOver, Guard::FlagTaken]),
    event(SHARED, LegAction::Note, &[S, SS, R]).with(&[Field::Note]),
    event(ARRIVED, LegAction::View, &[H]),
    // A fact to keep in every state in which a copy can be opened: who opened it in an emergency, for both to see.
    event(REACHED, LegAction::BreakGlass, &[H]),
    // Counted; the second one prompts the sender.
    event(&[Scheduled, InProgress], LegAction::NoShow, &[R]),
    event(&[InProgress], LegAction::AppointmentMoved, &[R]).with(&[Field::AppointmentAt]),
    event(SHARED, LegAction::Reminder, &[S, H]),
    // At the word of two people of the sender, when nothing stands in the way: `domain/retention.rs`.
    event(ENDED, LegAction::Shred, &[H]),
];

#[cfg(test)]
mod tests;
