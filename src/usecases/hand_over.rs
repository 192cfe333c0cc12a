//! Hands a family over to another municipality (移管): one hand-over of a case at a time, the protection before the
//! data, and in view of both sides who is responsible.
//!
//! What protects the family becomes the recipient's own when a named person there acknowledges the hand-over; until
//! then no content opens. What its former agency hides later reaches the recipient in the write that hides it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    ALLOWED, Caller, Context,
    act::lacking,
    consent::field_problem,
    evidence::Trail,
    jst, not_found,
    open::{moved, received},
    opened::{OpenedLeg, World, damaged, erased},
    protect::Stronger,
    protection::Shelter,
    read::{event_details, present},
    refused::refused,
    ring,
};
use crate::{
    domain::{
        delivery::{DeliveryAction, DeliveryActor, DeliveryState},
        disclosure::Event,
        fault::{Fault, Text},
        hand_over::{ASK_ANEW, Anew, Flag, FlagState, Responsible, TAKE_OVER_FIRST},
        ids::{AgencyId, CaseId, LegId, ProtectionId, StaffId},
        leg::{Field, Guard, LegAction},
        leg_facts::HandOverFact,
        problem::{Problem, ProblemKind},
        protection::{Standing, record::Place, terms::Terms},
        receipt::{Actor, ReceiptLevel},
        referral::ReferralType,
        refusal::RefusalCode,
        submission::Submission,
    },
    ledger::{
        Scope, Step, Write,
        agency::StaffRow,
        audit::AuditAction,
        delivery::DeliveryRow,
        hand_over::{ClaimHandOver, HandOverRow},
        leg::{LegEventRow, LegRow},
    },
    usecases::schema::pointer,
};

/// The right to be the one hand-over of a case.
pub(super) struct Claim {
    owner: AgencyId,
    case: CaseId,
    after: Option<LegId>,
    at: Timestamp,
}

/// Looks whether the family may be handed over: it is the caller's, and nobody else may still accept it.
///
/// # Errors
/// A hand-over of the case that is under way, or was accepted.
pub(super) async fn claim(
    context: &Context,
    caller: &Caller,
    submission: &Submission,
) -> Result<Option<Claim>, Problem> {
    let Some(case) = submission.case.filter(|_| submission.kind == ReferralType::HandOver) else {
        return Ok(None);
    };
    let newest = context.ledger.hand_over(caller.scope(), case).await?;
    let after = newest.map(|row| row.leg);
    if let Some(leg) = after {
        let leg = context.ledger.leg(caller.scope(), leg).await?.ok_or_else(damaged)?;
        match Anew::after(leg.state) {
            Anew::Yes => {}
            Anew::UnderWay => return Err(not_twice("hand_over_under_way", UNDER_WAY)),
            Anew::HandedOver => return Err(not_twice("handed_over", HANDED_OVER)),
        }
    }
    Ok(Some(Claim { owner: caller.id(), case, after, at: context.clock.now() }))
}

impl Claim {
    /// Takes it for the leg of a write that submits one.
    pub fn take(&self, write: &mut Write) {
        let Self { owner, case, after, at } = *self;
        if let Some(leg) = write.rows.legs.first() {
            let row = HandOverRow { owner, case_id: case, leg: leg.id, at };
            write.steps.push(Step::ClaimHandOver(ClaimHandOver { row, after }));
        }
    }
}

const UNDER_WAY: Text = Text::new(
    "このケースの移管は、すでに別の機関に送られています。返書を待つか、取り消してから送ってください。",
    "A hand-over of this case is under way already: wait for its answer, or cancel it first.",
);
const HANDED_OVER: Text = Text::new(
    "このケースの移管は受け入れられ、責任は相手の機関に移っています。戻ってきた家族は、新しいケースとして受けてください。",
    "This case was handed over and accepted: another agency is responsible. A family that comes back is a new case.",
);

fn not_twice(code: &'static str, message: Text) -> Problem {
    Problem::new(ProblemKind::AlreadyThere).faults([Fault { pointer: pointer("/case"), code, message }])
}

/// What was taken over, for which case of the recipient's own, by whom.
struct TakenOver {
    case: CaseId,
    protection: ProtectionId,
    by: Option<StaffId>,
    at: Timestamp,
}

/// The last acknowledgement that took a protection over.
fn taken_over(opened: &OpenedLeg, events: &[LegEventRow]) -> Result<Option<TakenOver>, Problem> {
    let acknowledged = events.iter().rev().filter(|event| event.kind == LegAction::Acknowledge.code());
    for event in acknowledged {
        let told = event_details(opened, event)?;
        if let (Some(case), Some(protection)) = (told["case"].as_str(), told["protection"].as_str()) {
            let (by, at) = (event.staff, event.at);
            return Ok(Some(TakenOver { case: case.parse()?, protection: protection.parse()?, by, at }));
        }
    }
    Ok(None)
}

