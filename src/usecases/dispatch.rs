//! Tells agencies what a commit left for them: a doorbell, a sealed document, the mail of the hour.
//!
//! A job says whom to tell about what; by which channels, the agency's subscriptions say at this moment. Losing a
//! job's effect costs delay and doubling it costs nothing, so whatever is in doubt is done again.

use std::{
    collections::{HashMap, hash_map::Entry},
    time::Duration,
};

use futures_util::future::join_all;
use uuid::Uuid;

use super::{
    Context,
    desk::Desk,
    job::{self, Dispatched, Fate, Why},
    post, push, ring, subscribe,
};
use crate::{
    domain::{
        delivery::DeliveryState,
        doorbell::{Doorbell, DoorbellKind},
        ids::{AgencyId, DeliveryId},
        problem::{Problem, ProblemKind},
        referral::ReferralType,
        refusal::RefusalCode,
    },
    ledger::{
        Scope,
        delivery::DeliveryRow,
        job::{JobKind, JobRow, Work},
    },
    transport::{Body, Line, Ring, Transport},
    usecases::subscribe::{AmqpWish, MailWish},
};

/// How many jobs are taken at once.
pub const LIMIT: i64 = 256;
/// After this long a job whose worker has gone is taken by another. Longer than a round can take: the
/// transport's own deadline is 10 s.
pub const LEASE: Duration = Duration::from_secs(30);
/// How many jobs are read for at a time, so that readers of the API are not kept waiting.
const TOGETHER: usize = 16;

/// Takes the jobs that are due, rings, and settles each by what became of it. Mail is only arranged for here, see
/// [`post::post`].
///
/// # Errors
/// The ledger could not be reached. Jobs that were taken are taken again when their lease has lapsed.
pub async fn dispatch(context: &Context, desk: &Desk) -> Result<Dispatched, Problem> {
    let jobs = job::claim(context, &desk.hands, Work::Rings, LIMIT, LEASE).await?;
    let mut round = Dispatched { claimed: jobs.len(), ..Dispatched::default() };
    if jobs.is_empty() {
        return Ok(round);
    }
    let wishes = wishes(context, desk, &jobs).await;
    let mut plans = Vec::with_capacity(jobs.len());
    for some in jobs.chunks(TOGETHER) {
        plans.extend(join_all(some.iter().map(|job| plan(context, &wishes, job))).await);
    }
    let fates = carry_out(desk, &mut plans).await;

    // One time for all: jobs that end alike are settled by one statement.
    let now = context.clock.now();
    let (mut settled, mut following) = (Vec::with_capacity(jobs.len()), Vec::new());
    for ((job, plan), fate) in jobs.iter().zip(plans).zip(fates) {
        let settle = job::settled(context, job, fate, now);
        round.count(settle.as_ref().map(|settle| settle.state));
        if settle.is_some() {
            following.extend(plan.mail);
        }
        settled.extend(settle);
    }
    let mails = !following.is_empty();
    job::settle(context, &desk.hands, settled, following).await?;
    if mails {
        desk.post.notify_one();
    }
    Ok(round)
}

/// Works until nothing is due any more, mail included: for tests and for the demo.
///
/// # Errors
/// The ledger could not be reached.
pub async fn drain(context: &Context, desk: &Desk) -> Result<Dispatched, Problem> {
    let mut all = Dispatched::default();
    loop {
        let (rung, posted) = (dispatch(context, desk).await?, post::post(context, desk).await?);
        all.add(rung);
        all.add(posted);
        if rung.claimed + posted.claimed == 0 {
            return Ok(all);
        }
    }
}

/// What is to be done about a job.
struct Plan {
    act: Act,
    /// The mail that is to follow from it.
    mail: Option<JobRow>,
}

enum Act {
    Ring(Ring),
    /// Nothing is to be rung, and this is what becomes of it.
    Settle(Fate),
}

impl Plan {
    const fn settle(fate: Fate) -> Self {
        Self { act: Act::Settle(fate), mail: None }
    }
}

/// How an agency wants to be told.
struct Wish {
    door: Door,
    mail: Option<MailWish>,
}

/// What the agency's system hears.
enum Door {
    /// It asked for no channel.
    None,
    Doorbell,
    Sealed(AmqpWish),
}

type Wishes = HashMap<AgencyId, Result<Wish, ProblemKind>>;

