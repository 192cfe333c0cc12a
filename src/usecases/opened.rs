//! A leg with its seals opened: what use cases decide on, read in the name of one of its parties.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Context, evidence::Frame, hand_over, protection::Shelter};
use crate::{
    domain::{
        agency::Party,
        arrangement::Arrangement,
        basis::{Basis, BasisCode, Facts, Lane},
        consent::{ConsentRecord, day_in_japan},
        content::{Content, Outline},
        disclosure::{Decision, Event, Question, decide},
        hand_over::Flag,
        ids::{AgencyId, ArrangementId, DataKeyId, LegId, ReferralId, StaffId},
        leg_facts,
        mask::Mask,
        municipality::MunicipalityCode,
        problem::{Problem, ProblemKind},
        receipt::{BasisRef, Withheld},
        referral::ReferralType,
        refusal::Refusal,
        relation::Statement,
        section::{Section, Sections},
        subject::Subject,
    },
    ledger::{
        Scope,
        agency::AgencyRow,
        arrangement::{ArrangementRow, HoldArrangement},
        consent::{ConsentRow, HoldConsent},
        content::ContentRow,
        leg::LegRow,
        protection::HoldLeg,
        referral::ReferralRow,
        write::{Step, Write},
    },
    vault::{
        VaultError,
        seal::{DataKey, Slot},
    },
};

/// The part of a referral that belongs to no section.
pub(super) const HEADER: &str = "header";

/// What a referral says beside its content; sealed, because purpose and people tell of a family.
#[derive(Serialize, Deserialize)]
pub(super) struct Header {
    pub purpose: ReferralType,
    pub approved_by: Option<StaffId>,
    pub source_ref: Option<String>,
    pub called_at: Option<Timestamp>,
    /// The member `subjects` as submitted.
    pub subjects: Value,
    pub resources: Option<Value>,
    pub outline: Outline,
}

/// What was asked for and decided for one leg; sealed with it.
#[derive(Serialize, Deserialize)]
pub(super) struct LegBody {
    pub asked: Sections,
    pub needed: Sections,
    pub address_needed_because: Option<String>,
    pub requested_action: Option<String>,
    pub facts: Facts,
    /// The arrangement the basis rests on. Sealed: it may be a council, which says that a child is protected.
    #[serde(default)]
    pub arrangement: Option<ArrangementId>,
    /// The sections that were sent.
    pub sent: Sections,
    pub mask: Mask,
    pub withheld: Vec<Withheld>,
    pub basis: Option<BasisRef>,
    /// Who at the recipient is related to the case, as the sender stated it.
    #[serde(default)]
    pub related: Vec<Statement>,
}

/// A leg, its referral and the key that opens both, for a party that may read it now.
pub(super) struct OpenedLeg {
    pub leg: LegRow,
    pub referral: ReferralRow,
    pub key: DataKey,
    pub body: LegBody,
}

impl OpenedLeg {
    /// Opens a leg for one of its parties; `None` for everybody else and for a leg that is not there.
    pub async fn load(context: &Context, scope: Scope, id: LegId) -> Result<Option<Self>, Problem> {
        match context.ledger.leg(scope, id).await? {
            Some(leg) => Self::of(context, scope, leg).await.map(Some),
            None => Ok(None),
        }
    }

    /// Opens a leg that was read under this scope.
    pub async fn of(context: &Context, scope: Scope, leg: LegRow) -> Result<Self, Problem> {
        let referral = context.ledger.referral_of(&leg).await?.ok_or_else(damaged)?;
        let key = data_key(context, referral.data_key, scope.agency()).await?;
        let slot = body_slot(referral.owner, leg.id);
        let body = serde_json::from_slice(&key.open(&slot, &leg.body)?).map_err(|_| damaged())?;
        Ok(Self { leg, referral, key, body })
    }

    /// What every step of this leg says the same.
    pub fn frame(&self) -> Frame {
        Frame {
            leg: self.leg.id,
            delivery: self.leg.delivery,
            owner: self.referral.owner,
            sender: self.leg.sender,
            recipient: self.leg.recipient,
            kind: self.leg.kind,
            sections: self.body.sent,
            manifest: self.leg.manifest_hash,
            content: self.leg.commitment,
            basis: self.body.basis.clone(),
        }
    }

    /// The lane of the leg's life.
    pub fn lane(&self) -> leg_facts::Lane {
        lane(self.leg.basis)
    }
}

/// The lane of a leg's life: what its disclosure rests on.
pub(super) fn lane(basis: Option<BasisCode>) -> leg_facts::Lane {
    match basis.map(|code| Basis::of(code).lane) {
        None => leg_facts::Lane::NoPersonalData,
        Some(Lane::Consent) => leg_facts::Lane::Consent,
        Some(Lane::Statute) => leg_facts::Lane::Statutory,
        Some(Lane::Notice) => leg_facts::Lane::Notice,
    }
}

