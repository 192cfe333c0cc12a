//! The documents the agencies send. The family is made of places to fill in (見本), not of people.

use jiff::{Span, Timestamp, tz::Offset};
use serde_json::{Value, json};

use crate::{
    domain::{
        consent::day_in_japan,
        ids::{AgencyId, ConsentId},
    },
    usecases::jst,
};

/// The month in which a child was born that is so many years old, or becomes so this year.
fn born(now: Timestamp, years: i16) -> String {
    format!("{:04}-05", day_in_japan(now).year() - years)
}

/// A small child and its mother.
fn subjects(now: Timestamp) -> Value {
    json!([{"ref": "child-1", "role": "child", "birth_date": born(now, 3)}, {"ref": "mother", "role": "guardian"}])
}

/// What a coordinator wrote down of them.
fn content(now: Timestamp) -> Value {
    json!({
        "identity": [
            {"subject": "child-1", "name": {"family": "見本", "given": "第一子"}, "birth_date": born(now, 3), "sex": "9"},
            {"subject": "mother", "name": {"family": "見本", "given": "母"}}
        ],
        "contact": [{"subject": "mother", "phone": "045-000-0000", "safe_contact": "平日の日中。留守番電話には残さない"}],
        "needs": [{"codes": ["RESPITE", "ISOLATION"], "text": "週に一度、数時間の預かりを希望"}],
        "narrative": [{"summary": "短時間の預かりを希望している", "text": "近くに頼れる親族がいない。"}],
        "development": [{"subject": "child-1", "summary": "ことばの相談を希望", "text": "二語文がまだ少ない。"}],
    })
}

/// What the mother agreed to, for her child and herself, for three months from today.
pub(super) fn consent(now: Timestamp, recipients: &[AgencyId], sections: &[&str]) -> Value {
    let first_day = day_in_japan(now);
    let last_day = first_day.saturating_add(Span::new().months(3));
    json!({
        "purpose": "SHOKAI", "recipients": recipients, "sections": sections, "subjects": subjects(now),
        "giver": {"subject": "mother", "capacity": "PARENT", "for": ["child-1", "mother"]},
        "custody": {"kind": "sole"}, "one_person_site": true,
            "method": "oral", "read_back": true, "language": "ja", "text_version": "2026-04", "decision": "given",
        "first_day": first_day, "last_day": last_day,
    })
}

/// A leg that rests on a consent.
pub(super) fn leg(recipient: AgencyId, consent: ConsentId, sections: &[&str], action: &str) -> Value {
    json!({
        "recipient": recipient, "basis": {"code": "CONSENT", "consent": consent}, "sections": sections,
        "requested_action": action,
        // Everybody meets for the first time here, and was looked at twice.
        "confirmed": ["first_time", "look_alike"],
    })
}

/// A referral with these legs, under a reference of its scene.
pub(super) fn referral(now: Timestamp, scene: u8, legs: &[Value]) -> Value {
    json!({
        "type": "SHOKAI", "urgency": "U1", "source_ref": format!("demo-{scene}"), "subjects": subjects(now), "content": content(now),
        "legs": legs,
    })
}

/// A notice by a nursery that telephoned a moment ago. It names who gave it, in a compartment of its own.
pub(super) fn notice(now: Timestamp, recipients: &[AgencyId]) -> Value {
    let called_at = now.checked_sub(Span::new().minutes(2)).unwrap_or(now);
    let leg = |recipient: &AgencyId| {
        json!({
            "recipient": recipient, "basis": {"code": "TSUKOKU_GY6"},
            "sections": ["identity", "narrative", "safety", "notifier"], "requested_action": "安全確認をお願いします",
        })
    };
    json!({
        "type": "TSUKOKU", "urgency": "U4", "called_at": jst(called_at),
        "subjects": [{"ref": "child-1", "role": "child", "birth_date": born(now, 4)}],
        "content": {
            "identity": [{"subject": "child-1", "name": {"family": "見本", "given": "園児"}}],
            "narrative": [{"subject": "child-1", "summary": "背中にあざ", "text": "着替えのときに気づいた。"}],
            "safety": [{"text": "本日は園で保護者の迎えを待っている。"}],
            "notifier": [{"relation": "通っている園の職員", "phone": "045-000-0001", "text": "電話に出られるのは19時まで"}],
        },
        "legs": recipients.iter().map(leg).collect::<Vec<_>>(),
    })
}

/// The family calls by itself: the hub passes on what kind of place is looked for, and nothing else.
pub(super) fn self_contact(recipient: AgencyId) -> Value {
    json!({
        "type": "SELF", "urgency": "U1",
        "resources": {"service_kind": "ichiji_azukari", "age_class": 2, "days": ["tue", "thu"]},
        "legs": [{"recipient": recipient}],
    })
}

/// Ten o'clock in Japan, three days from now.
pub(super) fn appointment(now: Timestamp) -> String {
    let day = day_in_japan(now).saturating_add(Span::new().days(3));
    let at = Offset::constant(9).to_timestamp(day.at(10, 0, 0, 0)).unwrap_or(now);
    jst(at)
}