/// Each agency's wishes, read once for all its jobs.
async fn wishes(context: &Context, desk: &Desk, jobs: &[JobRow]) -> Wishes {
    let mut wishes = Wishes::new();
    for job in jobs {
        if let Entry::Vacant(place) = wishes.entry(job.agency) {
            place.insert(wish(context, desk, job.agency).await.map_err(|problem| problem.kind));
        }
    }
    wishes
}

async fn wish(context: &Context, desk: &Desk, agency: AgencyId) -> Result<Wish, Problem> {
    let mail = subscribe::open_mail(context, agency).await?;
    if matches!(desk.transport, Transport::InProcess(_)) {
        // Within the process everybody may listen.
        return Ok(Wish { door: Door::Doorbell, mail });
    }
    let amqp = subscribe::open_amqp(context, agency).await?;
    let line = amqp.as_ref().map(|wish| match wish {
        AmqpWish::Doorbell => Line::Inbox,
        AmqpWish::Sealed { .. } => Line::Sealed,
    });
    desk.keep(agency, line);
    let door = match amqp {
        None => Door::None,
        Some(AmqpWish::Doorbell) => Door::Doorbell,
        Some(sealed) => Door::Sealed(sealed),
    };
    Ok(Wish { door, mail })
}

/// Looks at what a job speaks of, as it is now. Whatever fails concerns this job alone.
async fn plan(context: &Context, wishes: &Wishes, job: &JobRow) -> Plan {
    let wish = match wishes.get(&job.agency) {
        Some(Ok(wish)) => wish,
        Some(Err(kind)) => return Plan::settle(Fate::of_problem(*kind)),
        None => return Plan::settle(Fate::Unknown),
    };
    let plan = match job.kind {
        JobKind::Waiting => waiting(context, wish, job).await,
        JobKind::Changed | JobKind::Recalled | JobKind::Glass => happened(context, wish, job).await,
        // Reading the wish has told the transport already.
        JobKind::Subscribed => Ok(Plan::settle(Fate::done(Why::Kept))),
        // Only the worker for mail takes these.
        JobKind::Mail | JobKind::UrgentMail => Ok(Plan::settle(Fate::Unknown)),
    };
    plan.unwrap_or_else(|problem| {
        tracing::warn!(job = %job.id, kind = ?problem.kind, "a job could not be looked at");
        Plan::settle(Fate::of_problem(problem.kind))
    })
}

/// A copy waits: its recipient is told by every channel it asked for, unless it has fetched the copy by now.
async fn waiting(context: &Context, wish: &Wish, job: &JobRow) -> Result<Plan, Problem> {
    if matches!(wish.door, Door::None) && wish.mail.is_none() {
        return Ok(Plan::settle(Fate::done(Why::NoChannel)));
    }
    let Ok(id) = job.subject.parse::<DeliveryId>() else { return Ok(Plan::settle(Fate::Damaged)) };
    let scope = Scope::of(job.agency);
    let Some(delivery) = context.ledger.delivery(scope, id).await? else {
        return Ok(Plan::settle(Fate::Damaged));
    };
    if delivery.state != DeliveryState::Waiting {
        return Ok(Plan::settle(Fate::done(Why::NotWaiting)));
    }
    let mail = match &wish.mail {
        Some(wish) if job::is_new(job) => Some(mail(context, wish, &delivery).await?),
        _ => None,
    };
    let act = match &wish.door {
        Door::None => Act::Settle(Fate::done(if mail.is_some() { Why::Rung } else { Why::NoChannel })),
        Door::Sealed(AmqpWish::Sealed { key, kid }) => {
            match push::push(context, job.agency, id, key, kid).await? {
                push::Push::Document(jwe) => ring(job, DoorbellKind::DeliveryWaiting, Body::Sealed(jwe)),
                // What protects the family is taken over first: somebody has to come and do it.
                push::Push::Refused(code) if code == RefusalCode::ProtectionFirst.code() => {
                    ring(job, DoorbellKind::DeliveryWaiting, Body::Empty)
                }
                push::Push::Refused(code) => return Ok(Plan::settle(Fate::Done(code))),
                push::Push::NotWaiting => return Ok(Plan::settle(Fate::done(Why::NotWaiting))),
            }
        }
        Door::Doorbell | Door::Sealed(AmqpWish::Doorbell) => {
            ring(job, DoorbellKind::DeliveryWaiting, Body::Empty)
        }
    };
    Ok(Plan { act, mail })
}

