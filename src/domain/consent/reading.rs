//! Reads a consent as it is submitted.

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Capacity, ConsentMethod, ConsentRecord, Giver, Line,
    custody::{Custody, DailyActs},
};
use crate::domain::{
    basis_state::ConsentState,
    field_error::FieldError,
    ids::{AgencyId, ConsentId},
    referral::ReferralType,
    section::Sections,
    subject::{Subject, SubjectRef},
};

impl ConsentRecord {
    /// Reads the body of `POST /v1/consents` that has passed its schema.
    ///
    /// # Errors
    /// Every fault found, as pointers into the body: recipients that are not named, lines for people
    /// who are not declared, an oral consent that was not read back, a period that ends before it
    /// begins, a purpose that needs no consent.
    pub fn parse(
        value: &Value,
        id: ConsentId,
        caller: AgencyId,
        today: Date,
    ) -> Result<Self, Vec<FieldError>> {
        let mut read = Reader { value, errors: Vec::new() };
        let subjects =
            Subject::parse_all(&value["subjects"], "/subjects", today).unwrap_or_else(|mut errors| {
                read.errors.append(&mut errors);
                Vec::new()
            });
        let record = read.record(id, caller, subjects);
        match record {
            Some(record) if read.errors.is_empty() => {
                let faults = record.faults(value);
                if faults.is_empty() { Ok(record) } else { Err(faults) }
            }
            _ => Err(read.errors),
        }
    }

    /// What contradicts itself although each member reads well.
    fn faults(&self, value: &Value) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let mut fault = |wrong: bool, pointer: &str, code, ja, en| {
            if wrong {
                faults.push(FieldError::new(pointer, code, ja, en));
            }
        };
        let declared = |r: &SubjectRef| self.subjects.iter().any(|s| s.reference == *r);
        fault(
            !self.purpose.carries_personal_data() || self.purpose == ReferralType::Notice,
            "/purpose",
            "purpose_needs_no_consent",
            "この種別に同意はいりません。通告に同意を求めないでください。",
            "This type needs no consent; never ask for one before a notice.",
        );
        for (undeclared, at) in [
            (self.giver.subject.as_ref().is_some_and(|s| !declared(s)), "/giver/subject"),
            (!self.giver.consents_for.iter().all(declared), "/giver/for"),
        ] {
            fault(
                undeclared,
                at,
                "subject_not_declared",
                "subjects で宣言した ref を書いてください。",
                "Name a ref that is declared in subjects.",
            );
        }
        fault(
            self.giver.capacity == Capacity::Oneself && self.giver.subject.is_none(),
            "/giver/subject",
            "giver_unknown",
            "本人の同意では、どの対象者本人かを書いてください。",
            "Where somebody consents for themselves, say which subject it is.",
        );
        fault(
            self.method == ConsentMethod::Oral && value["read_back"] != true,
            "/read_back",
            "not_read_back",
            "口頭の同意は読み上げて確認し、read_back を true にしてください。",
            "Read an oral consent back and record it as read_back: true.",
        );
        fault(
            self.act.is_none()
                && self.custody.into_iter().chain(self.line_custodies()).any(Custody::is_joint),
            "/act",
            "act_missing",
            "共同親権では、何をするための同意か（相談、一時預かりなど）を選んでください。",
            "With joint custody, say what the family will do: consultation, temporary childcare and so on.",
        );
        fault(
            self.last_day < self.first_day,
            "/last_day",
            "period",
            "末日は初日以降にしてください。",
            "The last day cannot come before the first.",
        );
        fault(
            self.sections.is_empty(),
            "/sections",
            "sections_empty",
            "同意する区分を一つ以上選んでください。",
            "Choose at least one section.",
        );
        faults
    }

    fn line_custodies(&self) -> impl Iterator<Item = Custody> {
        self.lines.values().filter_map(|line| line.custody)
    }
}

/// Reads members one by one and gathers what is wrong.
struct Reader<'a> {
    value: &'a Value,
    errors: Vec<FieldError>,
}

