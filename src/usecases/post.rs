//! Sends the mail that is due: one notice to one desk, without content, looked at once more before it leaves.

use std::{num::NonZeroU32, time::Duration};

use futures_util::future::join_all;

use super::{
    Context,
    desk::Desk,
    job::{self, Dispatched, Fate, Why},
    subscribe::{self, MailWish},
};
use crate::{
    delivery::{Failure, Notice, NoticeKind},
    domain::{
        delivery::DeliveryState,
        ids::DeliveryId,
        problem::{Problem, ProblemKind},
    },
    ledger::{
        Scope,
        job::{JobKind, JobRow, JobState, Work},
    },
};

/// How many mails are under way at once.
pub const LIMIT: i64 = 8;
/// Longer than a mail server may take over one mail, so that no second worker sends it meanwhile.
pub const LEASE: Duration = Duration::from_secs(150);

/// Takes the mails that are due, sends them side by side, and settles each as soon as it is sent.
///
/// # Errors
/// The ledger could not be reached. A mail that was sent and could not be settled is sent again, under the same
/// message id.
pub async fn post(context: &Context, desk: &Desk) -> Result<Dispatched, Problem> {
    let jobs = job::claim(context, &desk.hands, Work::Mail, LIMIT, LEASE).await?;
    let mut round = Dispatched { claimed: jobs.len(), ..Dispatched::default() };
    for settled in join_all(jobs.iter().map(|job| one(context, desk, job))).await {
        round.count(settled?);
    }
    Ok(round)
}

/// Sends one mail and settles its job.
async fn one(context: &Context, desk: &Desk, job: &JobRow) -> Result<Option<JobState>, Problem> {
    let fate = match notice(context, job).await {
        Ok(Ok(notice)) => send(desk, job, &notice).await,
        Ok(Err(why)) => Fate::done(why),
        Err(problem) => Fate::of_problem(problem.kind),
    };
    let Some(settled) = job::settled(context, job, fate, context.clock.now()) else { return Ok(None) };
    let state = settled.state;
    job::settle(context, &desk.hands, vec![settled], Vec::new()).await?;
    Ok(Some(state))
}

async fn send(desk: &Desk, job: &JobRow, notice: &Notice) -> Fate {
    match desk.mailer.send(notice).await {
        Ok(()) => Fate::done(Why::Mailed),
        Err(failure @ Failure::Later(_)) => {
            tracing::warn!(job = %job.id, attempt = job.attempts, %failure, "a mail was not sent");
            Fate::Later(Why::MailFailed)
        }
        Err(failure @ Failure::Never(_)) => {
            tracing::error!(job = %job.id, agency = %job.agency, %failure, "a desk cannot be mailed");
            Fate::Dead(Why::MailRefused)
        }
    }
}

/// The notice a job stands for, as things are now; or why there is none to send.
async fn notice(context: &Context, job: &JobRow) -> Result<Result<Notice, Why>, Problem> {
    let Some(wish) = subscribe::open_mail(context, job.agency).await? else {
        return Ok(Err(Why::NoChannel));
    };
    let found = match job.kind {
        JobKind::UrgentMail => urgent(context, job, &wish).await?,
        _ => gathered(context, job).await?,
    };
    let Some((kind, about)) = found else { return Ok(Err(Why::NotWaiting)) };
    Ok(Ok(Notice {
        to: wish.address.as_str().to_owned(),
        kind,
        language: wish.language,
        reference: about.map(DeliveryId::reference),
        hub_address: context.settings.public_url.clone(),
        message_id: job.id.uuid(),
        at: context.clock.now(),
    }))
}

/// One copy that cannot wait. The urgent subject is a duty desk's alone.
async fn urgent(
    context: &Context,
    job: &JobRow,
    wish: &MailWish,
) -> Result<Option<(NoticeKind, Option<DeliveryId>)>, Problem> {
    let id: DeliveryId = job.subject.parse().map_err(|_| ProblemKind::Internal)?;
    let delivery = context.ledger.delivery(Scope::of(job.agency), id).await?;
    if delivery.is_none_or(|delivery| delivery.state != DeliveryState::Waiting) {
        return Ok(None);
    }
    let kind =
        if wish.duty_desk { NoticeKind::Urgent } else { NoticeKind::Waiting { count: NonZeroU32::MIN } };
    Ok(Some((kind, Some(id))))
}

/// Everything that waits at this hour: copies unread, requests about copies that are asked back, and a break-glass to
/// review. Of a single copy
/// also the reference.
async fn gathered(
    context: &Context,
    job: &JobRow,
) -> Result<Option<(NoticeKind, Option<DeliveryId>)>, Problem> {
    let scope = Scope::of(job.agency);
    let count = context.ledger.waiting_count(scope).await?
        + context.ledger.open_requests(scope).await?
        + context.ledger.reviews_due(scope).await?;
    let Some(count) = NonZeroU32::new(u32::try_from(count).unwrap_or(u32::MAX)) else { return Ok(None) };
    let about = match count {
        NonZeroU32::MIN => {
            let waiting = context.ledger.inbox(scope, DeliveryState::Waiting, None, 1).await?;
            waiting.first().map(|delivery| delivery.id)
        }
        _ => None,
    };
    Ok(Some((NoticeKind::Waiting { count }, about)))
}
