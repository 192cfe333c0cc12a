//! The trail of a leg: hash-linked events, and the receipts that prove them.
//!
//! A [`Trail`] takes a leg from where it stands, adds steps, and hands back the rows of one write together
//! with the guard that makes them true only if nobody was faster.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Context;
use crate::{
    domain::{
        chain::{Chain, Hash, Link},
        hand_over::Responsible,
        ids::{AgencyId, DeliveryId, LegId},
        leg::{LegAction, LegState},
        problem::Problem,
        receipt::{Actor, Answer, BasisRef, CopyFor, Receipt, ReceiptLevel, StateChange, Step},
        referral::ReferralType,
        section::Sections,
    },
    ledger::{
        Write,
        leg::{LegEventRow, LegRow, MoveLeg},
        receipt::ReceiptRow,
        write::Step as Change,
    },
    vault::{
        Signer,
        seal::{DataKey, Slot},
        sha256,
    },
};

/// What every step of a leg says the same.
#[derive(Clone)]
pub(super) struct Frame {
    pub leg: LegId,
    pub delivery: DeliveryId,
    pub owner: AgencyId,
    pub sender: AgencyId,
    pub recipient: AgencyId,
    pub kind: ReferralType,
    pub sections: Sections,
    pub manifest: Hash,
    pub content: Hash,
    pub basis: Option<BasisRef>,
}

/// A leg being moved on.
pub(super) struct Trail<'a> {
    context: &'a Context,
    /// Links name the key they are signed by, so one trail has one key.
    signer: Signer,
    key: &'a DataKey,
    frame: Frame,
    start: i64,
    seq: i64,
    head: Option<Hash>,
    state: Option<LegState>,
    last_receipt: Option<Hash>,
    at: Timestamp,
    /// Whether the last event has a receipt already.
    covered: bool,
    /// Whether what is signed says that nobody was ever shown the content.
    never_opened: bool,
    events: Vec<LegEventRow>,
    receipts: Vec<ReceiptRow>,
}

/// Whose step a receipt proves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Delivery,
    Leg,
}

/// Where a leg stands after its trail.
pub(super) struct Standing {
    pub seq: i64,
    pub head: Hash,
    pub state: LegState,
    pub last_receipt: Hash,
    pub at: Timestamp,
}

impl<'a> Trail<'a> {
    /// The trail of a leg that does not exist yet.
    pub fn begin(context: &'a Context, key: &'a DataKey, frame: Frame, at: Timestamp) -> Self {
        Self {
            context,
            signer: context.vault.signer(),
            key,
            frame,
            start: 0,
            seq: 0,
            head: None,
            state: None,
            last_receipt: None,
            at,
            covered: false,
            never_opened: false,
            events: Vec::with_capacity(1),
            receipts: Vec::with_capacity(2),
        }
    }

    /// The trail of a leg as it was read. Its time never goes back, even if the clock did.
    pub fn resume(context: &'a Context, key: &'a DataKey, frame: Frame, leg: &LegRow) -> Self {
        let next = leg.changed_at.checked_add(SignedDuration::from_micros(1)).unwrap_or(leg.changed_at);
        Self {
            start: leg.head_seq,
            seq: leg.head_seq,
            head: Some(leg.head_hash),
            state: Some(leg.state),
            last_receipt: Some(leg.last_receipt),
            ..Self::begin(context, key, frame, context.clock.now().max(next))
        }
    }

    pub fn at(&self) -> Timestamp {
        self.at
    }

    pub fn state(&self) -> Option<LegState> {
        self.state
    }

    /// Has what is signed from now on say that the hub showed the content to nobody and published no copy.
    pub fn never_opened(&mut self, never: bool) {
        self.never_opened = never;
    }

    /// Adds an event to the chain. `details` are sealed; what is committed to is the document of the leg
    /// where there are none.
    pub fn event(
        &mut self,
        action: LegAction,
        to: LegState,
        by: &Actor,
        details: Option<&Value>,
    ) -> Result<(), Problem> {
        let from = self.state.unwrap_or(LegState::Draft);
        self.seq += 1;
        let seq = u64::try_from(self.seq).expect("invariant: events are counted from 1");
        let (body, commitment) = match details {
            Some(details) => {
                let text = details.to_string();
                let sealed = self.key.seal(&event_slot(&self.frame, seq), text.as_bytes())?;
                (Some(sealed), self.key.commitment(self.frame.leg, text.as_bytes())?)
            }
            None => (None, self.frame.content),
        };
        let link = Link {
            chain: Chain::Leg(self.frame.leg),
            prev: self.head,
            seq,
            kind: action.code(),
            commit: Some(commitment),
            ciphertext: body.as_deref().map(sha256),
            hlc: u64::try_from(self.at.as_microsecond()).unwrap_or_default(),
            key_id: self.signer.kid(),
        };
        let hash = sha256(&link.preimage());
        self.events.push(LegEventRow {
            leg: self.frame.leg,
            seq: self.seq,
            kind: action.code().to_owned(),
            from_state: from,
            to_state: to,
            agency: by.agency,
            staff: by.staff,
            body,
            commitment: Some(commitment),
            prev_hash: self.head,
            hash,
            jws: None,
            at: self.at,
        });
        self.head = Some(hash);
        self.state = Some(to);
        self.covered = false;
        Ok(())
    }

