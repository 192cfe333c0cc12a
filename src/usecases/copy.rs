//! The copy for one recipient: its leg, its inbox row, its manifest and its first receipts.

use jiff::{SignedDuration, Timestamp};

use super::{
    Context,
    evidence::{Frame, Trail},
    opened::{LegBody, body_slot, damaged, lane},
    parcel::Parcel,
    relation, ring,
};
use crate::{
    domain::{
        agency::Party,
        basis::Basis,
        delivery::DeliveryState,
        disclosure::Decision,
        document::{Head, document},
        ids::{ArrangementId, LegId},
        leg::{self, Actor as LegActor, Guard, Illegal, LegAction, LegState},
        leg_facts::{Approval, BasisFact, Facts, Lane as LegLane, Preview, RecipientFact},
        machine::Why,
        problem::{Problem, ProblemKind},
        receipt::{Actor, Attested, BasisRef, CopyFor, ReceiptLevel, Withheld},
        release::Sending,
        section::{Section, Sections},
        submission::{AskedLeg, Submission},
    },
    ledger::{
        Write,
        consent::ConsentRow,
        delivery::DeliveryRow,
        job::JobKind,
        leg::{LegRow, ManifestRow},
    },
    vault::manifest::manifest,
};

/// Everything one copy is made from. It was decided before; what is refused here is only another content than
/// was previewed.
pub(super) struct Copy<'a> {
    pub context: &'a Context,
    pub parcel: &'a Parcel,
    pub submission: &'a Submission,
    pub asked: &'a AskedLeg,
    pub decision: &'a Decision,
    pub recipient: Party<'a>,
    pub consent: Option<&'a ConsentRow>,
    pub arrangement: Option<ArrangementId>,
    pub place: usize,
    pub previewed: Preview,
    pub now: Timestamp,
}

