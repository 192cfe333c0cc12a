//! The consent of a case. What it does not say is as in the standard consent: given by the mother for herself
//! and the children, whose sole custodian she is, to sender and recipient of the case, for its purpose and for three sections.

use jiff::civil::{Date, date};
use serde::Deserialize;
use uuid::Uuid;

use super::reading::Names;
use crate::domain::{
    basis_state::ConsentState,
    consent::{
        Capacity, ConsentMethod, ConsentRecord, Giver, Line, LineDecision,
        custody::{Act, Custody, CustodyKind, DailyActs, OtherCustodian, SoleGround},
    },
    disclosure::situation::{ANOTHER_CASE, Situation},
    ids::ConsentId,
    referral::ReferralType,
    section::{Section, Sections},
    subject::{SubjectRef, SubjectRole},
};

#[derive(Deserialize)]
pub(super) struct WireConsent {
    state: Option<ConsentState>,
    sender: Option<String>,
    recipients: Option<Vec<String>>,
    purpose: Option<ReferralType>,
    sections: Option<Sections>,
    giver: Option<WireGiver>,
    act: Option<Act>,
    daily_acts: Option<DailyActs>,
    custody: Option<WireCustody>,
    custody_recorded: Option<bool>,
    #[serde(default)]
    lines: Vec<WireLine>,
    method: Option<ConsentMethod>,
    interpreted: Option<bool>,
    first_day: Option<Date>,
    last_day: Option<Date>,
    #[serde(default)]
    of_another_case: bool,
}

#[derive(Deserialize)]
struct WireGiver {
    capacity: Capacity,
    subject: Option<SubjectRef>,
    #[serde(rename = "for")]
    consents_for: Option<Vec<SubjectRef>>,
}

#[derive(Clone, Copy, Deserialize)]
struct WireCustody {
    kind: CustodyKind,
    other_custodian: Option<OtherCustodian>,
    ground: Option<SoleGround>,
}

impl From<WireCustody> for Custody {
    fn from(wire: WireCustody) -> Self {
        Self { kind: wire.kind, other: wire.other_custodian, ground: wire.ground }
    }
}

#[derive(Deserialize)]
struct WireLine {
    subject: SubjectRef,
    decision: Option<LineDecision>,
    giver: Option<SubjectRef>,
    capacity: Option<Capacity>,
    custody: Option<WireCustody>,
}

impl WireLine {
    fn into_line(self, main: &Giver, custody: Option<Custody>) -> (SubjectRef, Line) {
        let line = Line {
            decision: self.decision.unwrap_or(LineDecision::Given),
            giver: self.giver.or_else(|| main.subject.clone()),
            capacity: self.capacity.unwrap_or(main.capacity),
            custody: self.custody.map(Custody::from).or(custody),
            guardian: None,
        };
        (self.subject, line)
    }
}

impl WireConsent {
    pub fn into_record(self, situation: &Situation, names: &mut Names) -> ConsentRecord {
        let subject = |who: &SubjectRef| situation.subjects.iter().any(|s| s.reference == *who);
        let giver = self.giver.unwrap_or_else(|| WireGiver {
            capacity: Capacity::Parent,
            subject: "mother".parse().ok().filter(subject),
            consents_for: None,
        });
        let sender = match self.sender {
            Some(name) => names.id(&name),
            None => situation.sender.id,
        };
        let recipients = match self.recipients {
            Some(list) => list.iter().map(|name| names.id(name)).collect(),
            None => vec![situation.recipient.id],
        };
        let giver = giver.for_whom(situation);
        let custody = self.custody.map_or(Custody::SOLE, Custody::from);
        let custody = self.custody_recorded.unwrap_or(true).then_some(custody);
        let lines = self.lines.into_iter().map(|line| line.into_line(&giver, custody)).collect();
        let record = ConsentRecord {
            id: ConsentId::new(Uuid::from_u128(5)),
            version: 1,
            state: self.state.unwrap_or(ConsentState::Active),
            case: self.of_another_case.then_some(ANOTHER_CASE),
            purpose: self.purpose.unwrap_or(situation.purpose),
            sender,
            recipients,
            sections: self.sections.unwrap_or_else(standard_sections),
            subjects: situation.subjects.clone(),
            giver,
            lines,
            custody,
            act: self.act,
            act_is_daily: false,
            method: self.method.unwrap_or(ConsentMethod::Screen),
            language: "ja".to_owned(),
            interpreted: self.interpreted.unwrap_or(false),
            text_version: "2026-04".to_owned(),
            first_day: self.first_day.unwrap_or(date(2026, 9, 1)),
            last_day: self.last_day.unwrap_or(date(2026, 11, 30)),
        };
        record.judged_by(&self.daily_acts.unwrap_or_default())
    }
}

impl WireGiver {
    /// Who says nothing else consents for oneself and for the children.
    fn for_whom(self, situation: &Situation) -> Giver {
        let subject = self.subject;
        let consents_for = match self.consents_for {
            Some(list) => list.into_iter().collect(),
            None => {
                let is_covered = |s: &&crate::domain::subject::Subject| {
                    s.role == SubjectRole::Child || subject.as_ref() == Some(&s.reference)
                };
                situation.subjects.iter().filter(is_covered).map(|s| s.reference.clone()).collect()
            }
        };
        Giver { subject, capacity: self.capacity, consents_for }
    }
}

fn standard_sections() -> Sections {
    [Section::Identity, Section::Contact, Section::Narrative].into_iter().collect()
}
