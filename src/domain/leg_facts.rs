//! What the guards of a leg look at: closed alternatives instead of booleans, so that a call reads as a
//! sentence.

use crate::domain::referral::Urgency;

/// What the disclosure rests on, as far as the life of a leg is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Resource data only: nothing to consent to.
    NoPersonalData,
    /// A consent, which its giver may withdraw at any time.
    Consent,
    /// An article of law other than those of a notice.
    Statutory,
    /// 通告: goes at once and by one person alone, never expires, and cannot be withdrawn.
    Notice,
}

impl Lane {
    /// Whether silence may end such a leg. An urgent or statutory one escalates for as long as it takes.
    pub const fn may_end_in_silence(self, urgency: Urgency) -> bool {
        matches!(self, Self::NoPersonalData | Self::Consent) && !urgency.is_urgent()
    }
}

/// Whether a basis for this recipient and purpose is in force at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BasisFact {
    Missing,
    Live,
}

/// Whether the recipient may be addressed at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecipientFact {
    Blocked,
    Free,
}

/// Where the approval of a second person stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    Missing,
    Given,
    NotNeeded,
}

/// How the payload compares with the preview the sender saw (HMAC under a hub key).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preview {
    Differs,
    Same,
    /// The sender asked for no preview.
    NotTaken,
}

/// Where the recipient's copy is. Once it is out, it can only be asked back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyPlace {
    InInbox,
    Fetched,
    /// A sealed document was published over AMQP. The hub cannot know whether it was read.
    SealedPublished,
}

/// Whether the copy is still held back, so that nobody at the recipient can see that there is anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    Held,
    Done,
}

/// Whether the basis also covers the recipient a leg would be forwarded to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Onward {
    NotCovered,
    Covered,
}

/// Whether everything that answers silence has been tried: nudge, second contact, supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    StepsOpen,
    StepsDone,
}

/// Whether the recipient's working days to answer a cancellation are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelWait {
    Running,
    Over,
}

/// The state a held leg goes back to. Read only while the leg is on hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeforeHold {
    Accepted,
    Scheduled,
    InProgress,
}

/// Whether the recipient was asked what became of its copy, and has not said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisposalFact {
    NotAsked,
    Asked,
}

/// Whether the leg hands a family over, and what has to be taken over first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandOverFact {
    No,
    /// The family is protected, and nobody at the recipient has taken that over.
    FlagWaits,
    Clear,
}

/// What the guards of the leg's table need to know, established by the use case beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    pub lane: Lane,
    pub urgency: Urgency,
    pub basis: BasisFact,
    pub recipient: RecipientFact,
    pub approval: Approval,
    pub preview: Preview,
    pub copy: CopyPlace,
    pub release: Release,
    pub onward: Onward,
    pub silence: Silence,
    pub cancel_wait: CancelWait,
    pub before_hold: BeforeHold,
    pub disposal: DisposalFact,
    pub hand_over: HandOverFact,
}

impl Facts {
    /// Facts of which only lane and urgency are established: whatever is not known holds back.
    ///
    /// Name what you know with struct update: `Facts { basis, recipient, ..Facts::cautious(lane, urgency) }`.
    pub const fn cautious(lane: Lane, urgency: Urgency) -> Self {
        Self {
            lane,
            urgency,
            basis: BasisFact::Missing,
            recipient: RecipientFact::Blocked,
            approval: Approval::Missing,
            preview: Preview::Differs,
            copy: CopyPlace::Fetched,
            release: Release::Done,
            onward: Onward::NotCovered,
            silence: Silence::StepsOpen,
            cancel_wait: CancelWait::Running,
            before_hold: BeforeHold::Accepted,
            disposal: DisposalFact::NotAsked,
            // Of which kind a leg is, is never unknown: whoever asks about a hand-over says so.
            hand_over: HandOverFact::No,
        }
    }
}
