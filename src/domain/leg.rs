//! The leg: one referral to one recipient, the unit that has a status. Its table stands in
//! [`super::leg_table`], what its guards look at in [`super::leg_facts`].
//!
//! A leg ends in exactly one terminal state. Delivery of the copy and the basis of the disclosure are
//! machines of their own ([`super::delivery`], [`super::basis_state`]): a status that mixes them gets stuck.

use crate::code_list;
use crate::domain::leg_facts::{
    Approval, BasisFact, BeforeHold, CancelWait, CopyPlace, DisposalFact, Facts, HandOverFact, Lane, Onward,
    Preview, RecipientFact, Release, Silence,
};
use crate::domain::leg_table::TRANSITIONS;
use crate::domain::machine::{self, Machine, machine_codes};

code_list! {
    /// Where a leg stands.
    LegState, "leg state" {
        Draft = "draft", "下書き", "draft";
        AwaitingBasis = "awaiting_basis", "根拠確認中（同意待ち等）", "awaiting its basis";
        Requested = "requested", "依頼済み", "requested";
        Received = "received", "受領", "received";
        InfoRequested = "info_requested", "照会中", "more information asked";
        /// For a 通告 or a 送致 this is the interim answer 受理: the desk has taken it.
        Accepted = "accepted", "受入決定", "accepted";
        Waitlisted = "waitlisted", "待機", "on a waiting list";
        Scheduled = "scheduled", "日程確定", "scheduled";
        InProgress = "in_progress", "支援中", "in progress";
        OnHold = "on_hold", "一時停止", "on hold";
        CancelRequested = "cancel_requested", "取消依頼中", "cancellation asked";
        Declined = "declined", "受入不可", "declined";
        Forwarded = "forwarded", "他機関へ引継ぎ", "forwarded";
        Completed = "completed", "完了", "completed";
        Discontinued = "discontinued", "中断・終結", "discontinued";
        Cancelled = "cancelled", "取消", "cancelled";
        Withdrawn = "withdrawn", "同意撤回終了", "ended by withdrawal of consent";
        Expired = "expired", "無応答終了", "ended without an answer";
        EnteredInError = "entered_in_error", "誤送付", "sent in error";
    }
}

impl LegState {
    /// Whether the leg has ended.
    pub const fn terminal(self) -> bool {
        matches!(
            self,
            Self::Declined
                | Self::Forwarded
                | Self::Completed
                | Self::Discontinued
                | Self::Cancelled
                | Self::Withdrawn
                | Self::Expired
                | Self::EnteredInError
        )
    }
}

code_list! {
    /// Who acts on a leg.
    Actor, "actor" {
        SenderStaff = "S", "差出機関の職員", "sender's staff";
        SenderSupervisor = "SS", "差出機関の上司", "sender's supervisor";
        ReceiverStaff = "R", "宛先機関の職員・システム", "receiver's staff or system";
        Hub = "H", "ハブ（自動）", "the hub";
        /// In person, or recorded by the sender's staff.
        Guardian = "G", "保護者・本人", "guardian or subject";
        PrivacyOfficer = "P", "個人情報保護担当", "privacy officer";
    }
}

code_list! {
    /// What can be done to a leg: the verbs of `POST /v1/legs/{id}/actions/…`, and what the hub itself does.
    LegAction, "leg action" {
        Draft = "draft", "下書きする", "draft";
        Choose = "choose", "宛先を決める", "choose the recipient";
        Submit = "submit", "送る", "send";
        /// The copy becomes visible to its recipient.
        Release = "release", "相手に見せる", "release";
        /// Before that: nothing was ever visible.
        Undo = "undo", "送信を取りやめる", "undo the sending";
        Receive = "receive", "受領を記録する", "record the arrival";
        /// 移管: the interim answer, and the taking over of what protects the family.
        Acknowledge = "acknowledge", "引継ぎの受領を知らせる", "acknowledge the hand-over";
        Accept = "accept", "受け入れる（受理する）", "accept";
        Waitlist = "waitlist", "待機にする", "put on the waiting list";
        Decline = "decline", "受入不可と答える", "decline";
        Ask = "ask", "照会する", "ask for information";
        Reply = "reply", "照会に答える", "reply to the question";
        Forward = "forward", "他機関へ引き継ぐ", "forward";
        Schedule = "schedule", "日程を決める", "schedule";
        Start = "start", "支援を始める", "start";
        Hold = "hold", "一時停止する", "put on hold";
        Resume = "resume", "再開する", "resume";
        Complete = "complete", "完了する", "complete";
        Discontinue = "discontinue", "中断・終結する", "discontinue";
        Cancel = "cancel", "取り消す", "cancel";
        ConfirmCancel = "confirm_cancel", "取消を確認する", "confirm the cancellation";
        LapseCancel = "lapse_cancel", "取消（未確認）とする", "cancel unconfirmed";
        Expire = "expire", "無応答で終了する", "end without an answer";
        Withdraw = "withdraw", "同意を撤回する", "withdraw consent";
        /// 誤送信の回収: takes the copy back, or asks for it where it may have been read.
        Recall = "recall", "誤送信を回収する", "recall what was sent by mistake";
        ConfirmDisposal = "confirm_disposal", "写しの削除・保存を確認する", "confirm what became of the copy";
        Replace = "replace", "別の宛先へ送り直す", "send anew in its place";
        Note = "note", "連絡を書き添える", "add a note";
        View = "view", "閲覧を記録する", "record a viewing";
        /// 緊急閲覧: a named person of the recipient broke the glass.
        BreakGlass = "break_glass", "緊急閲覧を記録する", "record a break-glass";
        NoShow = "no_show", "来所なしを記録する", "record a no-show";
        AppointmentMoved = "appointment_moved", "日程を変更する", "move the appointment";
        Reminder = "reminder", "返事を促す", "send a reminder";
        /// Its keys are destroyed: what it said is gone, that it was stays.
        Shred = "shred", "内容を消去する", "destroy the content";
    }
}

