//! What the load consists of: a family, its consent, and a referral to two recipients with about 2 KiB of content.

use serde_json::{Value, json};

/// Sections the consent covers and the referral passes on.
const SECTIONS: [&str; 4] = ["identity", "contact", "needs", "narrative"];

/// A consent of the mother for herself and her child, valid around `today`.
pub fn consent(staff: &str, recipients: &[&str], today: jiff::civil::Date) -> Value {
    let day = |days: i64| today.saturating_add(jiff::Span::new().days(days)).to_string();
    json!({
        "recorded_by": staff, "purpose": "SHOKAI", "recipients": recipients, "sections": SECTIONS,
        "subjects": subjects(),
        "giver": {"subject": "mother", "capacity": "PARENT",
            "name": {"family": "試験", "given": "花子"}, "for": ["child-1", "mother"]},
        "custody": {"kind": "sole"}, "one_person_site": true,
            "method": "oral", "read_back": true, "language": "ja", "text_version": "2026-04", "decision": "given",
        "first_day": day(-1), "last_day": day(60),
    })
}

/// A referral that rests on that consent; both recipients get all of it.
pub fn referral(staff: &str, consent: &str, recipients: &[&str]) -> Value {
    let leg = |recipient: &&str| {
        json!({
            "recipient": recipient, "basis": {"code": "CONSENT", "consent": consent},
            "sections": SECTIONS, "needed": SECTIONS, "requested_action": "一時預かりの利用相談をお願いします",
            "confirmed": ["look_alike", "first_time"],
        })
    };
    json!({
        "type": "SHOKAI", "urgency": "U2", "purpose": "SHOKAI", "written_by": staff, "subjects": subjects(),
        "content": content(), "legs": recipients.iter().map(leg).collect::<Vec<_>>(),
    })
}

fn subjects() -> Value {
    json!([
        {"ref": "child-1", "role": "child", "birth_date": "2023-05"}, {"ref": "mother", "role": "guardian"},
    ])
}

/// About 2 KiB of JSON text.
pub fn content() -> Value {
    let sentence = "母は育児の負担を強く感じており、週に二日ほど子を預けて休む時間がほしいと話した。";
    json!({
        "identity": [
            {"subject": "child-1", "birth_date": "2023-05-01", "sex": "1",
                "name": {"family": "試験", "given": "太郎", "family_kana": "しけん", "given_kana": "たろう"}},
            {"subject": "mother",
                "name": {"family": "試験", "given": "花子", "family_kana": "しけん", "given_kana": "はなこ"}},
        ],
        "contact": [{"subject": "mother", "phone": "045-000-0000", "safe_contact": "平日の午前中に電話してください"}],
        "needs": [{"codes": ["RESPITE"], "text": sentence}],
        "narrative": [{"summary": sentence, "text": sentence.repeat(8), "wishes": sentence}],
    })
}
