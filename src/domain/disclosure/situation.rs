//! A situation: everything one decision needs, owned, and complete from the start. A decision case names
//! what is special about it; everything else is as in [`Situation::default`].

use jiff::{Timestamp, civil::date, tz::Offset};
use uuid::Uuid;

use super::{Event, Question};
use crate::domain::{
    agency::{Agency, AgencyKind, Body},
    arrangement::Arrangement,
    basis::Facts,
    consent::ConsentRecord,
    content::Outline,
    hand_over::Flag,
    ids::{AgencyId, CaseId, StaffId},
    protection::{Protection, Standing},
    referral::ReferralType,
    section::{Section, Sections},
    subject::{Subject, SubjectRef, SubjectRole},
};

/// The protection of the case, as far as it can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Shield {
    #[default]
    None,
    Protected(Protection),
    Unreadable,
}

impl Shield {
    /// What a decision borrows of it.
    pub const fn standing(&self) -> Standing<'_> {
        match self {
            Self::None => Standing::Unprotected,
            Self::Protected(protection) => Standing::Protected(protection),
            Self::Unreadable => Standing::Unreadable,
        }
    }
}

/// The world a decision is made in.
#[derive(Clone, Debug)]
pub struct Situation {
    pub event: Event,
    pub at: Timestamp,
    pub sent_at: Timestamp,
    pub kind: ReferralType,
    pub purpose: ReferralType,
    pub case: Option<CaseId>,
    pub sender: Agency,
    pub recipient: Agency,
    pub asked: Sections,
    pub needed: Sections,
    pub address_needed_because: Option<String>,
    pub outline: Outline,
    pub subjects: Vec<Subject>,
    pub basis: Option<String>,
    pub facts: Facts,
    pub consent: Option<ConsentRecord>,
    pub arrangement: Option<Arrangement>,
    pub protection: Shield,
    pub flag: Flag,
    pub recalled: bool,
    pub written_by: StaffId,
    pub approved_by: Option<StaffId>,
    pub second_person: bool,
}

/// Who wrote the referral, and a colleague who looked at it.
pub const WRITER: StaffId = StaffId::new(Uuid::from_u128(98));
pub const COLLEAGUE: StaffId = StaffId::new(Uuid::from_u128(99));

/// The case the referral belongs to, and another family's.
pub const THIS_CASE: CaseId = CaseId::new(Uuid::from_u128(1));
pub const ANOTHER_CASE: CaseId = CaseId::new(Uuid::from_u128(2));

impl Default for Situation {
    /// Thursday 2026-10-15, 10:00 in Japan: a site that works for the municipality sends to a nursery, about
    /// a mother and a child of three. A colleague has looked at it. Nothing is asked and no basis is named.
    fn default() -> Self {
        let at = Offset::constant(9).to_timestamp(date(2026, 10, 15).at(10, 0, 0, 0)).unwrap_or_default();
        let agency = |id, kind, contractor_of| Agency {
            id: AgencyId::new(Uuid::from_u128(id)),
            kind,
            name: String::new(),
            municipality: MUNICIPALITY.to_owned(),
            body: Body::Private,
            contractor_of,
        };
        Self {
            event: Event::Send,
            at,
            sent_at: at,
            kind: ReferralType::Introduction,
            purpose: ReferralType::Introduction,
            case: Some(THIS_CASE),
            sender: agency(1, AgencyKind::Kyoten, Some(MUNICIPALITY.to_owned())),
            recipient: agency(2, AgencyKind::Nursery, None),
            asked: Sections::NONE,
            needed: Sections::NONE,
            address_needed_because: None,
            outline: Outline::default(),
            subjects: family(),
            basis: None,
            facts: Facts::default(),
            consent: None,
            arrangement: None,
            protection: Shield::None,
            flag: Flag::Waiting,
            recalled: false,
            written_by: WRITER,
            approved_by: Some(COLLEAGUE),
            second_person: true,
        }
    }
}

/// 松戸市, where a case says no other municipality.
pub const MUNICIPALITY: &str = "122076";

/// The mother of 31 and the child of three.
fn family() -> Vec<Subject> {
    let person = |reference: &str, role, birth_date: &str| {
        let reference = reference.parse().ok()?;
        Some(Subject { reference, role, birth_date: Some(birth_date.to_owned()) })
    };
    [person("mother", SubjectRole::Guardian, "1995-02"), person("child", SubjectRole::Child, "2023-05-20")]
        .into_iter()
        .flatten()
        .collect()
}

impl Situation {
    pub fn question(&self) -> Question<'_> {
        Question {
            event: self.event,
            at: self.at,
            sent_at: self.sent_at,
            kind: self.kind,
            purpose: self.purpose,
            case: self.case,
            sender: self.sender.party(),
            recipient: self.recipient.party(),
            asked: self.asked,
            needed: self.needed,
            address_needed_because: self.address_needed_because.as_deref(),
            outline: &self.outline,
            subjects: &self.subjects,
            basis: self.basis.as_deref(),
            facts: &self.facts,
            consent: self.consent.as_ref(),
            arrangement: self.arrangement.as_ref(),
            protection: self.protection.standing(),
            flag: self.flag,
            recalled: self.recalled,
            written_by: self.written_by,
            approved_by: self.approved_by,
            second_person: self.second_person,
        }
    }

    /// Asks for sections. Each speaks of whom it usually speaks of: what happened, the household's money and
    /// the notifier of nobody in particular, everything else of each person.
    pub fn ask(&mut self, sections: Sections) {
        self.asked = sections;
        let people = || -> Vec<Option<SubjectRef>> {
            let named: Vec<_> = self.subjects.iter().map(|s| Some(s.reference.clone())).collect();
            if named.is_empty() { vec![None] } else { named }
        };
        let whom = |section| match section {
            Section::Household
            | Section::Needs
            | Section::Narrative
            | Section::Economic
            | Section::Safety
            | Section::Notifier => vec![None],
            Section::Identity
            | Section::Contact
            | Section::Address
            | Section::Health
            | Section::Development => people(),
        };
        self.outline = sections.iter().flat_map(|s| whom(s).into_iter().map(move |who| (s, who))).collect();
    }
}