impl Copy<'_> {
    /// Adds the copy's rows to the write that accepts the referral.
    pub fn make(&self, write: &mut Write) -> Result<(), Problem> {
        let context = self.context;
        let (leg, delivery): (LegId, _) = (context.clock.new_id(), context.clock.new_random_id());
        let head = Head {
            leg,
            delivery,
            kind: self.submission.kind,
            urgency: self.submission.urgency,
            sender: self.parcel.owner,
            recipient: self.asked.recipient,
            requested_action: self.asked.requested_action.as_deref(),
            reply_by: self.asked.reply_by,
            resources: self.submission.resources.as_ref(),
        };
        let document = document(&head, &self.submission.subjects, &self.submission.content, self.decision);
        let (listed, _) = manifest(&self.parcel.key, leg, 1, &document["content"])?;
        let manifest = context.vault.sign_manifest(&listed);
        let body = self.body(&document["sections"])?;
        let frame = Frame {
            leg,
            delivery,
            owner: self.parcel.owner,
            sender: self.parcel.owner,
            recipient: self.asked.recipient,
            kind: self.submission.kind,
            sections: body.sent,
            manifest: manifest.hash(),
            content: self.parcel.key.commitment(leg, document.to_string().as_bytes())?,
            basis: body.basis.clone(),
        };
        let (clock_started, clock_due) = self.clock().unzip();
        let row = LegRow {
            id: leg,
            referral: self.parcel.id,
            place: i64::try_from(self.place).unwrap_or(i64::MAX),
            sender: frame.sender,
            recipient: frame.recipient,
            delivery,
            kind: self.submission.kind,
            urgency: self.submission.urgency,
            basis: self.decision.basis.as_ref().map(|ground| ground.code),
            consent: self.consent.map(|row| row.id),
            consent_version: self.consent.map(|row| row.version),
            state: LegState::Requested,
            head_seq: 0,
            head_hash: frame.content,
            last_receipt: frame.content,
            manifest_hash: frame.manifest,
            commitment: frame.content,
            clock_kind: clock_due.map(|_| SAFETY_CHECK.to_owned()),
            clock_started,
            clock_due,
            reply_by: self.asked.reply_by,
            body: self.seal(leg, &body)?,
            created_at: self.now,
            changed_at: self.now,
        };
        write.rows.manifests.push(ManifestRow { leg, version: 1, jws: manifest.into() });
        let delivery = self.delivery_row(&row);
        if delivery.state.visible() {
            write.rows.jobs.push(ring::job(context, JobKind::Waiting, &row, row.recipient, self.now));
        }
        let row = self.trail(frame, row, &delivery, write)?;
        write.rows.deliveries.push(delivery);
        write.rows.legs.push(row);
        Ok(())
    }

    /// The first event and the receipt R0, and R1 where the copy is in the inbox by that; the row then stands where
    /// they left it.
    fn trail(
        &self,
        frame: Frame,
        row: LegRow,
        delivery: &DeliveryRow,
        write: &mut Write,
    ) -> Result<LegRow, Problem> {
        let author = Actor {
            agency: Some(self.parcel.owner),
            // A notice needs no name: who wrote it is told in its sealed compartment, or nowhere.
            staff: (!self.submission.is_notice()).then_some(self.submission.written_by),
            attested: Attested::AgencyAsserted,
        };
        let hub = hub_itself();
        let withheld = withheld(self.decision);
        let mut trail = Trail::begin(self.context, &self.parcel.key, frame, self.now);
        trail.event(LegAction::Submit, self.sent_state()?, &author, None)?;
        let sender = CopyFor::Sender { referral: self.parcel.id, withheld };
        trail.receipt(ReceiptLevel::R0, &author, None, Some(sender));
        if delivery.state.visible() {
            trail.receipt(ReceiptLevel::R1, &hub, None, None);
        }
        let standing = trail.finish(write);
        Ok(LegRow {
            state: standing.state,
            head_seq: standing.seq,
            head_hash: standing.head,
            last_receipt: standing.last_receipt,
            ..row
        })
    }

    /// What the leg's own table says of sending: it, and not this file, knows the state that follows.
    fn sent_state(&self) -> Result<LegState, Problem> {
        let facts = Facts {
            basis: BasisFact::Live,
            recipient: RecipientFact::Free,
            approval: Approval::NotNeeded,
            preview: self.previewed,
            ..Facts::cautious(self.lane(), self.submission.urgency)
        };
        match leg::step(LegState::Draft, LegAction::Submit, LegActor::SenderStaff, &facts) {
            Ok(row) => row.to.ok_or_else(damaged),
            Err(Illegal { why: Why::Guard(Guard::PreviewHolds), .. }) => {
                Err(Problem::new(ProblemKind::PreviewDiffers).code(Guard::PreviewHolds.code()))
            }
            Err(_) => Err(damaged()),
        }
    }

    fn lane(&self) -> LegLane {
        lane(self.decision.basis.as_ref().map(|ground| ground.code))
    }

    fn body(&self, sent: &serde_json::Value) -> Result<LegBody, Problem> {
        let sent: Sections = serde_json::from_value(sent.clone()).map_err(|_| damaged())?;
        Ok(LegBody {
            asked: self.asked.sections,
            needed: self.asked.needed,
            address_needed_because: self.asked.address_needed_because.clone(),
            requested_action: self.asked.requested_action.clone(),
            facts: self.asked.facts.clone(),
            arrangement: self.arrangement,
            related: relation::stated(
                self.context,
                &self.asked.related,
                self.submission.written_by,
                self.now,
            ),
            sent,
            mask: self.decision.mask.clone(),
            withheld: withheld(self.decision),
            basis: self.decision.basis.as_ref().map(|ground| BasisRef {
                code: ground.code.code().into(),
                reference: ground.reference.clone(),
                law: Some(Basis::of(ground.code).law.into()),
                rule_version: Basis::of(ground.code).rule_version.to_string().into(),
            }),
        })
    }

    fn seal(&self, leg: LegId, body: &LegBody) -> Result<Vec<u8>, Problem> {
        let bytes = serde_json::to_vec(body).map_err(|_| damaged())?;
        Ok(self.parcel.key.seal(&body_slot(self.parcel.owner, leg), &bytes)?)
    }

    fn delivery_row(&self, leg: &LegRow) -> DeliveryRow {
        let sending = Sending {
            kind: leg.kind,
            urgency: leg.urgency,
            basis: leg.basis,
            sent_at: self.now,
            reply_by: leg.reply_by,
        };
        let release_at = sending.held_until(self.context.settings.release_seconds);
        DeliveryRow {
            id: leg.delivery,
            leg: leg.id,
            seq: 1,
            recipient: leg.recipient,
            urgency: leg.urgency,
            state: if release_at.is_some() { DeliveryState::Held } else { DeliveryState::Waiting },
            disclosed_at: None,
            created_at: self.now,
            changed_at: self.now,
            release_at,
            released_at: None,
        }
    }

    /// The clock of the safety check after a 通告: it starts at the earlier of the telephone call and the
    /// arrival at the desk, which is now, and runs day and night (domain.md 7.2).
    fn clock(&self) -> Option<(Timestamp, Timestamp)> {
        let starts = self.lane() == LegLane::Notice && self.recipient.kind.has_notice_desk();
        let started = self.submission.called_at.map_or(self.now, |called| called.min(self.now));
        let length = SignedDuration::from_hours(i64::from(self.context.settings.safety_hours));
        starts.then(|| (started, started.checked_add(length).unwrap_or(Timestamp::MAX)))
    }

    /// Whether this recipient gets the key of the notifier's compartment.
    pub fn opens_compartment(&self) -> bool {
        self.decision.mask.of(Section::Notifier).is_some()
    }
}

/// The hub as the one who attests.
pub(super) const fn hub_itself() -> Actor {
    Actor { agency: None, staff: None, attested: Attested::HubAttested }
}

/// The clock of 児童虐待の防止等に関する法律 第8条: the child is seen by somebody.
const SAFETY_CHECK: &str = "safety_check";

fn withheld(decision: &Decision) -> Vec<Withheld> {
    let one = |w: &crate::domain::mask::Withheld| Withheld {
        section: w.section,
        subject: w.subject.as_ref().map(|subject| subject.as_str().to_owned()),
        why: w.why.code().into(),
    };
    decision.withheld.iter().map(one).collect()
}
