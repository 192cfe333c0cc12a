//! Looks every so often for what fell by the wayside: every state in which something is recorded and nobody works
//! on it has its reaper here.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::{Broker, Context, break_glass, desk::Desk, holding, ring, second_look};
use crate::{
    domain::{ids::AgencyId, problem::Problem},
    ledger::{
        Lane, LedgerError, Step, Write,
        job::{ForgetJobs, JobState, RingAgain},
        subscription::{Channel, ChannelMode},
    },
    transport::{Line, Transport},
};

/// How young a copy may be whose job is not looked for yet.
const SETTLING: Duration = Duration::from_secs(60);
/// How long a job that is done is kept. Evidence is the receipts'; and the doorbells rung a day ago are looked
/// through at every sweep, so they are to be few.
const DONE_KEPT: Duration = Duration::from_secs(25 * 3600);
/// How long a job that was given up is kept for the operator to look at.
const DEAD_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// Rows read or deleted in one go.
const PAGE: i64 = 500;
/// How many pages a sweep deletes at most; the next one goes on.
const PAGES: usize = 200;

/// What a sweep found to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Jobs made ready again.
    pub again: u64,
    /// Copies that waited without a doorbell.
    pub orphans: usize,
    /// Withdrawals that came to their end.
    pub settled: usize,
    /// Break-glasses of whose late review both agencies were told.
    pub late_reviews: usize,
    /// Old jobs that were deleted.
    pub forgotten: u64,
}

/// What one process remembers from sweep to sweep.
pub struct Sweeper {
    generation: u64,
    /// Up to where copies without a doorbell were looked for.
    looked_until: Timestamp,
}

impl Sweeper {
    /// Begins a process's work. Where there is but one process, nobody else can hold a lease.
    ///
    /// # Errors
    /// The ledger could not be reached.
    pub async fn begin(context: &Context, desk: &Desk) -> Result<Self, Problem> {
        if context.settings.broker == Broker::InProcess {
            again(context, vec![RingAgain::LapsedBefore(Timestamp::MAX)]).await?;
        }
        second_look::name_everybody(context).await?;
        // What a broker lost while nobody watched is not known: its first connection counts as a new one.
        let generation = match desk.transport {
            Transport::InProcess(_) => desk.transport.generation(),
            _ => 0,
        };
        Ok(Self { generation, looked_until: Timestamp::MIN })
    }

    /// One sweep.
    ///
    /// # Errors
    /// The ledger could not be reached; what was found by then is done.
    pub async fn sweep(&mut self, context: &Context, desk: &Desk) -> Result<Swept, Problem> {
        keep_queues(context, desk).await?;
        let mut swept = Swept { again: self.ring_again(context, desk).await?, ..Swept::default() };
        swept.orphans = self.adopt(context).await?;
        if swept.again > 0 || swept.orphans > 0 {
            context.work.notify_one();
        }
        swept.settled = holding::settle_due(context).await?;
        swept.late_reviews = break_glass::tell_late(context).await?;
        if swept.late_reviews > 0 {
            context.work.notify_one();
        }
        swept.forgotten = forget(context).await?;
        Ok(swept)
    }

    /// Lapsed leases, doorbells that have expired unheard, and everything that waits when the transport has begun
    /// anew.
    async fn ring_again(&mut self, context: &Context, desk: &Desk) -> Result<u64, Problem> {
        let (now, generation) = (context.clock.now(), desk.transport.generation());
        let lapsed = RingAgain::LapsedBefore(context.ledger.lease_time(&context.clock).await?);
        let steps = if generation > self.generation {
            tracing::info!(
                generation,
                "the transport has begun anew: everything that waits is rung for again"
            );
            // What was rung in this very moment may be among what was lost.
            let before = now.checked_add(Duration::from_micros(1)).unwrap_or(Timestamp::MAX);
            vec![lapsed, RingAgain::StillWaiting { before, now }, RingAgain::PutOff { now }]
        } else {
            vec![lapsed, RingAgain::StillWaiting { before: earlier(now, desk.ring_again_after), now }]
        };
        let rung = again(context, steps).await?;
        self.generation = generation;
        Ok(rung)
    }

    /// Copies that wait and have no job: each is written together with its copy, so there should be none.
    async fn adopt(&mut self, context: &Context) -> Result<usize, Problem> {
        let now = context.clock.now();
        let until = earlier(now, SETTLING);
        let mut found = 0;
        loop {
            let orphans = context.ledger.without_doorbell(self.looked_until, until, PAGE).await?;
            if !orphans.is_empty() {
                tracing::error!(
                    count = orphans.len(),
                    "copies waited without a doorbell; they are rung for now"
                );
                let mut write = Write { lane: Lane::Urgent, ..Write::default() };
                write.rows.jobs.extend(orphans.iter().map(|delivery| ring::waiting(context, delivery, now)));
                context.ledger.write(write).await?;
            }
            found += orphans.len();
            if (orphans.len() as i64) < PAGE {
                self.looked_until = until.max(self.looked_until);
                return Ok(found);
            }
        }
    }
}

async fn again(context: &Context, steps: Vec<RingAgain>) -> Result<u64, Problem> {
    let steps = steps.into_iter().map(Step::RingAgain).collect();
    Ok(context.ledger.write(Write { lane: Lane::Urgent, steps, ..Write::default() }).await?.rung)
}

async fn forget(context: &Context) -> Result<u64, Problem> {
    let mut all = 0;
    for (ended, kept) in [(JobState::Done, DONE_KEPT), (JobState::Dead, DEAD_KEPT)] {
        let before = earlier(context.clock.now(), kept);
        for _ in 0..PAGES {
            let steps = vec![Step::ForgetJobs(ForgetJobs { ended, before, limit: PAGE })];
            let forgotten = context.ledger.write(Write { steps, ..Write::default() }).await?.forgotten;
            all += forgotten;
            if forgotten < PAGE.unsigned_abs() {
                break;
            }
        }
    }
    Ok(all)
}

/// Has the transport keep the queues that agencies ask for now; another node may have been told of a change.
async fn keep_queues(context: &Context, desk: &Desk) -> Result<(), Problem> {
    if !matches!(desk.transport, Transport::InProcess(_)) {
        desk.keep_only(&lines(context).await?);
    }
    Ok(())
}

/// The queue of every agency that wants to be told over AMQP.
///
/// # Errors
/// The ledger could not be read.
pub async fn lines(context: &Context) -> Result<BTreeMap<AgencyId, Line>, LedgerError> {
    let (mut lines, mut after) = (BTreeMap::new(), None);
    loop {
        let page = context.ledger.subscribers(Channel::Amqp, after, PAGE).await?;
        lines.extend(page.iter().map(|row| match row.mode {
            ChannelMode::Sealed => (row.agency, Line::Sealed),
            ChannelMode::Doorbell | ChannelMode::DutyDesk => (row.agency, Line::Inbox),
        }));
        after = page.last().map(|row| row.agency);
        if (page.len() as i64) < PAGE {
            return Ok(lines);
        }
    }
}

fn earlier(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}
