//! The documents that agencies post: a family, its consent, and what is told about it.

use jiff::{Span, Timestamp, tz::Offset};
use serde_json::{Value, json};

use super::{Agency, Town};

/// What a consent of these tests covers.
pub const ORDINARY: &[&str] = &["identity", "contact", "needs", "narrative"];
/// Every section there is.
pub const ALL_SECTIONS: &[&str] = &[
    "identity",
    "contact",
    "address",
    "household",
    "needs",
    "narrative",
    "health",
    "development",
    "economic",
    "safety",
    "notifier",
];

/// What is known of a consent before anybody has been asked: the body of a form to print.
pub fn form_paper(mut consent: Value) -> Value {
    let members = consent.as_object_mut().unwrap();
    members.retain(|name, _| {
        !matches!(name.as_str(), "method" | "read_back" | "decision" | "one_person_site" | "witness")
    });
    consent
}

impl Town {
    /// A day in Japan, so many days from today.
    pub fn day(&self, from_today: i64) -> String {
        let today = Offset::constant(9).to_datetime(self.clock.now()).date();
        today.checked_add(Span::new().days(from_today)).unwrap().to_string()
    }

    /// A time, so many minutes from now, as the API writes it.
    pub fn time(&self, minutes: i64) -> String {
        let at: Timestamp = self.clock.now().checked_add(Span::new().minutes(minutes)).unwrap();
        at.display_with_offset(Offset::constant(9)).to_string()
    }

    /// A mother's consent for herself and her child, in force from yesterday for ninety days.
    pub fn consent_paper(&self, recorded_by: &str, recipients: &[&Agency], sections: &[&str]) -> Value {
        json!({
            "recorded_by": recorded_by, "purpose": "SHOKAI",
            "recipients": recipients.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(),
            "sections": sections,
            "subjects": [
                {"ref": "child-1", "role": "child", "birth_date": "2023-05"},
                {"ref": "mother", "role": "guardian", "birth_date": "1995"}
            ],
            "giver": {
                "subject": "mother", "capacity": "PARENT", "name": {"family": "山辺\u{e0100}"},
                "for": ["child-1", "mother"]
            },
            "custody": {"kind": "sole"}, "one_person_site": true,
            "method": "oral", "read_back": true, "language": "ja", "text_version": "2026-04",
            "decision": "given", "first_day": self.day(-1), "last_day": self.day(90),
        })
    }

    /// An introduction under a consent, one leg per recipient.
    pub fn introduction(&self, written_by: &str, consent: &str, recipients: &[&Agency]) -> Value {
        let leg = |recipient: &&Agency| {
            json!({
                "recipient": recipient.id, "basis": {"code": "CONSENT", "consent": consent},
                "sections": ORDINARY,
            })
        };
        json!({
            "type": "SHOKAI", "urgency": "U1", "written_by": written_by,
            "subjects": [
                {"ref": "child-1", "role": "child", "birth_date": "2023-05"},
                {"ref": "mother", "role": "guardian"}
            ],
            "content": {
                "identity": [{
                    "subject": "child-1", "name": {"family": "山辺\u{e0100}", "given": "澪"},
                    "birth_date": "2023-05-01"
                }],
                "contact": [{"subject": "mother", "phone": "045-000-0000"}],
                "needs": [{"codes": ["RESPITE"]}],
                "narrative": [{"summary": "短時間の預かりを希望", "text": "詳しい経過"}],
            },
            "legs": recipients.iter().map(leg).collect::<Vec<_>>(),
        })
    }

    /// A notice of suspected abuse (通告) to a desk, telephoned twenty minutes ago.
    pub fn notice(&self, written_by: &str, desk: &Agency) -> Value {
        json!({
            "type": "TSUKOKU", "urgency": "U4", "written_by": written_by, "called_at": self.time(-20),
            "subjects": [{"ref": "child-1", "role": "child", "birth_date": "2022"}],
            "content": {
                "identity": [{"subject": "child-1", "name": {"given": "湊"}}],
                "narrative": [{"summary": "あざ", "text": "両腕に新しいあざ"}],
                "notifier": [{"name": {"family": "通告者"}, "relation": "保育士"}],
            },
            "legs": [{
                "recipient": desk.id, "basis": {"code": "TSUKOKU_GY6"},
                "sections": ["identity", "narrative", "notifier"],
            }],
        })
    }

    /// Self-contact (本人連絡): a family will come by itself, and nothing about it travels.
    pub fn self_contact(&self, written_by: &str, recipient: &Agency) -> Value {
        json!({
            "type": "SELF", "urgency": "U0", "written_by": written_by,
            "resources": {"service_kind": "ichiji_azukari", "age_class": 1, "days": ["tue"]},
            "legs": [{"recipient": recipient.id, "sections": []}],
        })
    }
}