    /// Issues a receipt for the last event. `sender` makes a second copy, for the sender alone.
    pub fn receipt(
        &mut self,
        level: ReceiptLevel,
        by: &Actor,
        answer: Option<Answer>,
        sender: Option<CopyFor>,
    ) -> String {
        let of = match level {
            ReceiptLevel::R4 | ReceiptLevel::Closed => Of::Leg,
            _ => Of::Delivery,
        };
        let step = self.step(of, by, answer);
        let sender_jws = sender.map(|copy| {
            let step = Step { copy, receipt_id: self.context.clock.new_id(), ..step.clone() };
            String::from(self.signer.sign_receipt(&Receipt { level, step }))
        });
        let id = step.receipt_id;
        let jws = self.signer.sign_receipt(&Receipt { level, step });
        self.covered = true;
        self.last_receipt = Some(jws.hash());
        let text = String::from(jws);
        self.receipts.push(ReceiptRow {
            subject: match of {
                Of::Leg => self.frame.leg.to_string(),
                Of::Delivery => self.frame.delivery.to_string(),
            },
            level,
            id,
            leg: self.frame.leg,
            ends: i64::from(of == Of::Leg && self.state.is_some_and(LegState::terminal)),
            jws: text.clone(),
            sender_jws,
            at: self.at,
        });
        text
    }

    /// Signs the last event itself, where no receipt covers it.
    pub fn sign(&mut self, by: &Actor, answer: Option<Answer>) -> String {
        let jws = self.signer.sign_event(&self.step(Of::Leg, by, answer));
        self.covered = true;
        self.last_receipt = Some(jws.hash());
        let text = String::from(jws);
        if let Some(event) = self.events.last_mut() {
            event.jws = Some(text.clone());
        }
        text
    }

    fn step(&self, of: Of, by: &Actor, answer: Option<Answer>) -> Step {
        let event = self.events.last().expect("invariant: a receipt follows an event");
        // R0 does not say what the draft had been through; a second receipt of one event finds the leg
        // where the first one left it.
        let from = match (self.covered, event.seq) {
            (true, _) => Some(event.to_state),
            (false, 1) => None,
            (false, _) => Some(event.from_state),
        };
        Step {
            answer,
            at: self.at,
            basis: self.frame.basis.clone(),
            by: by.clone(),
            content: Some(self.frame.content),
            copy: CopyFor::Shared,
            delivery: (of == Of::Delivery).then_some(self.frame.delivery),
            leg: self.frame.leg,
            link: event.hash,
            manifest: Some(self.frame.manifest),
            never_opened: self.never_opened.then_some(true),
            prev: self.last_receipt,
            receipt_id: self.context.clock.new_id(),
            recipient: self.frame.recipient,
            responsible: self.responsible(event.to_state),
            sections: self.frame.sections,
            sender: self.frame.sender,
            state: StateChange {
                from: from.map(|state| state.code().into()),
                seq: u64::try_from(event.seq).expect("invariant: events are counted from 1"),
                to: event.to_state.code().into(),
            },
        }
    }

    /// Who is responsible for a family that is handed over, once the leg stands here.
    fn responsible(&self, state: LegState) -> Option<AgencyId> {
        let frame = &self.frame;
        let hands_over = frame.kind == ReferralType::HandOver;
        hands_over.then(|| Responsible::of(state).among(frame.sender, frame.recipient))
    }

    /// Puts the rows and, for a leg that existed, the guarded move into a write.
    pub fn finish(self, write: &mut Write) -> Standing {
        let standing = Standing {
            seq: self.seq,
            head: self.head.expect("invariant: a trail has at least one event"),
            state: self.state.expect("invariant: a trail has at least one event"),
            last_receipt: self.last_receipt.expect("invariant: a trail has at least one receipt"),
            at: self.at,
        };
        if self.start > 0 {
            write.shard = shard_of(self.frame.leg);
            write.steps.push(Change::MoveLeg(MoveLeg {
                id: self.frame.leg,
                from_seq: self.start,
                to_seq: standing.seq,
                state: standing.state,
                head_hash: standing.head,
                last_receipt: standing.last_receipt,
                at: standing.at,
            }));
        }
        write.rows.leg_events.extend(self.events);
        write.rows.receipts.extend(self.receipts);
        standing
    }
}

/// Changes of one leg are written by one committer, in order.
pub(super) const fn shard_of(leg: LegId) -> u64 {
    leg.uuid().as_u64_pair().1
}

/// Where the details of an event are sealed.
pub(super) fn event_slot(frame: &Frame, seq: u64) -> Slot<'static> {
    Slot { table: "leg_event", owner: frame.owner, object: frame.leg.uuid(), part: "body", seq }
}
