//! Work is claimed by one worker at a time, comes back when its lease lapses, and is settled by its last claim only.

use std::collections::BTreeSet;

use super::{
    Stage,
    rows::{self, Fill},
    stories,
};
use crate::{
    domain::{delivery::DeliveryState, ids::JobId},
    ledger::{
        Ledger, Rows, Step, Write,
        delivery::{DeliveryRow, MoveDelivery},
        job::{ClaimJobs, ForgetJobs, JobKind, JobRow, JobState, RingAgain, SettleJob, Work},
    },
};

stories!(
    two_claimers_share_nothing,
    what_is_urgent_and_due_goes_first,
    a_lapsed_lease_gives_the_job_to_another,
    a_settled_job_rests_until_its_time,
    mail_and_doorbells_have_workers_of_their_own,
    doorbells_ring_again_while_the_copy_waits,
    what_was_put_off_rings_when_the_way_is_free,
    done_work_is_forgotten_but_no_waiting_copys_doorbell,
    a_copy_of_which_nobody_was_told_is_found,
    the_same_work_is_queued_once,
    a_claim_takes_no_more_than_asked_whatever_the_plan
);

async fn enqueue(ledger: &Ledger, jobs: Vec<JobRow>) {
    ledger.write(rows::write(Rows { jobs, ..Rows::default() })).await.unwrap();
}

fn claim(ledger: &Ledger, now: i64, limit: i64) -> ClaimJobs {
    ClaimJobs {
        work: Work::Rings,
        due: rows::at(now),
        lease_until: rows::at(now + 30),
        limit,
        dialect: ledger.dialect(),
    }
}

async fn claimed(ledger: &Ledger, shard: u64, now: i64, limit: i64) -> Vec<JobRow> {
    let steps = vec![Step::ClaimJobs(claim(ledger, now, limit))];
    ledger.write(Write { shard, steps, ..Write::default() }).await.unwrap().claimed
}

async fn settle(ledger: &Ledger, job: &JobRow, state: JobState, next_at: i64) {
    let settle = SettleJob {
        id: job.id,
        epoch: job.epoch,
        state,
        next_at: rows::at(next_at),
        reason: Some("broker_down".to_owned()),
    };
    ledger.write(Write { steps: vec![Step::SettleJob(settle)], ..Write::default() }).await.unwrap();
}

async fn ring_again(ledger: &Ledger, which: RingAgain) -> u64 {
    ledger.write(Write { steps: vec![Step::RingAgain(which)], ..Write::default() }).await.unwrap().rung
}

async fn one(ledger: &Ledger, subject: &str) -> JobRow {
    let mut jobs = ledger.jobs_about(subject).await.unwrap();
    assert_eq!(jobs.len(), 1);
    jobs.remove(0)
}

async fn two_claimers_share_nothing(stage: Stage) {
    let (ledger, _work) = stage.running(2).await;
    let jobs: Vec<JobRow> = (0..100).map(|_| rows::job("x", Fill::Bare)).collect();
    let all: BTreeSet<JobId> = jobs.iter().map(|job| job.id).collect();
    enqueue(&ledger, jobs).await;
    let mut taken = Vec::new();
    loop {
        let (one, two) = tokio::join!(claimed(&ledger, 0, 1, 7), claimed(&ledger, 1, 1, 7));
        assert!(one.len() <= 7 && two.len() <= 7);
        if one.is_empty() && two.is_empty() {
            break;
        }
        taken.extend(one.into_iter().chain(two));
    }
    assert!(taken.iter().all(|job| job.state == JobState::Leased && (job.epoch, job.attempts) == (1, 1)));
    assert!(taken.iter().all(|job| job.lease_until == rows::at(31)));
    assert_eq!(taken.len(), 100, "a job was claimed twice");
    assert_eq!(taken.iter().map(|job| job.id).collect::<BTreeSet<_>>(), all);
    assert_eq!(ledger.open_jobs().await.unwrap(), 100);
}