impl LegAction {
    /// Whether this is the recipient's answer: the first one writes the leg's R4.
    pub const fn is_answer(self) -> bool {
        matches!(self, Self::Accept | Self::Waitlist | Self::Decline | Self::Ask | Self::Forward)
    }
}

code_list! {
    /// Conditions on a transition, each read from [`super::leg_facts::Facts`].
    Guard, "guard" {
        OnConsent = "on_consent", "同意に基づく宛先であること", "the leg rests on consent";
        OnStatute = "on_statute", "法令に基づく宛先であること", "the leg rests on an article of law";
        NoPersonalData = "no_personal_data", "個人情報を含まないこと", "the leg carries no personal data";
        IsNotice = "is_notice", "通告であること", "the leg is a notice (通告)";
        NotNotice = "not_notice", "通告でないこと", "the leg is not a notice (通告)";
        LiveBasis = "live_basis", "有効な根拠があること", "there is a basis in force for this recipient and purpose";
        NotBlocked = "not_blocked", "宛先が遮断されていないこと", "the recipient is not blocked";
        Approved = "approved", "必要な承認があること", "the approval this basis needs has been given";
        PreviewHolds = "preview_holds", "確認した内容から変わっていないこと", "what is sent is what was previewed";
        NotFetched = "not_fetched", "写しがまだ受け取られていないこと", "the copy still lies unread in the inbox";
        Held = "held", "まだ相手に見えていないこと", "the recipient cannot see it yet";
        CopyOut = "copy_out", "写しが受け取られたか、暗号化配信済みであること", "the copy was fetched, or a sealed copy was published";
        OnwardCovered = "onward_covered", "同意・根拠が引継ぎ先に及ぶこと", "the consent or basis covers the onward recipient";
        OnwardNotCovered = "onward_not_covered", "同意・根拠が引継ぎ先に及ばないこと", "the consent or basis does not cover the onward recipient";
        SilenceStepsDone = "silence_steps_done", "督促・再連絡・上司への報告が済んでいること", "nudge, second contact and supervisor step are done";
        NotUrgentNorStatutory = "not_urgent_nor_statutory", "至急でも法令に基づくものでもないこと", "the leg is neither urgent nor statutory";
        CancelUnanswered = "cancel_unanswered", "取消依頼への返事がないまま期限を過ぎたこと", "the cancellation stayed unanswered past its working days";
        DisposalAsked = "disposal_asked", "写しの確認を求められていること", "the copy was asked back and nobody has answered yet";
        IsHandOver = "is_hand_over", "移管であること", "the leg hands a family over";
        NotHandOver = "not_hand_over", "移管でないこと", "the leg hands no family over";
        FlagWaits = "flag_waits", "秘匿の引受けが済んでいないこと", "the family's protection waits to be taken over";
        FlagTaken = "flag_taken", "家族の秘匿があれば引き受けていること", "the family's protection, if there is any, has been taken over";
        HeldFromAccepted = "held_from_accepted", "停止前が「受入決定」であること", "it was accepted before the hold";
        HeldFromScheduled = "held_from_scheduled", "停止前が「日程確定」であること", "it was scheduled before the hold";
        HeldFromInProgress = "held_from_in_progress", "停止前が「支援中」であること", "it was in progress before the hold";
    }
}

code_list! {
    /// What the body of an act must carry.
    Field, "field" {
        Recipient = "recipient", "宛先", "recipient";
        Consent = "consent", "同意記録", "consent record";
        BasisRecord = "basis_record", "根拠の記録（条文・理由）", "record of the legal basis, with article and reason";
        Reason = "reason", "理由コード", "reason code";
        By = "by", "どちらの事情か（本人・提供側）", "whose reason it is: client or provider";
        ReviewOn = "review_on", "見直し日", "review date";
        Question = "question", "照会内容", "question";
        Answer = "answer", "回答", "answer";
        OnwardRecipient = "onward_recipient", "引継ぎ先", "onward recipient";
        Suggestion = "suggestion", "ほかの相談先の案内", "suggestion of another service";
        AppointmentAt = "appointment_at", "日時", "time of the appointment";
        Outcome = "outcome", "結果コード", "outcome code";
        Note = "note", "連絡内容", "note";
        Disposal = "disposal", "写しの扱い", "what became of the copy";
        Case = "case", "自機関の相談ケース", "the agency's own case";
    }
}

