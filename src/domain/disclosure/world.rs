//! The world the decision cases and the properties of the decision play in.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::*;
use crate::domain::{
    agency::{Agency, AgencyKind, Body},
    basis_state::ConsentState,
    consent::{Capacity, ConsentMethod, Giver},
    ids::{AgencyId, ConsentId},
    protection::Protection,
    subject::SubjectRole,
};

/// The defaults of 7.6: a coordinator of a 拠点 run by a contractor of city Y sends to nursery B on
/// Thursday 2026-10-15 10:00, about a mother and a child of three.
#[derive(Debug)]
pub struct World {
    pub event: Event,
    pub at: &'static str,
    pub kind: ReferralType,
    pub sender: Agency,
    pub recipient: Agency,
    pub asked: Sections,
    pub address_needed_because: Option<&'static str>,
    pub outline: Outline,
    pub subjects: Vec<Subject>,
    pub basis: Option<&'static str>,
    pub facts: Facts,
    pub consent: Option<ConsentRecord>,
    pub protection: Known,
    pub recalled: bool,
    pub approved_by: Option<StaffId>,
}

/// A standing that owns its protection.
#[derive(Clone, Debug)]
pub enum Known {
    Unprotected,
    Protected(Protection),
    Unreadable,
}

pub const C: u128 = 1;
pub const B: u128 = 2;

pub fn agency(id: u128, kind: AgencyKind) -> Agency {
    Agency {
        id: AgencyId::new(Uuid::from_u128(id)),
        kind,
        name: kind.label_ja().into(),
        municipality: "141011".into(),
        body: Body::Private,
        contractor_of: (kind == AgencyKind::Kyoten).then(|| "141011".into()),
    }
}

pub fn person(reference: &str, role: SubjectRole, birth_date: Option<&str>) -> Subject {
    Subject { reference: reference.parse().unwrap(), role, birth_date: birth_date.map(Into::into) }
}

/// The letters of 7.6: NR stands for the narrative, the section that is summarised.
pub fn sections(letters: &str) -> Sections {
    let section = |letter| match letter {
        "ID" => Section::Identity,
        "CT" => Section::Contact,
        "AD" => Section::Address,
        "NR" => Section::Narrative,
        "HL" => Section::Health,
        "NT" => Section::Notifier,
        "EC" => Section::Economic,
        other => panic!("no section {other}"),
    };
    letters.split_whitespace().map(section).collect()
}

impl World {
    pub fn new() -> Self {
        let mut world = Self {
            event: Event::Send,
            at: "2026-10-15T10:00:00+09:00",
            kind: ReferralType::Introduction,
            sender: agency(C, AgencyKind::Kyoten),
            recipient: agency(B, AgencyKind::Nursery),
            asked: Sections::NONE,
            address_needed_because: None,
            outline: Outline::default(),
            subjects: vec![
                person("mother", SubjectRole::Guardian, Some("1995-02")),
                person("child-1", SubjectRole::Child, Some("2023-05-20")),
            ],
            basis: Some("CONSENT"),
            facts: Facts::default(),
            consent: None,
            protection: Known::Unprotected,
            recalled: false,
            approved_by: Some(StaffId::new(Uuid::from_u128(99))),
        };
        world.consented("ID CT NR");
        world.ask("ID CT NR");
        world
    }

    /// Asks for sections, each with an entry about whom it usually speaks of.
    pub fn ask(&mut self, letters: &str) {
        self.asked = sections(letters);
        let people = || self.subjects.iter().map(|s| Some(s.reference.clone()));
        let parts = self.asked.iter().flat_map(|section| -> Vec<_> {
            match section {
                Section::Narrative | Section::Notifier | Section::Economic => vec![(section, None)],
                _ => people().map(|p| (section, p)).collect(),
            }
        });
        self.outline = parts.collect();
    }

