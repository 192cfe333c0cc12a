//! Reads a file of decision cases that has passed its schema.

mod faults;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    Answer, Case, CaseFile, agreed::WireArrangement, consent::WireConsent, protected::WireProtection,
};
use crate::domain::{
    agency::{Agency, AgencyKind, Body},
    basis::Facts,
    consent::day_in_japan,
    disclosure::{
        Event, Opener,
        situation::{COLLEAGUE, MUNICIPALITY, Situation, WRITER},
    },
    field_error::FieldError,
    hand_over::Flag,
    ids::AgencyId,
    mask::{Detail, Why, Withheld},
    municipality::MunicipalityCode,
    referral::ReferralType,
    refusal::RefusalCode,
    section::{Section, Sections},
    subject::{Subject, SubjectRef},
};

use faults::{agency_twice, agency_unknown, bad_municipality, case_twice, unreadable};

pub(super) type Read<T> = Result<T, Vec<FieldError>>;

#[derive(Deserialize)]
struct WireFile {
    title: String,
    agencies: Vec<WireAgency>,
    cases: Vec<Value>,
}

#[derive(Deserialize)]
struct WireAgency {
    name: String,
    kind: AgencyKind,
    body: Option<Body>,
    municipality: Option<String>,
    contractor_of: Option<String>,
}

#[derive(Deserialize)]
struct WireCase {
    id: String,
    situation: String,
    law: String,
    event: Option<WireEvent>,
    #[serde(default)]
    opener: WireOpener,
    at: Option<Timestamp>,
    sent_at: Option<Timestamp>,
    #[serde(rename = "type")]
    kind: Option<ReferralType>,
    purpose: Option<ReferralType>,
    sender: String,
    recipient: String,
    subjects: Option<Vec<Value>>,
    #[serde(default)]
    asked: Sections,
    #[serde(default)]
    about: BTreeMap<Section, Vec<SubjectRef>>,
    needed: Option<Sections>,
    address_needed_because: Option<String>,
    basis: Option<Map<String, Value>>,
    facility: Option<String>,
    consent: Option<WireConsent>,
    arrangement: Option<WireArrangement>,
    protection: Option<WireProtection>,
    #[serde(default)]
    protection_taken_over: bool,
    #[serde(default)]
    recalled: bool,
    #[serde(default)]
    approved_by: WireApprover,
    second_person: Option<bool>,
    expect: WireAnswer,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireEvent {
    Send,
    Deliver,
    Open,
}

#[derive(Clone, Copy, Default, Deserialize)]
struct WireOpener {
    #[serde(default)]
    duty_desk: bool,
    #[serde(default)]
    related: bool,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireApprover {
    #[default]
    Colleague,
    Writer,
    Nobody,
}

#[derive(Deserialize)]
struct WireAnswer {
    allow: Option<BTreeMap<Section, Detail>>,
    #[serde(default)]
    withheld: Vec<WireWithheld>,
    refuse: Option<RefusalCode>,
}

#[derive(Deserialize)]
struct WireWithheld {
    section: Section,
    about: Option<SubjectRef>,
    why: Why,
}

/// Agencies by the names that the cases give them.
pub(super) struct Names {
    declared: Vec<Agency>,
    others: Vec<String>,
}

impl Names {
    fn read(wire: Vec<WireAgency>) -> Read<Self> {
        let mut declared: Vec<Agency> = Vec::with_capacity(wire.len());
        let mut faults = Vec::new();
        for (place, agency) in wire.into_iter().enumerate() {
            let at = format!("/agencies/{place}");
            if declared.iter().any(|known| known.name == agency.name) {
                faults.push(agency_twice(format!("{at}/name")));
            }
            for (member, code) in
                [("municipality", &agency.municipality), ("contractor_of", &agency.contractor_of)]
            {
                if code.as_deref().is_some_and(|code| MunicipalityCode::parse(code).is_err()) {
                    faults.push(bad_municipality(format!("{at}/{member}")));
                }
            }
            declared.push(Agency {
                id: numbered(declared.len()),
                kind: agency.kind,
                name: agency.name,
                municipality: agency.municipality.unwrap_or_else(|| MUNICIPALITY.to_owned()),
                body: agency.body.unwrap_or(Body::Private),
                contractor_of: agency.contractor_of,
            });
        }
        if faults.is_empty() { Ok(Self { declared, others: Vec::new() }) } else { Err(faults) }
    }