/// Whether the recipient of a leg has taken the family's protection over.
pub(super) async fn flag(context: &Context, opened: &OpenedLeg) -> Result<Flag, Problem> {
    if opened.leg.kind != ReferralType::HandOver {
        return Ok(Flag::Waiting);
    }
    let events = context.ledger.leg_events(&opened.leg).await?;
    Ok(if taken_over(opened, &events)?.is_some() { Flag::Taken } else { Flag::Waiting })
}

/// What the leg's table needs to know of a hand-over.
pub(super) async fn fact(context: &Context, leg: &LegRow) -> Result<HandOverFact, Problem> {
    if leg.kind != ReferralType::HandOver {
        return Ok(HandOverFact::No);
    }
    let opened = OpenedLeg::of(context, Scope::of(leg.sender), leg.clone()).await?;
    let waits = shelter(context, &opened).await?.stands() && flag(context, &opened).await? == Flag::Waiting;
    Ok(if waits { HandOverFact::FlagWaits } else { HandOverFact::Clear })
}

async fn shelter(context: &Context, opened: &OpenedLeg) -> Result<Shelter, Problem> {
    let (sender, referral) = (opened.leg.sender, &opened.referral);
    Shelter::of(context, sender, referral.case_id, Some(referral.id)).await
}

/// What an acknowledgement or an acceptance rests on, and what it takes over.
pub(super) struct Taking {
    shelter: Shelter,
    protection: Option<Stronger>,
}

impl Taking {
    /// # Errors
    /// A recipient from whom the family is hidden; a protection that does not open; one that waits, where no case is
    /// named for it or the hand-over is accepted before.
    pub async fn of(
        context: &Context,
        opened: &OpenedLeg,
        action: LegAction,
        staff: &StaffRow,
        document: &Value,
    ) -> Result<Option<Self>, Problem> {
        let concerned = matches!(action, LegAction::Acknowledge | LegAction::Accept);
        if opened.leg.kind != ReferralType::HandOver || !concerned {
            return Ok(None);
        }
        let shelter = shelter(context, opened).await?;
        if !shelter.stands() || flag(context, opened).await? == Flag::Taken {
            return Ok(Some(Self { shelter, protection: None }));
        }
        if action == LegAction::Accept {
            // Somebody protected the family in this very moment.
            return Err(Problem::illegal_transition(opened.leg.state.code(), vec!["acknowledge"])
                .code(Guard::FlagTaken.code())
                .mend(TAKE_OVER_FIRST));
        }
        may_be_told(context, opened, &shelter).await?;
        let case = document["case"].as_str().ok_or_else(|| field_problem(vec![lacking(Field::Case)]))?;
        let terms = shelter.handed_over().ok_or_else(damaged)?;
        let (place, at) = (Place::Case(case.parse()?), context.clock.now());
        let stronger = Stronger::of(context, staff.agency, place, &terms, staff.id, at).await?;
        Ok(Some(Self { shelter, protection: Some(stronger) }))
    }

    /// The recipient's own protection, once this is written.
    pub fn protection(&self) -> Option<ProtectionId> {
        self.protection.as_ref().map(|stronger| stronger.version().0)
    }

    /// Adds what is taken over, and asks that what it was read from stands. Behind the move of the leg.
    pub async fn write(
        self,
        context: &Context,
        caller: &Caller,
        staff: StaffId,
        write: &mut Write,
    ) -> Result<(), Problem> {
        if let Some(stronger) = self.protection {
            let (id, news) = (stronger.version().0, stronger.news());
            let legs = stronger.put(context, write).await?;
            write.rows.audits.push(caller.audit(context, Some(staff), AuditAction::Protect, id, ALLOWED));
            if let Some((place, terms)) = news {
                pass_on(context, caller, (caller.id(), place), &terms, (staff, legs), write).await?;
            }
        }
        self.shelter.hold(write);
        Ok(())
    }
}

/// A protection that names its recipient among those to hide from is not for it to read, let alone to take over.
async fn may_be_told(context: &Context, opened: &OpenedLeg, shelter: &Shelter) -> Result<(), Problem> {
    let world = World::load(context, opened).await?;
    let now = context.clock.now();
    let readable = matches!(shelter.standing(), Standing::Protected(_));
    match world.decide(opened, Event::Deliver, now) {
        // That it was not taken over is what is about to change.
        Err(refusal) if refusal.code != RefusalCode::ProtectionFirst || !readable => {
            Err(refused(context, ProblemKind::OpeningRefused, opened.leg.recipient, &refusal, now))
        }
        _ => Ok(()),
    }
}