/// The world of a decision about a stored leg: its parties, its people, and its consent or arrangement as they are now.
pub(super) struct World {
    pub header: Header,
    pub subjects: Vec<Subject>,
    pub sender: AgencyRow,
    pub recipient: AgencyRow,
    pub consent: Option<(ConsentRow, ConsentRecord)>,
    pub arrangement: Option<(ArrangementRow, Arrangement)>,
    pub shelter: Shelter,
    flag: Flag,
    parts: Vec<ContentRow>,
}

impl World {
    pub async fn load(context: &Context, opened: &OpenedLeg) -> Result<Self, Problem> {
        let (leg, referral) = (&opened.leg, &opened.referral);
        let parts = context.ledger.content(referral.id).await?;
        let sealed = parts.iter().find(|part| part.part == HEADER).ok_or_else(damaged)?;
        let plain = opened.key.open(&content_slot(referral.owner, referral.id, HEADER), &sealed.sealed)?;
        let header: Header = serde_json::from_slice(&plain).map_err(|_| damaged())?;
        let subjects = subjects(&header, referral.created_at)?;
        let mut agencies = context.ledger.agencies_by_id(&[leg.sender, leg.recipient]).await?;
        let mut take = |id: AgencyId| {
            let place = agencies.iter().position(|row| row.id == id).ok_or_else(damaged)?;
            Ok::<_, Problem>(agencies.swap_remove(place))
        };
        let (sender, recipient) = (take(leg.sender)?, take(leg.recipient)?);
        let consent = match leg.consent {
            Some(id) => super::consent::load(context, Scope::of(leg.sender), id).await?,
            None => None,
        };
        let arrangement = match opened.body.arrangement {
            Some(id) => {
                let (scope, parties) = (Scope::of(leg.sender), [leg.sender, leg.recipient]);
                super::arrangement::load(context, scope, id, &parties, referral.case_id).await?
            }
            None => None,
        };
        let shelter = Shelter::of(context, leg.sender, referral.case_id, Some(referral.id)).await?;
        let flag = hand_over::flag(context, opened).await?;
        Ok(Self { header, subjects, sender, recipient, consent, arrangement, shelter, flag, parts })
    }

    /// Holds what the decision rests on until the commit: a withdrawal, or a membership that ends, is either
    /// before the write or after it.
    pub fn hold(&self, write: &mut Write) {
        if let Some((row, _)) = &self.consent {
            write.steps.push(Step::HoldConsent(HoldConsent { id: row.id, version: row.version }));
        }
        if let Some((row, _)) = &self.arrangement {
            write.steps.push(Step::HoldArrangement(HoldArrangement { id: row.id, version: row.version }));
        }
    }

    /// Decides this leg anew, now.
    pub fn decide(&self, opened: &OpenedLeg, event: Event, at: Timestamp) -> Result<Decision, Refusal> {
        decide(&self.question(opened, event, at))
    }

    /// The question of this leg at one event.
    pub fn question<'a>(&'a self, opened: &'a OpenedLeg, event: Event, at: Timestamp) -> Question<'a> {
        let (leg, body) = (&opened.leg, &opened.body);
        Question {
            event,
            at,
            sent_at: leg.created_at,
            kind: leg.kind,
            purpose: self.header.purpose,
            case: opened.referral.case_id,
            sender: party(&self.sender),
            recipient: party(&self.recipient),
            asked: body.asked,
            needed: body.needed,
            address_needed_because: body.address_needed_because.as_deref(),
            outline: &self.header.outline,
            subjects: &self.subjects,
            basis: leg.basis.map(BasisCode::code),
            facts: &body.facts,
            consent: self.consent.as_ref().map(|(_, record)| record),
            arrangement: self.arrangement.as_ref().map(|(_, arrangement)| arrangement),
            protection: self.shelter.standing(),
            flag: self.flag,
            recalled: matches!(leg.state, crate::domain::leg::LegState::EnteredInError),
            written_by: opened.referral.written_by,
            approved_by: self.header.approved_by,
            second_person: true,
        }
    }

    /// Asks in the write whether the protection stands as it was decided on. Behind everything else: the leg is locked
    /// by then, by its move or here, so that this and a protection come one after the other.
    pub fn hold_shelter(&self, opened: &OpenedLeg, write: &mut Write) {
        if !write.steps.iter().any(|step| matches!(step, Step::MoveLeg(_))) {
            write.steps.push(Step::HoldLeg(HoldLeg { id: opened.leg.id, seq: opened.leg.head_seq }));
        }
        self.shelter.hold(write);
    }