    /// CS with these items, naming sender and recipient of the row.
    pub fn consented(&mut self, letters: &str) {
        self.consent = Some(ConsentRecord {
            id: ConsentId::new(Uuid::from_u128(5)),
            version: 1,
            state: ConsentState::Active,
            case: None,
            purpose: ReferralType::Introduction,
            sender: self.sender.id,
            recipients: vec![self.recipient.id],
            sections: sections(letters),
            subjects: self.subjects.clone(),
            giver: Giver {
                subject: Some("mother".parse().unwrap()),
                capacity: Capacity::Parent,
                consents_for: self.subjects.iter().map(|s| s.reference.clone()).collect(),
            },
            method: ConsentMethod::Screen,
            language: "ja".into(),
            interpreted: false,
            text_version: "2026-04".into(),
            first_day: "2026-09-01".parse().unwrap(),
            last_day: "2026-11-30".parse().unwrap(),
        });
    }

    pub fn consent(&mut self) -> &mut ConsentRecord {
        self.consent.as_mut().unwrap()
    }

    pub fn between(&mut self, sender: AgencyKind, recipient: AgencyKind) {
        self.sender = agency(C, sender);
        self.recipient = agency(B, recipient);
    }

    /// A leg about one person alone.
    pub fn about(&mut self, subject: Subject) {
        self.subjects = vec![subject];
    }

    pub fn given_by(&mut self, capacity: Capacity, subject: Option<&str>) {
        let giver = &mut self.consent().giver;
        giver.capacity = capacity;
        giver.subject = subject.map(|s| s.parse().unwrap());
    }

    pub fn withdrawn(&mut self) {
        self.consent().state = ConsentState::Withdrawn;
    }

    pub fn notice(&mut self, basis: &'static str, sender: AgencyKind, recipient: AgencyKind, letters: &str) {
        self.kind = ReferralType::Notice;
        self.basis = Some(basis);
        self.between(sender, recipient);
        (self.consent, self.approved_by) = (None, None);
        self.ask(letters);
    }

    pub fn opened(&mut self, at: &'static str, duty_desk: bool) {
        (self.event, self.at) = (Event::Open(Opener { duty_desk, related: false }), at);
    }

    pub fn fact(&mut self, name: &str, value: Value) {
        self.facts = Facts::new(Map::from_iter([(name.to_owned(), value)]));
    }

    pub fn question(&self) -> Question<'_> {
        let at = self.at.parse().unwrap();
        Question {
            event: self.event,
            at,
            sent_at: at,
            kind: self.kind,
            purpose: self.kind,
            case: None,
            sender: self.sender.party(),
            recipient: self.recipient.party(),
            asked: self.asked,
            needed: Sections::NONE,
            address_needed_because: self.address_needed_because,
            outline: &self.outline,
            subjects: &self.subjects,
            basis: self.basis,
            facts: &self.facts,
            consent: self.consent.as_ref(),
            arrangement: None,
            protection: match &self.protection {
                Known::Unprotected => Standing::Unprotected,
                Known::Protected(protection) => Standing::Protected(protection),
                Known::Unreadable => Standing::Unreadable,
            },
            recalled: self.recalled,
            written_by: StaffId::new(Uuid::from_u128(98)),
            approved_by: self.approved_by,
            second_person: true,
        }
    }

    pub fn answer(&self) -> String {
        match decide(&self.question()) {
            Err(refusal) => format!("REFUSE {}", refusal.code),
            Ok(decision) => {
                let mut text = String::from("ALLOW");
                for (section, shown) in decision.mask.sections() {
                    text += &format!(" {section}");
                    if shown.detail != Detail::Full {
                        text += &format!("({})", shown.detail);
                    }
                }
                for withheld in &decision.withheld {
                    let of = withheld.subject.as_ref().map_or(String::new(), |s| format!("/{}", s.as_str()));
                    text += &format!("; -{}{of} {}", withheld.section, withheld.why);
                }
                text
            }
        }
    }
}

impl World {
    pub fn outline_without_father(&self, in_sections: &[Section]) -> Outline {
        let father = "father".parse().unwrap();
        let parts = self.asked.iter().flat_map(|s| self.outline.of(s).map(move |p| (s, p.cloned())));
        parts.filter(|(s, p)| !(in_sections.contains(s) && p.as_ref() == Some(&father))).collect()
    }
}