async fn what_is_urgent_and_due_goes_first(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let job = |subject: &str, rank, next_at| JobRow {
        rank,
        next_at: rows::at(next_at),
        ..rows::job(subject, Fill::Bare)
    };
    let jobs = vec![job("ordinary", 5, 0), job("later", 5, 1), job("urgent", 1, 9), job("not due", 0, 11)];
    enqueue(&ledger, jobs).await;
    let mut order = Vec::new();
    for _ in 0..4 {
        order.extend(claimed(&ledger, 0, 10, 1).await.into_iter().map(|job| job.subject));
    }
    assert_eq!(order, ["urgent", "ordinary", "later"]);
    assert_eq!(claimed(&ledger, 0, 11, 9).await[0].subject, "not due");
}

async fn a_lapsed_lease_gives_the_job_to_another(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    enqueue(&ledger, vec![rows::job("x", Fill::Bare)]).await;
    let paused = claimed(&ledger, 0, 0, 1).await.remove(0);
    assert!(claimed(&ledger, 0, 20, 1).await.is_empty(), "it is leased");
    assert_eq!(
        ring_again(&ledger, RingAgain::LapsedBefore(rows::at(30))).await,
        0,
        "until the end of its lease"
    );
    assert_eq!(ring_again(&ledger, RingAgain::LapsedBefore(rows::at(31))).await, 1);
    settle(&ledger, &paused, JobState::Done, 40).await;
    assert_eq!(one(&ledger, "x").await.state, JobState::Ready, "who lost the lease can settle nothing");
    let second = claimed(&ledger, 0, 31, 1).await.remove(0);
    assert_eq!((second.epoch, second.attempts), (2, 2));
    settle(&ledger, &paused, JobState::Done, 40).await;
    let now = one(&ledger, "x").await;
    assert_eq!(
        (now.state, now.epoch, now.reason),
        (JobState::Leased, 2, None),
        "an older claim's report is void"
    );
    settle(&ledger, &second, JobState::Done, 50).await;
    assert_eq!(one(&ledger, "x").await.state, JobState::Done);
    settle(&ledger, &second, JobState::Ready, 60).await;
    let now = one(&ledger, "x").await;
    assert_eq!((now.state, now.next_at), (JobState::Done, rows::at(50)), "it is settled once");
    assert_eq!(ledger.open_jobs().await.unwrap(), 0);
}

async fn a_settled_job_rests_until_its_time(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    enqueue(&ledger, vec![rows::job("x", Fill::Bare), rows::job("y", Fill::Bare)]).await;
    let jobs = claimed(&ledger, 0, 0, 2).await;
    settle(&ledger, jobs.iter().find(|job| job.subject == "x").unwrap(), JobState::Ready, 60).await;
    assert!(claimed(&ledger, 0, 59, 9).await.is_empty());
    let again = claimed(&ledger, 0, 60, 9).await.remove(0);
    assert_eq!((again.subject.as_str(), again.attempts), ("x", 2));
    assert_eq!(again.reason.as_deref(), Some("broker_down"));
    // A hub that starts alone: no lease of an earlier process means anything.
    assert_eq!(ring_again(&ledger, RingAgain::LapsedBefore(jiff::Timestamp::MAX)).await, 2);
    assert_eq!(claimed(&ledger, 0, 60, 9).await.len(), 2);
}