    /// Opens the sections a mask grants, and no others: what is not granted stays sealed also in memory. Where the
    /// family is hidden, its address and contact are opened as well, to keep them out of every text.
    pub async fn content(
        &self,
        context: &Context,
        opened: &OpenedLeg,
        reader: AgencyId,
        mask: &Mask,
    ) -> Result<Content, Problem> {
        let granted = self.open_sections(context, opened, reader, mask.sections().map(|(s, _)| s)).await?;
        let Some(veil) = self.shelter.veil() else { return Ok(granted) };
        let places = [Section::Address, Section::Contact].into_iter();
        let places = self.open_sections(context, opened, reader, places).await?;
        let mut content = granted;
        content.draw(veil, &places);
        Ok(content)
    }

    /// Opens everything that was written but the notifier's compartment, for a selection that draws a veil of its own.
    pub async fn for_selection(
        &self,
        context: &Context,
        opened: &OpenedLeg,
        reader: AgencyId,
    ) -> Result<Content, Problem> {
        let sections = Section::ALL.iter().copied().filter(|section| *section != Section::Notifier);
        self.open_sections(context, opened, reader, sections).await
    }

    async fn open_sections(
        &self,
        context: &Context,
        opened: &OpenedLeg,
        reader: AgencyId,
        sections: impl Iterator<Item = Section>,
    ) -> Result<Content, Problem> {
        let referral = &opened.referral;
        let mut plain = Vec::new();
        for section in sections {
            let Some(part) = self.parts.iter().find(|part| part.part == section.code()) else { continue };
            let slot = content_slot(referral.owner, referral.id, section.code());
            let bytes = match (section, referral.compartment_key) {
                (Section::Notifier, Some(id)) => {
                    data_key(context, id, reader).await?.open(&slot, &part.sealed)?
                }
                (Section::Notifier, None) => continue,
                _ => opened.key.open(&slot, &part.sealed)?,
            };
            plain.push((section, bytes));
        }
        let parts = plain.iter().map(|(section, bytes)| (*section, bytes.as_slice()));
        Content::from_opened(parts).map_err(|_| damaged())
    }
}

/// What a decision needs to know of an agency.
pub(super) fn party(row: &AgencyRow) -> Party<'_> {
    Party {
        id: row.id,
        kind: row.kind,
        body: row.kind.body().unwrap_or(row.body),
        municipality: row.municipality.as_str(),
        contractor_of: row.contractor_of.as_ref().map(MunicipalityCode::as_str),
    }
}

/// The people of a referral. They were read on the day it was sent, so they read again.
pub(super) fn subjects(header: &Header, created_at: Timestamp) -> Result<Vec<Subject>, Problem> {
    Subject::parse_all(&header.subjects, "/subjects", day_in_japan(created_at)).map_err(|_| damaged())
}

/// A data key in the name of one entitled agency. One that was destroyed says so.
pub(super) async fn data_key(context: &Context, id: DataKeyId, agency: AgencyId) -> Result<DataKey, Problem> {
    let mut before = None;
    loop {
        let Some(row) = context.ledger.data_key(id, agency).await? else {
            return Err(match context.ledger.shredded(id).await? {
                Some(_) => Problem::new(ProblemKind::Shredded),
                None => damaged(),
            });
        };
        match context.vault.unwrap(id, agency, &row.kek, &row.wrapped) {
            // Between the two looks the wrap was moved, and the key it was under retired.
            Err(VaultError::NoKek { .. }) if before.as_ref() != Some(&row.kek) => before = Some(row.kek),
            opened => return Ok(opened?),
        }
    }
}

/// Whether the referral of a leg was erased. Whoever goes through many legs passes over it. Asked of its key: a ledger
/// restored from before the erasure knows of no other trace.
pub(super) async fn erased(context: &Context, leg: &LegRow) -> Result<bool, Problem> {
    let referral = context.ledger.referral_of(leg).await?.ok_or_else(damaged)?;
    Ok(context.ledger.shredded(referral.data_key).await?.is_some())
}

pub(super) fn content_slot(owner: AgencyId, referral: ReferralId, part: &str) -> Slot<'_> {
    Slot { table: "content", owner, object: referral.uuid(), part, seq: 1 }
}

pub(super) fn body_slot(owner: AgencyId, leg: LegId) -> Slot<'static> {
    Slot { table: "leg", owner, object: leg.uuid(), part: "body", seq: 1 }
}

/// A row that should be there is not, or does not read: somebody has to look at the ledger.
pub(super) fn damaged() -> Problem {
    tracing::error!("a stored record is incomplete or does not open");
    Problem::new(ProblemKind::Internal)
}