machine_codes!(LegState, Actor, LegAction, Guard, Field);

/// The machine of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg;

pub type Transition = machine::Transition<Leg>;
pub type Illegal = machine::Illegal<Leg>;
pub type Available = machine::Available<Leg>;

impl Machine for Leg {
    type State = LegState;
    type Action = LegAction;
    type Actor = Actor;
    type Guard = Guard;
    type Field = Field;
    type Facts = Facts;

    const TABLE: &'static [Transition] = TRANSITIONS;

    fn terminal(state: LegState) -> bool {
        state.terminal()
    }

    fn holds(guard: Guard, facts: &Facts) -> bool {
        match guard {
            Guard::OnConsent => facts.lane == Lane::Consent,
            Guard::OnStatute => facts.lane == Lane::Statutory,
            Guard::NoPersonalData => facts.lane == Lane::NoPersonalData,
            Guard::IsNotice => facts.lane == Lane::Notice,
            Guard::NotNotice => facts.lane != Lane::Notice,
            Guard::LiveBasis => facts.basis == BasisFact::Live,
            Guard::NotBlocked => facts.recipient == RecipientFact::Free,
            Guard::Approved => facts.approval != Approval::Missing,
            Guard::PreviewHolds => facts.preview != Preview::Differs,
            Guard::NotFetched => facts.copy == CopyPlace::InInbox,
            Guard::Held => facts.release == Release::Held,
            Guard::CopyOut => facts.copy != CopyPlace::InInbox,
            Guard::OnwardCovered => facts.onward == Onward::Covered,
            Guard::OnwardNotCovered => facts.onward == Onward::NotCovered,
            Guard::SilenceStepsDone => facts.silence == Silence::StepsDone,
            Guard::NotUrgentNorStatutory => facts.lane.may_end_in_silence(facts.urgency),
            Guard::CancelUnanswered => facts.cancel_wait == CancelWait::Over,
            Guard::DisposalAsked => facts.disposal == DisposalFact::Asked,
            Guard::IsHandOver => facts.hand_over != HandOverFact::No,
            Guard::NotHandOver => facts.hand_over == HandOverFact::No,
            // Nothing ever holds up a notice.
            Guard::FlagWaits => facts.hand_over == HandOverFact::FlagWaits && facts.lane != Lane::Notice,
            Guard::FlagTaken => facts.hand_over != HandOverFact::FlagWaits || facts.lane == Lane::Notice,
            Guard::HeldFromAccepted => facts.before_hold == BeforeHold::Accepted,
            Guard::HeldFromScheduled => facts.before_hold == BeforeHold::Scheduled,
            Guard::HeldFromInProgress => facts.before_hold == BeforeHold::InProgress,
        }
    }
}

/// Begins a leg as a draft. A replacement or a forwarded leg begins the same way, with its link.
///
/// # Errors
/// [`Illegal`] for anybody but the sender's staff.
pub fn begin(actor: Actor, facts: &Facts) -> Result<&'static Transition, Illegal> {
    machine::step(None, LegAction::Draft, actor, facts)
}

/// Finds the one row that allows this act on a leg in this state.
///
/// # Errors
/// [`Illegal`] with the present state, what this actor can do instead, and why not this.
pub fn step(
    state: LegState,
    action: LegAction,
    actor: Actor,
    facts: &Facts,
) -> Result<&'static Transition, Illegal> {
    machine::step(Some(state), action, actor, facts)
}

/// Everything this actor can do to a leg in this state.
pub fn available(state: LegState, actor: Actor, facts: &Facts) -> Vec<Available> {
    machine::available(Some(state), actor, facts)
}

/// Whether the table has a row that leads from one state to the other, or the step leaves the state as it is. For
/// a reader of receipts, who sees the two states and none of the facts.
pub fn may_lead(from: LegState, to: LegState) -> bool {
    from == to || TRANSITIONS.iter().any(|row| row.from.contains(&from) && row.to == Some(to))
}

/// Whether the recipient has answered before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    NotYet,
    Already,
}

/// The evidence a transition writes. A leg has at most one R4, and exactly one receipt that ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The first answer: the leg's R4. It ends the leg where the answer is itself an end.
    FirstAnswer,
    /// The leg ends otherwise than by its first answer: its receipt `closed`.
    Closed,
    /// A receipt of the delivery covers it: R0 on sending, R1 on release (which is
    /// the sending itself, unless the copy is held back), R2 and R3 on arrival and opening. A later
    /// viewing writes no receipt of its own.
    Delivery,
    /// A signed event of the leg's chain.
    Event,
}

/// Which evidence this transition writes (the receipt ladder, domain.md 3.3).
pub fn evidence(transition: &Transition, before: Answered) -> Evidence {
    match (transition.action, before) {
        (action, Answered::NotYet) if action.is_answer() => Evidence::FirstAnswer,
        _ if transition.ends() => Evidence::Closed,
        (LegAction::Submit | LegAction::Release | LegAction::Receive | LegAction::View, _) => {
            Evidence::Delivery
        }
        _ => Evidence::Event,
    }
}