/// The mail about a copy: that of the next hour at which the agency reads mail, or, at a duty desk and for what
/// cannot wait, one of its own at once.
async fn mail(context: &Context, wish: &MailWish, delivery: &DeliveryRow) -> Result<JobRow, Problem> {
    let now = context.clock.now();
    if wish.duty_desk && is_urgent(context, delivery).await? {
        return Ok(ring::urgent_mail(context, delivery.recipient, delivery.id, now));
    }
    Ok(ring::gathered_mail(context, delivery.recipient, wish.gather_hours.next_slot(now), now))
}

/// A 通告 and a 送致 run day and night, however urgent their sender thought them.
async fn is_urgent(context: &Context, delivery: &DeliveryRow) -> Result<bool, Problem> {
    if delivery.urgency.is_urgent() {
        return Ok(true);
    }
    let leg = context.ledger.leg(Scope::of(delivery.recipient), delivery.leg).await?;
    Ok(leg.is_some_and(|leg| matches!(leg.kind, ReferralType::Notice | ReferralType::Transfer)))
}

/// A doorbell for what has happened already; but nobody is rung for what it may not know of: a leg that is still held
/// back, or, at the agency that gave it, a 通告, which is some persons' there to see and not the agency's. Where the holder of a copy is asked what becomes of it, the mail of the hour says that something
/// waits, so that an agency without a system learns of it too.
async fn happened(context: &Context, wish: &Wish, job: &JobRow) -> Result<Plan, Problem> {
    let scope = Scope::of(job.agency);
    let mail = match (job.kind, wish.mail.as_ref().filter(|_| job::is_new(job))) {
        (JobKind::Recalled, Some(wanted)) if context.ledger.open_requests(scope).await? > 0 => {
            let now = context.clock.now();
            Some(ring::gathered_mail(context, job.agency, wanted.gather_hours.next_slot(now), now))
        }
        (JobKind::Glass, Some(wanted)) if context.ledger.reviews_due(scope).await? > 0 => {
            let now = context.clock.now();
            Some(ring::gathered_mail(context, job.agency, wanted.gather_hours.next_slot(now), now))
        }
        _ => None,
    };
    if matches!(wish.door, Door::None) {
        return Ok(Plan { mail, ..Plan::settle(Fate::done(Why::NoChannel)) });
    }
    let Ok(subject) = job.subject.parse::<Uuid>() else { return Ok(Plan::settle(Fate::Damaged)) };
    let (kind, known) = match job.kind {
        JobKind::Recalled => {
            let copy = context.ledger.delivery(scope, subject.into()).await?;
            (DoorbellKind::DeliveryRecalled, copy.is_some())
        }
        JobKind::Glass => {
            (DoorbellKind::GlassBroken, context.ledger.leg(scope, subject.into()).await?.is_some())
        }
        _ => (DoorbellKind::LegChanged, context.ledger.leg(scope, subject.into()).await?.is_some()),
    };
    if !known {
        return Ok(Plan::settle(Fate::done(Why::Unseen)));
    }
    Ok(Plan { act: ring(job, kind, Body::Empty), mail })
}

fn ring(job: &JobRow, kind: DoorbellKind, body: Body) -> Act {
    match job.subject.parse::<Uuid>() {
        Ok(subject) => {
            let doorbell = Doorbell { id: job.id, to: job.agency, kind, subject, time: job.created_at };
            Act::Ring(Ring { doorbell, body })
        }
        Err(_) => Act::Settle(Fate::Damaged),
    }
}

/// Rings everything that is to be rung, together; says of every plan what became of it.
async fn carry_out(desk: &Desk, plans: &mut [Plan]) -> Vec<Fate> {
    let mut rings = Vec::new();
    let mut fates = Vec::with_capacity(plans.len());
    let mut places = Vec::new();
    for (place, plan) in plans.iter_mut().enumerate() {
        // What is rung is taken out of its plan; until the outcome is there, nothing is known of it.
        match std::mem::replace(&mut plan.act, Act::Settle(Fate::Unknown)) {
            Act::Ring(ring) => {
                rings.push(ring);
                places.push(place);
                fates.push(Fate::Unknown);
            }
            Act::Settle(fate) => fates.push(fate),
        }
    }
    if !rings.is_empty() {
        let outcomes = desk.transport.publish(rings).await;
        for (place, outcome) in places.into_iter().zip(outcomes) {
            fates[place] = Fate::of_outcome(outcome);
        }
    }
    fates
}