async fn doorbells_ring_again_while_the_copy_waits(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let legs: Vec<_> = (0..2).map(|_| rows::leg(rows::id(), rows::id(), Fill::Bare)).collect();
    let copies: Vec<_> = legs.iter().map(|leg| rows::delivery(leg, Fill::Bare)).collect();
    let (waits, taken) = (copies[0].id.to_string(), copies[1].id.to_string());
    let job = |subject: &str, kind, state, next_at| JobRow {
        kind,
        state,
        attempts: 5,
        next_at: rows::at(next_at),
        ..rows::job(subject, Fill::Bare)
    };
    use JobKind::{Changed, UrgentMail, Waiting};
    use JobState::{Dead, Done, Ready};
    let again = [job(&waits, Waiting, Done, 0), job(&waits, Waiting, Dead, 0)];
    let not = [
        job(&waits, Waiting, Done, 100),
        job(&waits, Waiting, Ready, 0),
        job(&waits, UrgentMail, Done, 0),
        job(&waits, Changed, Dead, 0),
        job(&taken, Waiting, Done, 0),
        job("nothing", Waiting, Done, 0),
    ];
    let expected: BTreeSet<JobId> = again.iter().map(|job| job.id).collect();
    let jobs = again.into_iter().chain(not).collect();
    ledger.write(rows::write(Rows { jobs, deliveries: copies.clone(), ..Rows::default() })).await.unwrap();
    let take = MoveDelivery {
        id: copies[1].id,
        from: DeliveryState::Waiting,
        from_disclosed: None,
        to: DeliveryState::Taken,
        disclosed_at: None,
        at: rows::at(1),
    };
    ledger.write(Write { steps: vec![Step::MoveDelivery(take)], ..Write::default() }).await.unwrap();
    let still = || RingAgain::StillWaiting { before: rows::at(100), now: rows::at(200) };
    assert_eq!(ring_again(&ledger, still()).await, 2);
    assert_eq!(ring_again(&ledger, still()).await, 0, "they ring already");
    let about = ledger.jobs_about(&waits).await.unwrap();
    let rings = about.iter().filter(|job| job.next_at == rows::at(200));
    let rings: BTreeSet<JobId> =
        rings.filter(|job| (job.state, job.attempts) == (Ready, 0)).map(|job| job.id).collect();
    assert_eq!(rings, expected);
}

async fn mail_and_doorbells_have_workers_of_their_own(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let job = |kind: JobKind| JobRow { kind, ..rows::job(kind.code(), Fill::Bare) };
    enqueue(&ledger, JobKind::ALL.iter().map(|kind| job(*kind)).collect()).await;
    let kinds = |jobs: Vec<JobRow>| jobs.into_iter().map(|job| job.kind.code()).collect::<BTreeSet<_>>();
    let mail = Step::ClaimJobs(ClaimJobs { work: Work::Mail, ..claim(&ledger, 0, 99) });
    let mail = ledger.write(Write { steps: vec![mail], ..Write::default() }).await.unwrap().claimed;
    let mail = kinds(mail);
    assert_eq!(mail, BTreeSet::from(["mail.gathered", "mail.urgent"]));
    let rings = kinds(claimed(&ledger, 0, 0, 99).await);
    assert_eq!(rings.len() + mail.len(), JobKind::ALL.len(), "a kind of work that nobody takes");
    assert!(rings.is_disjoint(&mail));
}

async fn what_was_put_off_rings_when_the_way_is_free(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let job = |subject: &str, kind, state, next_at| JobRow {
        kind,
        state,
        attempts: 5,
        next_at: rows::at(next_at),
        ..rows::job(subject, Fill::Bare)
    };
    let (ready, changed) = (JobState::Ready, JobKind::Changed);
    let jobs = vec![
        job("put off", changed, ready, 600),
        job("due", changed, ready, 50),
        job("mail", JobKind::Mail, ready, 600),
        job("done", changed, JobState::Done, 600),
    ];
    enqueue(&ledger, jobs).await;
    assert_eq!(ring_again(&ledger, RingAgain::PutOff { now: rows::at(100) }).await, 1);
    let now = one(&ledger, "put off").await;
    assert_eq!((now.next_at, now.attempts), (rows::at(100), 0));
    for (other, next_at) in [("due", 50), ("mail", 600), ("done", 600)] {
        let job = one(&ledger, other).await;
        assert_eq!((job.next_at, job.attempts), (rows::at(next_at), 5), "{other}");
    }
}