impl Reader<'_> {
    fn record(&mut self, id: ConsentId, caller: AgencyId, subjects: Vec<Subject>) -> Option<ConsentRecord> {
        let giver = self.giver();
        let recipients = self.recipients();
        let sender = if self.value["sender"].is_null() { Some(caller) } else { self.parsed("/sender") };
        let case = if self.value["case"].is_null() { None } else { self.parsed("/case") };
        let state = match self.value["decision"].as_str() {
            Some("given") => Some(ConsentState::Active),
            Some("refused") => Some(ConsentState::Refused),
            _ => self.wrong("/decision"),
        };
        let purpose = self.parsed("/purpose");
        let sections = match Sections::deserialize(&self.value["sections"]) {
            Ok(sections) => Some(sections),
            Err(_) => self.wrong("/sections"),
        };
        let method = self.parsed("/method");
        let (first_day, last_day) = (self.parsed("/first_day"), self.parsed("/last_day"));
        let act = if self.value["act"].is_null() { None } else { self.parsed("/act") };
        let (giver, first_day) = (giver?, first_day?);
        let custody = match &self.value["custody"] {
            Value::Null => None,
            custody => Custody::read(custody, "/custody", first_day, &mut self.errors),
        };
        let declared = |one: &SubjectRef| subjects.iter().any(|subject| subject.reference == *one);
        let lines =
            Line::read_all(&self.value["lines"], &giver, custody, &declared, first_day, &mut self.errors);
        let text = |name: &str| self.value[name].as_str().unwrap_or_default().to_owned();
        let record = ConsentRecord {
            id,
            version: 1,
            state: state?,
            case,
            purpose: purpose?,
            sender: sender?,
            recipients: recipients?,
            sections: sections?,
            subjects,
            giver,
            lines,
            custody,
            act,
            act_is_daily: false,
            method: method?,
            language: text("language"),
            interpreted: self.value["interpreter"].is_string(),
            text_version: text("text_version"),
            first_day,
            last_day: last_day?,
        };
        Some(record.judged_by(&DailyActs::default()))
    }

    fn recipients(&mut self) -> Option<Vec<AgencyId>> {
        let named = self.value["recipients"].as_array().filter(|list| !list.is_empty());
        let ids = named.and_then(|list| list.iter().map(|r| r.as_str()?.parse().ok()).collect());
        if ids.is_none() {
            self.errors.push(FieldError::new(
                "/recipients",
                "CONSENT_PARTY",
                "宛先は「関係機関」などとせず、機関を一つずつ挙げてください。",
                "Name every recipient by its id; \"related agencies\" names nobody.",
            ));
        }
        ids
    }

    fn giver(&mut self) -> Option<Giver> {
        let giver = &self.value["giver"];
        let refs = giver["for"].as_array().filter(|list| !list.is_empty());
        let consents_for = match refs.and_then(|l| l.iter().map(|r| r.as_str()?.parse().ok()).collect()) {
            Some(refs) => Some(refs),
            None => self.wrong("/giver/for"),
        };
        let subject = if giver["subject"].is_null() { None } else { self.parsed("/giver/subject") };
        let capacity = self.parsed("/giver/capacity");
        Some(Giver { subject, capacity: capacity?, consents_for: consents_for? })
    }

    fn parsed<T: std::str::FromStr>(&mut self, pointer: &str) -> Option<T> {
        let text = self.value.pointer(pointer).and_then(Value::as_str);
        match text.and_then(|text| text.parse().ok()) {
            Some(value) => Some(value),
            None => self.wrong(pointer),
        }
    }

    fn wrong<T>(&mut self, pointer: &str) -> Option<T> {
        self.errors.push(FieldError::new(
            pointer,
            "malformed",
            "値の形が正しくありません。様式の説明に合わせてください。",
            "The value is malformed; see the schema of this member.",
        ));
        None
    }
}

#[cfg(test)]
pub(super) mod tests {
    use jiff::civil::date;
    use serde_json::json;

    use super::*;
    use crate::domain::consent::LineDecision;

    const SENDER: AgencyId = AgencyId::new(uuid::Uuid::from_u128(1));

    pub fn body() -> Value {
        json!({
            "purpose": "SHOKAI", "recipients": ["00000000-0000-0000-0000-000000000002"],
            "sections": ["identity", "contact"],
            "subjects": [{"ref": "child-1", "role": "child", "birth_date": "2023-05"}, {"ref": "mother", "role": "guardian"}],
            "giver": {"subject": "mother", "capacity": "PARENT", "name": {"family": "秘密"}, "for": ["child-1", "mother"]},
            "custody": {"kind": "sole"},
            "method": "oral", "read_back": true, "witness": "秘密", "language": "vi", "interpreter": "秘密", "text_version": "2026-04",
            "decision": "given", "first_day": "2026-09-01", "last_day": "2026-11-30"
        })
    }

    pub fn parse(body: &Value) -> Result<ConsentRecord, Vec<FieldError>> {
        ConsentRecord::parse(body, ConsentId::new(uuid::Uuid::nil()), SENDER, date(2026, 9, 1))
    }

