//! Jobs in the hands of a worker: claimed by lease, settled by what became of them.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use uuid::Uuid;

use super::Context;
use crate::{
    code_list,
    domain::{
        ids::JobId,
        patience::{Jitter, Next, Schedule},
        problem::{Problem, ProblemKind},
    },
    ledger::{
        Lane, Step, Write, WriteError,
        job::{ClaimJobs, JobKind, JobRow, JobState, SettleJob, Work},
    },
    transport::{Outcome, Reason},
};

code_list! {
    /// Why a job stands where it stands. Kept in its `reason`, beside the codes of refused disclosures.
    Why, "reason of a job" {
        Rung = "rung", "知らせた", "rung";
        NotWaiting = "not_waiting", "待機中でない", "nothing waits any more";
        Unseen = "unseen", "相手にはまだ見えない", "its receiver may not see it";
        NoChannel = "no_channel", "通知先の設定なし", "the agency asked for no such channel";
        Kept = "kept", "受信設定を反映した", "the queue is kept as asked";
        Mailed = "mailed", "メールを送った", "mailed";
        Unroutable = "unroutable", "受信キューなし", "nobody's queue took it";
        NotConnected = "not_connected", "ブローカーに未接続", "no connection to the broker";
        Blocked = "blocked", "ブローカーが受付停止中", "the broker takes nothing";
        Refused = "refused", "ブローカーが拒否", "the broker refused it";
        TimedOut = "timed_out", "ブローカーの確認なし", "the broker did not confirm in time";
        Broken = "broken", "接続が切れた", "the connection broke before a confirm";
        MailFailed = "mail_failed", "メールを送れなかった", "the mail could not be sent";
        MailRefused = "mail_refused", "メールが拒否された", "the mail was refused for good";
        Damaged = "damaged", "記録が読めない", "what the job speaks of cannot be read";
    }
}

/// How often a job is tried whose record cannot be read, before somebody has to look at it.
const DAMAGED_TRIES: i64 = 5;
/// How often a settling is offered to a committer that is busy.
const SETTLE_TRIES: u32 = 5;

/// What became of a claimed job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Done(&'static str),
    /// To be tried again by its schedule, as long as that lasts.
    Later(Why),
    /// To be tried again, or never if this has gone on for too long: what it speaks of cannot be read.
    Damaged,
    Dead(Why),
    /// Nothing is known of it: its lease lapses, and it is taken again.
    Unknown,
}

impl Fate {
    pub const fn done(why: Why) -> Self {
        Self::Done(why.code())
    }

    /// What a failure inside the hub means for the job it happened to.
    pub const fn of_problem(kind: ProblemKind) -> Self {
        match kind {
            ProblemKind::Busy | ProblemKind::Unavailable | ProblemKind::OutcomeUnknown => Self::Unknown,
            _ => Self::Damaged,
        }
    }

    pub const fn of_outcome(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Published => Self::done(Why::Rung),
            Outcome::Unroutable => Self::Later(Why::Unroutable),
            Outcome::Failed(reason) => Self::Later(match reason {
                Reason::NotConnected => Why::NotConnected,
                Reason::Blocked => Why::Blocked,
                Reason::Refused => Why::Refused,
                Reason::TimedOut => Why::TimedOut,
                Reason::Broken => Why::Broken,
            }),
        }
    }
}

/// What a round of work came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dispatched {
    /// Jobs that were due and taken.
    pub claimed: usize,
    pub done: usize,
    /// Jobs that failed and are tried again.
    pub later: usize,
    pub dead: usize,
}

impl Dispatched {
    pub(super) const fn count(&mut self, settled: Option<JobState>) {
        match settled {
            Some(JobState::Done) => self.done += 1,
            Some(JobState::Dead) => self.dead += 1,
            Some(JobState::Ready | JobState::Leased) => self.later += 1,
            None => {}
        }
    }

    pub(super) const fn add(&mut self, other: Self) {
        self.claimed += other.claimed;
        self.done += other.done;
        self.later += other.later;
        self.dead += other.dead;
    }
}

/// The jobs this process has claimed and not settled.
#[derive(Default)]
pub(super) struct Hands(Mutex<BTreeMap<JobId, JobRow>>);

impl Hands {
    // The map is whole after every step, so what a panic left behind can be used.
    fn held(&self) -> MutexGuard<'_, BTreeMap<JobId, JobRow>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes jobs; those whose lease has lapsed meanwhile are somebody else's.
    fn take(&self, jobs: &[JobRow], now: Timestamp) {
        let mut held = self.held();
        held.retain(|_, job| job.lease_until > now);
        held.extend(jobs.iter().map(|job| (job.id, job.clone())));
    }

    fn put_down(&self, settled: &[SettleJob]) {
        let mut held = self.held();
        for one in settled {
            held.remove(&one.id);
        }
    }
}