/// Whoever acknowledges a hand-over has it: where the copy still waits, its arrival is recorded first.
pub(super) fn arrived(
    opened: &OpenedLeg,
    delivery: &DeliveryRow,
    by: &Actor,
    trail: &mut Trail<'_>,
    write: &mut Write,
) -> Result<(), Problem> {
    if delivery.state != DeliveryState::Waiting {
        return Ok(());
    }
    received(opened, by, trail)?;
    trail.receipt(ReceiptLevel::R2, by, None, None);
    let actor = DeliveryActor::RecipientSystem;
    write.steps.push(moved(opened, delivery, DeliveryAction::Take, actor, trail.at())?);
    Ok(())
}

/// Has what an agency hides from now on reach those to whom it has handed the family over, and those to whom they
/// have: each gets a next version of its own protection, and hears of it. What hides less reaches nobody.
pub(super) async fn pass_on(
    context: &Context,
    caller: &Caller,
    (owner, place): (AgencyId, Place),
    terms: &Terms,
    (by, mut legs): (StaffId, Vec<LegRow>),
    write: &mut Write,
) -> Result<(), Problem> {
    let (terms, at) = (terms.handed_over(), context.clock.now());
    let mut reached = vec![(owner, place)];
    while let Some(leg) = legs.pop() {
        let hands_over = leg.kind == ReferralType::HandOver && Anew::after(leg.state) != Anew::Yes;
        if !hands_over || erased(context, &leg).await? {
            continue;
        }
        let opened = OpenedLeg::of(context, Scope::of(leg.sender), leg).await?;
        let (leg, events) = (&opened.leg, context.ledger.leg_events(&opened.leg).await?);
        let Some(taken) = taken_over(&opened, &events)? else {
            // It has read without a protection, or not at all: it takes this one over before it reads on.
            write.rows.jobs.push(ring::protected(context, leg, None, at));
            continue;
        };
        let theirs = (leg.recipient, Place::Case(taken.case));
        if reached.contains(&theirs) {
            continue;
        }
        reached.push(theirs);
        let stronger = Stronger::of(context, theirs.0, theirs.1, &terms, by, at).await?;
        if let Stronger::Next(_) = &stronger {
            let version = stronger.version();
            write.rows.jobs.push(ring::protected(context, leg, Some(version), at));
            write.rows.audits.push(caller.audit(context, Some(by), AuditAction::Protect, version.0, ALLOWED));
            legs.extend(stronger.put(context, write).await?);
        }
    }
    Ok(())
}

/// Of what was written at an acknowledgement, the other side does not learn under which case and record it is kept.
pub(super) fn keep_own(told: &mut Value) {
    if let Some(members) = told.as_object_mut() {
        members.retain(|name, _| !["case", "protection"].contains(&name.as_str()));
    }
}

/// How a hand-over stands, for a party of it.
pub(super) async fn seen(
    context: &Context,
    caller: &Caller,
    opened: &OpenedLeg,
    events: &[LegEventRow],
) -> Result<Value, Problem> {
    let leg = &opened.leg;
    let with = |state| Responsible::of(state).among(leg.sender, leg.recipient);
    let passed = events.iter().rev().find(|event| with(event.from_state) != with(event.to_state));
    let since = passed.or(events.first()).ok_or_else(not_found)?;
    let taken = taken_over(opened, events)?;
    let flag = match &taken {
        Some(_) => FlagState::Taken,
        None if shelter(context, opened).await?.stands() => FlagState::Waiting,
        None => FlagState::None,
    };
    let mut view = json!({
        "responsible": with(leg.state), "since": jst(since.at), "seq": since.seq, "protection": flag,
    });
    if let Some(taken) = &taken {
        view["taken_over_by"] = json!(taken.by);
        view["taken_over_at"] = json!(jst(taken.at));
    }
    if caller.id() == leg.recipient {
        view["protection_id"] = json!(taken.map(|taken| taken.protection));
        view["consents"] = json!({"carried_over": false, "note": ASK_ANEW.ja, "note_en": ASK_ANEW.en});
        if flag == FlagState::Waiting {
            view["next"] = json!({"note": TAKE_OVER_FIRST.ja, "note_en": TAKE_OVER_FIRST.en});
        }
    }
    Ok(present(view))
}
