//! Blind deliveries: what is sent to a hand-over address goes as two legs of one referral. The sender's leg leads to the
//! address and ends there; the recipient's leg comes from the address. Neither row names the other party, so that
//! whatever is shown of a leg to the one tells nothing of the other.
//!
//! What the recipient does moves its own leg alone. The sender's is moved by the hub, at a time that only the sending
//! decides, and once: to say that the copy was taken.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Caller, Context,
    act::facts,
    consent,
    copy::hub_itself,
    evidence::Trail,
    holding,
    open::{moved, received},
    opened::{OpenedLeg, damaged},
    protection::Shelter,
    ring,
};
use crate::{
    domain::{
        agency::Party,
        basis::BasisCode,
        basis_state::ConsentState,
        consent::{ConsentRecord, day_in_japan},
        delivery::{DeliveryAction, DeliveryActor, DeliveryState},
        disclosure::Decision,
        field_error::FieldError,
        handover::{HandoverState, as_for_anybody, next_look, travels},
        holding::HoldingCause,
        ids::{AgencyId, LegId},
        leg::{self, Actor as LegActor, LegAction, LegState},
        problem::{Problem, ProblemKind},
        receipt::{self, Actor, Attested, ReceiptLevel},
        referral::ReferralType,
        submission::{AskedLeg, Submission},
    },
    ledger::{
        Lane, Scope, Step, Write, WriteError,
        agency::AgencyRow,
        consent::ConsentRow,
        handover::{HandoverRow, MoveHandover},
        job::JobKind,
        leg::LegRow,
    },
};

/// What the sender reads where a recipient's name would stand.
pub(super) const NAME: &str = "（引継ぎ先は秘匿されています）";

/// How many addresses are looked at in one go.
const PAGE: i64 = 200;

/// A hand-over address that its sender may use now, and what it rests on.
pub(super) struct Blind {
    pub row: HandoverRow,
    pub recipient: AgencyRow,
    pub consent: ConsentRow,
    pub record: ConsentRecord,
}

impl Blind {
    /// Those of these ids that are addresses the caller may use. Whoever must not be told, by the caller's own word, is
    /// no recipient; that somebody stands there, the caller does not learn.
    pub async fn among(
        context: &Context,
        caller: &Caller,
        ids: impl Iterator<Item = AgencyId>,
        shelter: &Shelter,
    ) -> Result<HashMap<AgencyId, Self>, Problem> {
        let mut found = HashMap::new();
        for id in ids {
            let one = Self::find(context, caller, id, context.clock.now()).await?;
            if let Some(one) = one.filter(|one| !shelter.standing().blocks(&one.party())) {
                found.insert(id, one);
            }
        }
        Ok(found)
    }

    /// Finds what an address stands for. One that is unknown, another sender's, used, revoked or over, and one whose
    /// consent or recipient is there no more, are all the same: there is none.
    async fn find(
        context: &Context,
        caller: &Caller,
        address: AgencyId,
        now: Timestamp,
    ) -> Result<Option<Self>, Problem> {
        let Some(row) = context.ledger.handover_at(address).await? else { return Ok(None) };
        // A municipality hands over to one that it knows, and that takes the family's protection over first.
        let known = caller.agency.kind.is_municipal_office();
        if known || row.sender != caller.id() || row.state != HandoverState::Open || row.valid_until <= now {
            return Ok(None);
        }
        let found = consent::load(context, Scope::of(row.owner), row.consent).await?;
        let Some((consent, record)) = found else { return Ok(None) };
        let today = day_in_japan(now);
        let in_force =
            record.state == ConsentState::Active && record.has_begun(today) && !record.is_over(today);
        let recipient = context.ledger.agency(row.recipient).await?.filter(|row| row.active == 1 && in_force);
        Ok(recipient.map(|recipient| Self { row, recipient, consent, record }))
    }

    pub fn party(&self) -> Party<'_> {
        super::opened::party(&self.recipient)
    }

    /// The decision as the sender may know it: as narrow as it would be for anybody, and resting on the address.
    pub fn as_known(&self, decision: Decision) -> Decision {
        let basis = decision.basis.map(|ground| crate::domain::disclosure::Ground {
            reference: Some(format!("handover:{}", self.row.address)),
            ..ground
        });
        Decision { mask: as_for_anybody(decision.mask), basis, ..decision }
    }

    /// The use of the address by the two legs that were just made.
    pub fn used(&self, front: LegId, back: LegId, at: Timestamp) -> Step {
        Step::MoveHandover(MoveHandover {
            id: self.row.id,
            from_version: self.row.version,
            state: HandoverState::Used,
            front: Some(front),
            back: Some(back),
            look_at: Some(next_look(at, at)),
            at,
        })
    }
}

/// What keeps a leg from going to an address, whoever it leads to.
pub(super) fn fault(submission: &Submission, place: usize, asked: &AskedLeg) -> Option<FieldError> {
    let handover = submission.kind == ReferralType::HandOver && submission.purpose == submission.kind;
    let consented = asked.basis.as_deref() == Some(BasisCode::Consent.code());
    let of_its_own = asked.consent.is_some() || asked.arrangement.is_some() || asked.reply_by.is_some();
    if handover && consented && !of_its_own && asked.sections.iter().all(travels) {
        return None;
    }
    Some(FieldError::new(
        format!("/legs/{place}"),
        "handover_address",
        "引継ぎ先番号には、種別 IKAN を、根拠 CONSENT（同意のIDは書かない）で、住所・連絡先・通告者を除く区分だけ、返事の期限なしで送れます。",
        "An address takes a referral of type IKAN on the basis CONSENT without the id of a consent, without address, contact or notifier, and without a date to reply by.",
    ))
}