/// Takes what is due, the most urgent first. What is due is measured by the clock that wrote when it would be, the
/// hub's, so that a hub whose clock is ahead of the database's rings no later for it; leases, which other nodes read,
/// are measured by the database's.
pub(super) async fn claim(
    context: &Context,
    hands: &Hands,
    work: Work,
    limit: i64,
    lease: Duration,
) -> Result<Vec<JobRow>, Problem> {
    let now = context.ledger.lease_time(&context.clock).await?;
    let (due, dialect) = (context.clock.now(), context.ledger.dialect());
    let claim = ClaimJobs { work, due, lease_until: later(now, lease), limit, dialect };
    let write = Write { lane: Lane::Urgent, steps: vec![Step::ClaimJobs(claim)], ..Write::default() };
    let mut claimed = context.ledger.write(write).await?.claimed;
    hands.take(&claimed, now);
    // What a database returns has no order.
    claimed.sort_by_key(|job| (job.rank, job.next_at, job.id));
    Ok(claimed)
}

/// The step that settles a claimed job, if it is settled at all. It is void where the lease has lapsed and
/// somebody else has taken the job meanwhile.
pub(super) fn settled(context: &Context, job: &JobRow, fate: Fate, now: Timestamp) -> Option<SettleJob> {
    let settle = |state, next_at, reason: &str| {
        Some(SettleJob { id: job.id, epoch: job.epoch, state, next_at, reason: Some(reason.to_owned()) })
    };
    let again = |why: Why| match schedule(job.kind).after(failed(job), Jitter::drawn(chance(context))) {
        Next::After(wait) => settle(JobState::Ready, later(now, wait), why.code()),
        Next::GiveUp => settle(JobState::Dead, now, why.code()),
    };
    match fate {
        Fate::Done(reason) => settle(JobState::Done, now, reason),
        Fate::Later(why) => again(why),
        Fate::Damaged if job.attempts < DAMAGED_TRIES => again(Why::Damaged),
        Fate::Damaged => settle(JobState::Dead, now, Why::Damaged.code()),
        Fate::Dead(why) => settle(JobState::Dead, now, why.code()),
        Fate::Unknown => None,
    }
}

/// Whether this is the first time the job is settled. Then whoever is told by other channels is arranged for, in the
/// same write that settles it.
pub(super) fn is_new(job: &JobRow) -> bool {
    job.reason.as_deref().is_none_or(|reason| reason == Why::Damaged.code())
}

/// Writes what became of jobs, and the jobs that follow from them.
pub(super) async fn settle(
    context: &Context,
    hands: &Hands,
    settled: Vec<SettleJob>,
    following: Vec<JobRow>,
) -> Result<(), Problem> {
    let write = || {
        let step = |s: &SettleJob| Step::SettleJob(SettleJob { reason: s.reason.clone(), ..*s });
        let mut write =
            Write { lane: Lane::Urgent, steps: settled.iter().map(step).collect(), ..Write::default() };
        write.rows.jobs.clone_from(&following);
        write
    };
    let mut tried = 0;
    loop {
        tried += 1;
        match context.ledger.write(write()).await {
            Ok(_) => {
                hands.put_down(&settled);
                return Ok(());
            }
            // A moment's patience costs less than doing everything again.
            Err(WriteError::Busy) if tried < SETTLE_TRIES => {
                tokio::time::sleep(Duration::from_millis(20 << tried)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Gives back what a process that ends had not settled, as it was before it was claimed, so that the next one, or
/// another node, takes it at once and need not wait for a lease to lapse.
pub(super) async fn give_back(context: &Context, hands: &Hands) -> Result<usize, Problem> {
    let held: Vec<JobRow> = hands.held().values().cloned().collect();
    let back = held.into_iter().map(|job| SettleJob {
        id: job.id,
        epoch: job.epoch,
        state: JobState::Ready,
        next_at: job.next_at,
        reason: job.reason,
    });
    let back: Vec<SettleJob> = back.collect();
    let count = back.len();
    if count > 0 {
        settle(context, hands, back, Vec::new()).await?;
    }
    Ok(count)
}

const fn schedule(kind: JobKind) -> Schedule {
    match kind {
        JobKind::Mail | JobKind::UrgentMail => Schedule::Mail,
        JobKind::Waiting | JobKind::Changed | JobKind::Recalled | JobKind::Glass | JobKind::Subscribed => {
            Schedule::Doorbell
        }
    }
}

fn failed(job: &JobRow) -> u32 {
    u32::try_from(job.attempts).unwrap_or(u32::MAX)
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// An evenly drawn number from 0 to 1.
pub(super) fn chance(context: &Context) -> f64 {
    /// As many of an id's random bits as a number of this kind can hold.
    const BITS: u64 = (1 << 53) - 1;
    let (_, drawn) = context.clock.new_random_id::<Uuid>().as_u64_pair();
    (drawn & BITS) as f64 / BITS as f64
}