async fn done_work_is_forgotten_but_no_waiting_copys_doorbell(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let leg = rows::leg(rows::id(), rows::id(), Fill::Bare);
    let copy = rows::delivery(&leg, Fill::Bare);
    let job = |subject: &str, kind, state, next_at| JobRow {
        kind,
        state,
        next_at: rows::at(next_at),
        ..rows::job(subject, Fill::Bare)
    };
    let (done, waits) = (JobState::Done, copy.id.to_string());
    let mut jobs: Vec<JobRow> = (0..7).map(|n| job("old", JobKind::Mail, done, n)).collect();
    let kept = vec![
        job(&waits, JobKind::Waiting, done, 0),
        job("young", JobKind::Mail, done, 100),
        job("dead", JobKind::Mail, JobState::Dead, 0),
        job("ready", JobKind::Mail, JobState::Ready, 0),
    ];
    jobs.push(job(&waits, JobKind::Changed, done, 0));
    jobs.extend(kept.clone());
    ledger.write(rows::write(Rows { jobs, deliveries: vec![copy], ..Rows::default() })).await.unwrap();
    let mut forgotten = Vec::new();
    for _ in 0..4 {
        let forget = Step::ForgetJobs(ForgetJobs { ended: done, before: rows::at(100), limit: 3 });
        let done = ledger.write(Write { steps: vec![forget], ..Write::default() }).await.unwrap();
        forgotten.push(done.forgotten);
    }
    assert_eq!(forgotten, [3, 3, 2, 0]);
    assert_eq!(stage.texts("SELECT id FROM job").await, kept.iter().map(|job| job.id.to_string()).collect());
}

async fn a_copy_of_which_nobody_was_told_is_found(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let copy = |seconds, state| {
        let leg = rows::leg(rows::id(), rows::id(), Fill::Bare);
        DeliveryRow { created_at: rows::at(seconds), state, ..rows::delivery(&leg, Fill::Bare) }
    };
    let waiting = DeliveryState::Waiting;
    let (lost, told, other) = (copy(10, waiting), copy(10, waiting), copy(20, waiting));
    let (early, late, taken) = (copy(5, waiting), copy(21, waiting), copy(10, DeliveryState::Taken));
    let jobs = vec![
        rows::job(&told.id.to_string(), Fill::Bare),
        JobRow { kind: JobKind::Recalled, ..rows::job(&other.id.to_string(), Fill::Bare) },
    ];
    let expected = [lost.id, other.id];
    let deliveries = vec![other, lost, told, early, late, taken];
    ledger.write(rows::write(Rows { jobs, deliveries, ..Rows::default() })).await.unwrap();
    let found = ledger.without_doorbell(rows::at(5), rows::at(20), 9).await.unwrap();
    assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), expected, "oldest first");
    assert_eq!(ledger.without_doorbell(rows::at(5), rows::at(20), 1).await.unwrap().len(), 1);
}

async fn the_same_work_is_queued_once(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let first = rows::job("x", Fill::Bare);
    let same =
        || JobRow { id: rows::id(), rank: 9, dedup: first.dedup.clone(), ..rows::job("x", Fill::Bare) };
    enqueue(&ledger, vec![same(), same()]).await;
    enqueue(&ledger, (0..8).map(|_| same()).collect()).await;
    let about = one(&ledger, "x").await;
    let job = claimed(&ledger, 0, 0, 9).await.remove(0);
    assert_eq!(job.id, about.id, "the first one stands");
    settle(&ledger, &job, JobState::Done, 0).await;
    enqueue(&ledger, vec![same(), rows::job("y", Fill::Bare)]).await;
    assert_eq!(
        one(&ledger, "x").await.state,
        JobState::Done,
        "a known duplicate refuses nothing and wakes nothing"
    );
    assert_eq!(one(&ledger, "y").await.state, JobState::Ready);
}

/// With statistics from a time of one job, PostgreSQL ran a claim's bare subquery once per row, and leased ten jobs
/// to who had asked for three.
async fn a_claim_takes_no_more_than_asked_whatever_the_plan(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    enqueue(&ledger, vec![rows::job("x", Fill::Bare)]).await;
    stage.run("ANALYZE job").await.unwrap();
    enqueue(&ledger, (0..9).map(|_| rows::job("x", Fill::Bare)).collect()).await;
    assert_eq!(claimed(&ledger, 0, 0, 3).await.len(), 3);
    assert_eq!(stage.count("job WHERE state = 'leased'").await, 3);
}