/// Takes the recipient's copy along when the sender recalls what it sent to an address. Not told of in a dry run: how
/// far that copy has come is nothing the sender may learn.
pub(super) async fn recall(
    context: &Context,
    caller: &Caller,
    id: LegId,
    document: &Value,
    write: &mut Write,
) -> Result<(), Problem> {
    let front = context.ledger.leg(caller.scope(), id).await?.ok_or_else(damaged)?;
    if !front.is_front() {
        return Ok(());
    }
    let staff = caller.staff(context, &document["by"], "/by").await?;
    let row = context.ledger.handover_at(front.recipient).await?.ok_or_else(damaged)?;
    let back = leg_at(context, &row, row.back).await?;
    let delivery = context.ledger.delivery_of(&back).await?.ok_or_else(damaged)?;
    let facts = facts(context, &back, &delivery).await?;
    let opened = OpenedLeg::for_the_hub(context, back).await?;
    holding::ask(context, &opened.leg, &delivery, HoldingCause::Recall, write).await?;
    if delivery.state != DeliveryState::Recalled && !delivery.state.terminal() {
        let at = context.clock.now();
        write.steps.push(moved(&opened, &delivery, DeliveryAction::Recall, DeliveryActor::Hub, at)?);
    }
    let state = opened.leg.state;
    let Ok(row) = leg::step(state, LegAction::Recall, LegActor::SenderStaff, &facts) else { return Ok(()) };
    let by = Actor { agency: Some(staff.agency), staff: Some(staff.id), attested: Attested::AgencyAsserted };
    let answer = receipt::Answer { action: row.action.code().into(), reason: None };
    let mut trail = Trail::resume(context, &opened.key, opened.frame(), &opened.leg);
    trail.event(row.action, row.to.unwrap_or(state), &by, Some(&json!({})))?;
    match row.to {
        Some(_) => trail.receipt(ReceiptLevel::Closed, &by, Some(answer), None),
        None => trail.sign(&by, Some(answer)),
    };
    let shard = write.shard;
    trail.finish(write);
    // The sender's leg says which committer writes this.
    write.shard = shard;
    let whom = opened.leg.recipient;
    write.rows.jobs.push(ring::job(context, JobKind::Recalled, &opened.leg, whom, context.clock.now()));
    Ok(())
}

/// A leg of an address, as the hub itself reads it.
async fn leg_at(context: &Context, row: &HandoverRow, id: Option<LegId>) -> Result<LegRow, Problem> {
    let id = id.ok_or_else(damaged)?;
    let scope = if row.front == Some(id) { row.sender } else { row.recipient };
    context.ledger.leg(Scope::of(scope), id).await?.ok_or_else(damaged)
}

/// Tells senders what was taken by the moment at which they may learn of it. One that cannot be read is told to the
/// operator and keeps no other waiting.
///
/// # Errors
/// The ledger could not be reached.
pub(super) async fn look(context: &Context) -> Result<usize, Problem> {
    let mut told = 0;
    let now = context.clock.now();
    for row in context.ledger.handovers_to_look_at(now, PAGE).await? {
        match look_at(context, &row, now).await {
            Ok(shown) => told += usize::from(shown),
            Err(problem) if problem.kind == ProblemKind::Internal => {
                tracing::error!(handover = %row.id, "a hand-over could not be looked at");
            }
            Err(problem) => return Err(problem),
        }
    }
    if told > 0 {
        context.work.notify_one();
    }
    Ok(told)
}

/// Looks at one; true if its sender is told now.
async fn look_at(context: &Context, row: &HandoverRow, now: Timestamp) -> Result<bool, Problem> {
    let due = row.look_at.ok_or_else(damaged)?;
    let (front, back) = (leg_at(context, row, row.front).await?, leg_at(context, row, row.back).await?);
    let receipts = context.ledger.receipts(&back).await?;
    // By that moment, and not by this one: when this was done says nothing either.
    let taken = receipts.iter().any(|row| row.level == ReceiptLevel::R2 && row.at <= due);
    let mut write = Write { lane: Lane::Urgent, ..Write::default() };
    let over = front.state != LegState::Requested;
    let (state, look_at) = match (over, taken) {
        (false, true) => {
            delivered(context, front, &mut write).await?;
            (HandoverState::Delivered, None)
        }
        (true, true) => (HandoverState::Delivered, None),
        (false, false) if !back.state.terminal() => {
            (HandoverState::Used, Some(next_look(back.created_at, now)))
        }
        _ => (HandoverState::Ended, None),
    };
    write.steps.push(Step::MoveHandover(MoveHandover {
        id: row.id,
        from_version: row.version,
        state,
        front: row.front,
        back: row.back,
        look_at,
        at: now,
    }));
    match context.ledger.write(write).await {
        Ok(_) => Ok(!over && taken),
        // The sender recalls it in this moment, or another node was faster.
        Err(WriteError::Stale | WriteError::Duplicate(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The sender's R2, attested by the hub.
async fn delivered(context: &Context, front: LegRow, write: &mut Write) -> Result<(), Problem> {
    let delivery = context.ledger.delivery_of(&front).await?.ok_or_else(damaged)?;
    let opened = OpenedLeg::for_the_hub(context, front).await?;
    let mut trail = Trail::resume(context, &opened.key, opened.frame(), &opened.leg);
    received(&opened, &hub_itself(), &mut trail)?;
    trail.receipt(ReceiptLevel::R2, &hub_itself(), None, None);
    let (action, actor) = (DeliveryAction::Take, DeliveryActor::RecipientSystem);
    write.steps.push(moved(&opened, &delivery, action, actor, trail.at())?);
    trail.finish(write);
    let whom = opened.leg.sender;
    write.rows.jobs.push(ring::job(context, JobKind::Changed, &opened.leg, whom, context.clock.now()));
    Ok(())
}