    /// The id behind a name. A name that is no agency of the file, such as 「関係機関」, has one that nobody has.
    pub(super) fn id(&mut self, name: &str) -> AgencyId {
        let declared = self.declared.len();
        if let Some(place) = self.declared.iter().position(|agency| agency.name == name) {
            return numbered(place);
        }
        let place = self.others.iter().position(|known| known == name).unwrap_or_else(|| {
            self.others.push(name.to_owned());
            self.others.len() - 1
        });
        numbered(declared + place)
    }

    fn agency(&self, name: &str, pointer: String) -> Read<Agency> {
        let found = self.declared.iter().find(|agency| agency.name == name);
        found.cloned().ok_or_else(|| vec![agency_unknown(pointer)])
    }
}

fn numbered(place: usize) -> AgencyId {
    AgencyId::new(Uuid::from_u128(place as u128 + 1))
}

impl CaseFile {
    /// Reads a file that has passed `schemas/decision-case.json`.
    ///
    /// # Errors
    /// Every fault found, as pointers into the file.
    pub fn parse(value: &Value) -> Result<Self, Vec<FieldError>> {
        let wire = WireFile::deserialize(value).map_err(|_| vec![unreadable(String::new())])?;
        let mut names = Names::read(wire.agencies)?;
        let (mut cases, mut faults): (Vec<Case>, _) = (Vec::new(), Vec::new());
        for (place, case) in wire.cases.iter().enumerate() {
            match read_case(case, &format!("/cases/{place}"), &mut names) {
                Ok(case) if cases.iter().any(|known| known.id == case.id) => {
                    faults.push(case_twice(format!("/cases/{place}/id")));
                }
                Ok(case) => cases.push(case),
                Err(mut found) => faults.append(&mut found),
            }
        }
        if faults.is_empty() { Ok(Self { title: wire.title, cases }) } else { Err(faults) }
    }
}

fn read_case(value: &Value, at: &str, names: &mut Names) -> Read<Case> {
    let wire = WireCase::deserialize(value).map_err(|_| vec![unreadable(at.to_owned())])?;
    let mut situation = Situation {
        sender: names.agency(&wire.sender, format!("{at}/sender"))?,
        recipient: names.agency(&wire.recipient, format!("{at}/recipient"))?,
        ..Situation::default()
    };
    let opener = Opener { duty_desk: wire.opener.duty_desk, related: wire.opener.related };
    situation.event = match wire.event {
        None | Some(WireEvent::Send) => Event::Send,
        Some(WireEvent::Deliver) => Event::Deliver,
        Some(WireEvent::Open) => Event::Open(opener),
    };
    situation.at = wire.at.unwrap_or(situation.at);
    situation.sent_at = wire.sent_at.unwrap_or(situation.at);
    situation.kind = wire.kind.unwrap_or(situation.kind);
    situation.purpose = wire.purpose.unwrap_or(situation.kind);
    if let Some(people) = wire.subjects {
        let today = day_in_japan(situation.at);
        let people = Value::Array(people.into_iter().map(|person| born(person, today.year())).collect());
        situation.subjects = Subject::parse_all(&people, &format!("{at}/subjects"), today)?;
    } else if !situation.kind.carries_personal_data() {
        situation.subjects.clear();
    }
    situation.ask(wire.asked);
    speak_of(&mut situation, &wire.about, at)?;
    situation.needed = wire.needed.unwrap_or(wire.asked);
    situation.address_needed_because = wire.address_needed_because;
    situation.approved_by = match wire.approved_by {
        WireApprover::Colleague => Some(COLLEAGUE),
        WireApprover::Writer => Some(WRITER),
        WireApprover::Nobody => None,
    };
    situation.second_person = wire.second_person.unwrap_or(true);
    situation.recalled = wire.recalled;
    if wire.protection_taken_over {
        situation.flag = Flag::Taken;
    }
    if let Some(basis) = wire.basis {
        let facility = wire.facility.map(|name| names.id(&name));
        (situation.basis, situation.facts) = read_basis(basis, facility, at)?;
    }
    situation.consent = wire.consent.map(|consent| consent.into_record(&situation, names));
    situation.arrangement = wire.arrangement.map(|arrangement| arrangement.into_arrangement(names));
    situation.protection = wire.protection.map(|wire| wire.into_shield(names)).unwrap_or_default();
    let expected = wire.expect.into_answer(format!("{at}/expect"))?;
    Ok(Case { id: wire.id, title: wire.situation, law: wire.law, situation, expected })
}

/// Somebody whose age is given counts as born on the first of January.
fn born(mut person: Value, year: i16) -> Value {
    if let Some(age) = person.get("age").and_then(Value::as_i64) {
        person["birth_date"] = format!("{:04}-01-01", i64::from(year) - age).into();
    }
    person
}

/// Where a case says whom a section speaks of, these alone.
fn speak_of(situation: &mut Situation, about: &BTreeMap<Section, Vec<SubjectRef>>, at: &str) -> Read<()> {
    for (section, people) in about {
        if people.iter().any(|who| !situation.subjects.iter().any(|s| s.reference == *who)) {
            return Err(vec![FieldError::new(
                format!("{at}/about/{section}"),
                "subject_not_declared",
                "subjects で宣言した ref を書いてください。",
                "Name a ref that is declared in subjects.",
            )]);
        }
    }
    let usual = situation.asked.iter().filter(|section| !about.contains_key(section));
    let usual = usual.flat_map(|s| situation.outline.of(s).map(move |who| (s, who.cloned())));
    let said = about.iter().flat_map(|(s, people)| people.iter().map(|who| (*s, Some(who.clone()))));
    situation.outline = usual.chain(said).collect();
    Ok(())
}

fn read_basis(
    mut facts: Map<String, Value>,
    facility: Option<AgencyId>,
    at: &str,
) -> Read<(Option<String>, Facts)> {
    let code = facts.remove("code").and_then(|code| code.as_str().map(str::to_owned));
    for (member, ja, en) in [
        (
            "consent",
            "同意はケースの consent に書いてください。",
            "Write the consent as the member consent of the case.",
        ),
        (
            "arrangement",
            "取決めはケースの arrangement に書いてください。",
            "Write the arrangement as the member arrangement of the case.",
        ),
        (
            "facility",
            "施設は名前をケースの facility に書いてください。",
            "Name the facility as the member facility of the case.",
        ),
    ] {
        if facts.contains_key(member) {
            return Err(vec![FieldError::new(format!("{at}/basis/{member}"), "misplaced", ja, en)]);
        }
    }
    if let Some(facility) = facility {
        facts.insert("facility".to_owned(), facility.to_string().into());
    }
    Ok((code, Facts::new(facts)))
}

impl WireAnswer {
    fn into_answer(self, at: String) -> Read<Answer> {
        let one = |w: WireWithheld| Withheld { section: w.section, subject: w.about, why: w.why };
        match (self.allow, self.refuse) {
            (Some(shown), None) => {
                Ok(Answer::Allow { shown, withheld: self.withheld.into_iter().map(one).collect() })
            }
            (None, Some(code)) if self.withheld.is_empty() => Ok(Answer::Refuse(code)),
            _ => Err(vec![FieldError::new(
                at,
                "expect",
                "allow（と withheld）か refuse の、どちらか一方を書いてください。",
                "Write either allow (with withheld) or refuse.",
            )]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A case may name bodies that the file does not list, and a consent to one is no consent to another.
    #[test]
    fn a_name_that_is_no_agency_has_an_id_of_its_own() {
        let wire =
            serde_json::json!([{"name": "拠点", "kind": "kyoten"}, {"name": "保育所", "kind": "hoikusho"}]);
        let mut names = Names::read(serde_json::from_value(wire).unwrap()).unwrap();
        let all = ["拠点", "保育所", "関係機関", "近くの機関", "市内の機関"];
        let ids = all.map(|name| names.id(name));
        assert_eq!(ids, all.map(|name| names.id(name)), "a name keeps its id");
        assert_eq!(ids[..2], [names.declared[0].id, names.declared[1].id]);
        assert!(!ids.contains(&AgencyId::new(Uuid::nil())), "nil is nobody's");
        for (place, id) in ids.iter().enumerate() {
            assert!(!ids[..place].contains(id), "{} has the id of another", all[place]);
        }
    }

    #[test]
    fn an_answer_that_refuses_withholds_nothing_beside() {
        let read =
            |answer| serde_json::from_value::<WireAnswer>(answer).unwrap().into_answer("/expect".into());
        let withheld = serde_json::json!([{"section": "health", "why": "W_SEALED"}]);
        assert!(read(serde_json::json!({"refuse": "NO_BASIS", "withheld": []})).is_ok());
        let fault = read(serde_json::json!({"refuse": "NO_BASIS", "withheld": withheld})).unwrap_err();
        assert_eq!(fault[0].pointer, "/expect");
    }
}
