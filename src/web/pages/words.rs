//! How pages say what happened: short names of the receipts, and each act as something that was done.

use serde_json::Value;

use super::frame::{Frame, Time};
use crate::domain::{
    answer::{DeclineReason, DeclinedBy, DiscontinueReason, Outcome},
    fault::Phrase,
    hand_over::MeetingWay,
    leg::{LegAction, LegState},
    receipt::ReceiptLevel,
};

const fn phrase(ja: &'static str, en: &'static str) -> Phrase {
    Phrase { ja, en }
}

/// A receipt in one word; its label says more.
pub(super) const fn rung(level: ReceiptLevel) -> Phrase {
    match level {
        ReceiptLevel::R0 => phrase("受付", "accepted"),
        ReceiptLevel::R1 => phrase("送達待ち", "queued"),
        ReceiptLevel::R2 => phrase("受信", "taken"),
        ReceiptLevel::R3 => phrase("開封", "opened"),
        ReceiptLevel::R4 => phrase("返書", "answered"),
        ReceiptLevel::Closed => phrase("終了", "closed"),
    }
}

/// Whether a leg in this state has been sent. What is only written yet is on nobody's board.
pub(super) const fn sent(state: LegState) -> bool {
    !matches!(state, LegState::Draft | LegState::AwaitingBasis)
}

/// What was done, told after it was done.
pub(super) const fn done(action: LegAction) -> Phrase {
    match action {
        LegAction::Submit => phrase("送りました", "sent"),
        LegAction::Receive => phrase("宛先に届きました", "arrived at the recipient"),
        LegAction::BreakGlass => phrase("緊急閲覧", "opened in an emergency"),
        LegAction::View => phrase("宛先が見ました", "looked at by the recipient"),
        LegAction::Release => phrase("相手に見えるようになりました", "became visible to the recipient"),
        LegAction::Undo => phrase("送信を取りやめました", "the sending was undone"),
        LegAction::Acknowledge => phrase("引継ぎの受領の連絡がありました", "the hand-over was acknowledged"),
        LegAction::Accept => phrase("受け入れると返書がありました", "answered: accepted"),
        LegAction::Waitlist => phrase("待機になると返書がありました", "answered: on the waiting list"),
        LegAction::Decline => phrase("受け入れられないと返書がありました", "answered: declined"),
        LegAction::Ask => phrase("照会がありました", "the recipient asked"),
        LegAction::Reply => phrase("照会に答えました", "the question was answered"),
        LegAction::Forward => phrase("他機関に引き継がれました", "forwarded to another agency"),
        LegAction::Schedule => phrase("日程が決まりました", "scheduled"),
        LegAction::Start => phrase("支援が始まりました", "work has begun"),
        LegAction::Hold => phrase("一時停止になりました", "put on hold"),
        LegAction::Resume => phrase("再開しました", "resumed"),
        LegAction::Complete => phrase("完了しました", "completed"),
        LegAction::Discontinue => phrase("中断・終結しました", "discontinued"),
        LegAction::Cancel => phrase("取り消しました", "cancelled by the sender"),
        LegAction::ConfirmCancel => phrase("取消が確認されました", "the cancellation was confirmed"),
        LegAction::Expire => phrase("返書がないまま終了しました", "ended without an answer"),
        LegAction::Withdraw => phrase("同意が撤回されました", "the consent was withdrawn"),
        LegAction::Recall => phrase("誤送信として回収されました", "recalled as sent by mistake"),
        LegAction::ConfirmDisposal => {
            phrase("写しの扱いが確かめられました", "what became of the copy was confirmed")
        }
        LegAction::Note => phrase("連絡が書き添えられました", "a note was added"),
        LegAction::NoShow => phrase("来所がありませんでした", "nobody came"),
        LegAction::AppointmentMoved => phrase("日程が変わりました", "the appointment was moved"),
        LegAction::Reminder => phrase("返事を促しました", "reminded"),
        LegAction::Shred => phrase("内容を消去しました", "erased the content"),
        other => phrase(other.label_ja(), other.label_en()),
    }
}

/// What was written at an event: a name for each member of it that a person can read.
pub(super) fn said(frame: &Frame, event: &Value) -> Vec<(&'static str, String)> {
    const MEMBERS: [(&str, Phrase); 10] = [
        ("reason", phrase("理由", "Reason")),
        ("declined_by", phrase("どちらの事情か", "Whose circumstances")),
        ("outcome", phrase("結果", "Outcome")),
        ("review_on", phrase("見直す日", "To be reviewed on")),
        ("appointment_at", phrase("予約の日時", "Appointment")),
        ("question", phrase("照会", "Question")),
        ("answer", phrase("回答", "Answer")),
        ("note", phrase("連絡", "Note")),
        ("suggestion", phrase("ほかの相談先", "Suggestion")),
        ("onward_recipient", phrase("引継ぎ先の機関のID", "Id of the agency it was forwarded to")),
    ];
    let text = |name: &str| event[name].as_str().map(str::to_owned);
    let told = |(name, label): &(&str, Phrase)| {
        let said = text(name)?;
        if *name == "appointment_at" {
            let at = said.parse().map_or(said, |at| Time::of(at).full);
            return Some((frame.phrase(*label), at));
        }
        let known = match *name {
            "reason" => reason(frame, &said),
            "declined_by" => said.parse().ok().map(|by: DeclinedBy| frame.say(by.label_ja(), by.label_en())),
            "outcome" => said.parse().ok().map(|one: Outcome| frame.say(one.label_ja(), one.label_en())),
            _ => None,
        };
        Some((frame.phrase(*label), known.map_or(said, str::to_owned)))
    };
    MEMBERS.iter().filter_map(told).chain(meeting(frame, &event["meeting"])).collect()
}

/// When and how the two sides of a hand-over meet.
fn meeting(frame: &Frame, told: &Value) -> Option<(&'static str, String)> {
    let way = told["by"].as_str().and_then(|by| by.parse().ok());
    let way = way.map_or("", |by: MeetingWay| frame.say(by.label_ja(), by.label_en()));
    let family = match told["accompanied"].as_bool() {
        Some(true) => frame.say("ご家族が同席", "with the family"),
        Some(false) => frame.say("ご家族は同席しない", "without the family"),
        None => "",
    };
    let said = [told["on"].as_str()?, way, family].into_iter().filter(|part| !part.is_empty());
    let said: Vec<&str> = said.collect();
    Some((frame.phrase(phrase("引継面談日", "Meeting")), said.join(frame.say("・", ", "))))
}

/// A reason by its label, of whichever list it is.
fn reason(frame: &Frame, code: &str) -> Option<&'static str> {
    let declined = code.parse().ok().map(|why: DeclineReason| frame.say(why.label_ja(), why.label_en()));
    declined
        .or_else(|| code.parse().ok().map(|why: DiscontinueReason| frame.say(why.label_ja(), why.label_en())))
}