    #[test]
    fn a_consent_is_read_and_keeps_no_name() {
        let consent = parse(&body()).unwrap();
        assert_eq!((consent.sender, consent.state), (SENDER, ConsentState::Active));
        assert!(consent.interpreted && consent.recipients.len() == 1);
        assert!(!format!("{consent:?}").contains("秘密"));
    }

    #[test]
    fn a_consent_that_names_nobody_or_contradicts_itself_is_refused() {
        let cases = [
            ("/recipients", json!([]), "/recipients", "CONSENT_PARTY"),
            ("/recipients", json!(["関係機関"]), "/recipients", "CONSENT_PARTY"),
            ("/recipients", json!("関係機関"), "/recipients", "CONSENT_PARTY"),
            ("/giver/for", json!([]), "/giver/for", "malformed"),
            ("/giver/for", json!(["father"]), "/giver/for", "subject_not_declared"),
            ("/giver/subject", json!("grandmother"), "/giver/subject", "subject_not_declared"),
            ("/giver", json!({"capacity": "SELF", "for": ["mother"]}), "/giver/subject", "giver_unknown"),
            ("/giver/capacity", json!("UNCLE"), "/giver/capacity", "malformed"),
            ("/read_back", json!(false), "/read_back", "not_read_back"),
            ("/last_day", json!("2026-08-31"), "/last_day", "period"),
            ("/sections", json!([]), "/sections", "sections_empty"),
            ("/sections", json!(["everything"]), "/sections", "malformed"),
            ("/purpose", json!("TSUKOKU"), "/purpose", "purpose_needs_no_consent"),
            ("/purpose", json!("SELF"), "/purpose", "purpose_needs_no_consent"),
            ("/decision", json!("maybe"), "/decision", "malformed"),
            (
                "/custody",
                json!({"kind": "joint_after_divorce", "other_custodian": "objects"}),
                "/act",
                "act_missing",
            ),
            (
                "/custody",
                json!({"kind": "joint_married"}),
                "/custody/other_custodian",
                "other_custodian_missing",
            ),
            ("/custody/kind", json!("shared"), "/custody/kind", "malformed"),
        ];
        for (place, value, pointer, code) in cases {
            let mut body = body();
            *body.pointer_mut(place).unwrap() = value.clone();
            let errors = parse(&body).unwrap_err();
            assert!(
                errors.iter().any(|e| e.pointer == pointer && e.code == code),
                "{place} {value}: {errors:?}"
            );
        }
    }

    pub fn codes(faults: Vec<FieldError>) -> Vec<(String, &'static str)> {
        faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect()
    }

    #[test]
    fn lines_of_their_own_take_the_rest_from_the_record() {
        let mut body = body();
        body["subjects"].as_array_mut().unwrap().push(json!({"ref": "father", "role": "guardian"}));
        body["lines"] = json!([
            {"subject": "father", "decision": "refused", "giver": {"subject": "father"}, "capacity": "SELF"},
            {"subject": "child-1", "opinion": {"view": "against", "text": "秘密"}},
        ]);
        let consent = parse(&body).unwrap();
        let line = |of: &str| consent.line(&of.parse().unwrap()).unwrap();
        assert_eq!(
            (line("father").decision, line("father").capacity),
            (LineDecision::Refused, Capacity::Oneself)
        );
        assert_eq!(line("child-1").custody, Some(Custody::SOLE));
        assert_eq!(
            (line("child-1").giver, line("mother").giver),
            (line("mother").giver, line("child-1").giver)
        );
        assert!(!format!("{consent:?}").contains("秘密"));
        for (place, value, fault) in [
            ("/lines/0/subject", json!("uncle"), ("/lines/0/subject".to_owned(), "subject_not_declared")),
            (
                "/lines/0/giver/subject",
                json!("uncle"),
                ("/lines/0/giver/subject".to_owned(), "subject_not_declared"),
            ),
            ("/lines/1/subject", json!("father"), ("/lines/1/subject".to_owned(), "line_twice")),
            ("/lines/1/custody", json!({"kind": "?"}), ("/lines/1/custody/kind".to_owned(), "malformed")),
        ] {
            let mut body = body.clone();
            match body.pointer_mut(place) {
                Some(there) => *there = value,
                None => body["lines"][1]["custody"] = value,
            }
            assert_eq!(codes(parse(&body).unwrap_err()), [fault], "{place}");
        }
    }
}
