//! What became of a copy that had left the inbox when it was asked back: after a withdrawal of consent, and after a
//! recall of what was sent by mistake. One machine-less life for both: asked, and then answered by a named person.
//!
//! Silence is no answer and never becomes one; it has a clock, and is shown as silence.

use jiff::Timestamp;

use super::calendar::end_of_working_day;
use crate::code_list;

/// Working days a holder has to answer (domain.md 6-9).
const WORKING_DAYS: u32 = 3;

code_list! {
    /// Why a copy is asked back.
    HoldingCause, "cause of a request" {
        Withdrawal = "withdrawal", "同意の撤回", "the consent was withdrawn";
        Recall = "recall", "誤送信の回収", "it was sent by mistake";
    }
}

code_list! {
    /// What a holder says became of its copy.
    Disposal, "disposal" {
        Deleted = "deleted", "削除した", "deleted";
        Destroyed = "destroyed", "廃棄・消去した", "destroyed";
        KeptByLaw = "kept_by_law", "法令により保存する", "kept, as a law requires";
    }
}

code_list! {
    /// Where a request to a holder stands.
    HoldingState, "state of a request" {
        Asked = "asked", "確認待ち", "asked, not answered yet";
        /// Derived from the clock, never stored: an answer is welcome at any time.
        Silent = "silent", "期限を過ぎて未回答", "silent past its deadline";
        Deleted = "deleted", "削除した", "deleted";
        Destroyed = "destroyed", "廃棄・消去した", "destroyed";
        KeptByLaw = "kept_by_law", "法令により保存する", "kept, as a law requires";
    }
}

impl HoldingCause {
    /// Whether a holder may answer so: what was rightly received is deleted, what was received by mistake destroyed.
    pub const fn admits(self, answer: Disposal) -> bool {
        match self {
            Self::Withdrawal => matches!(answer, Disposal::Deleted | Disposal::KeptByLaw),
            Self::Recall => matches!(answer, Disposal::Destroyed | Disposal::KeptByLaw),
        }
    }

    /// What the recipient reads: that, and when, and never why.
    pub const fn notice_ja(self) -> &'static str {
        match self {
            Self::Withdrawal => "同意撤回",
            Self::Recall => "誤送信のため回収",
        }
    }
}

impl From<Disposal> for HoldingState {
    fn from(answer: Disposal) -> Self {
        match answer {
            Disposal::Deleted => Self::Deleted,
            Disposal::Destroyed => Self::Destroyed,
            Disposal::KeptByLaw => Self::KeptByLaw,
        }
    }
}

impl HoldingState {
    pub const fn answered(self) -> bool {
        !matches!(self, Self::Asked | Self::Silent)
    }

    /// The stored state as it is to be read now.
    pub fn as_of(self, due: Timestamp, now: Timestamp) -> Self {
        if self == Self::Asked && now >= due { Self::Silent } else { self }
    }
}

/// By when a holder asked at this moment is to answer.
pub fn due(asked_at: Timestamp) -> Timestamp {
    end_of_working_day(asked_at, WORKING_DAYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_begins_when_the_clock_has_run_out_and_no_answer_becomes_silence() {
        let asked: Timestamp = "2026-10-15T09:00:00+09:00".parse().unwrap();
        let due = due(asked);
        assert_eq!(due.to_string(), "2026-10-20T15:00:00Z");
        assert_eq!(HoldingState::Asked.as_of(due, asked), HoldingState::Asked);
        assert_eq!(HoldingState::Asked.as_of(due, due), HoldingState::Silent);
        for answer in Disposal::ALL {
            let state = HoldingState::from(*answer);
            assert_eq!((state.as_of(due, Timestamp::MAX), state.answered()), (state, true));
            assert_eq!(state.code(), answer.code());
        }
        assert!(!HoldingState::Asked.answered() && !HoldingState::Silent.answered());
    }

    #[test]
    fn each_cause_has_its_own_word_for_gone() {
        let answers = |cause: HoldingCause| -> Vec<&str> {
            Disposal::ALL.iter().filter(|one| cause.admits(**one)).map(|one| one.code()).collect()
        };
        assert_eq!(answers(HoldingCause::Withdrawal), ["deleted", "kept_by_law"]);
        assert_eq!(answers(HoldingCause::Recall), ["destroyed", "kept_by_law"]);
    }
}
