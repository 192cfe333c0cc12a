//! Deadlocks and lost sessions: what was not committed is run again, and nobody is told what is not so.

use std::time::Duration;

use sqlx::Connection as _;
use tokio::task::JoinSet;

use super::{
    Stage, Verdict, at_work, queued,
    rows::{self, Fill},
    stories_on_postgres, verdict,
};
use crate::ledger::{Ledger, Rows, Scope, Write, WriteError, consent::ConsentRow, service::ServiceRow};

stories_on_postgres!(
    a_deadlock_ends_with_both_written,
    a_deadlock_in_a_replay_ends_with_both_written,
    a_session_lost_between_batches_is_replaced,
    a_session_lost_within_a_write_costs_nothing,
    a_session_lost_while_committing_is_never_a_lie,
    a_locked_job_is_passed_over
);

/// Ends every session of the database but the asking one, as a restart would.
const END_SESSIONS: &str = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND query NOT LIKE '%gate%'";

/// Waits until the database says so; ten seconds are far more than it takes.
async fn until(stage: &Stage, sql: &str, expected: &str) {
    for _ in 0..200 {
        if stage.ask(sql) == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{sql}\nstill answers {}, not {expected}", stage.ask(sql));
}

async fn until_sessions_wait(stage: &Stage, count: usize) {
    let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until(stage, sql, &count.to_string()).await;
}

async fn consents(ledger: &Ledger, count: usize) -> Vec<ConsentRow> {
    let consents: Vec<ConsentRow> = (0..count).map(|_| rows::consent(rows::id())).collect();
    let rows = Rows { consents: consents.clone(), ..Rows::default() };
    ledger.write(rows::write(rows)).await.unwrap();
    consents
}

/// Two committers that each hold what the other wants next. `first` is written before each of the two, in the
/// same batch.
async fn cross(stage: &Stage, first: impl Fn(u64) -> Option<Write>) -> Vec<Vec<Verdict>> {
    let (setup, _setting_up) = stage.running(1).await;
    // Services: consents are held in the order of their ids, which crosses nothing.
    let held: Vec<ServiceRow> = (0..4).map(|_| rows::service(Fill::Bare)).collect();
    setup.write(rows::write(Rows { services: held.clone(), ..Rows::default() })).await.unwrap();
    let ids = [held[2].id, held[3].id].map(|id| format!("'{id}'")).join(", ");
    // Whoever holds the gate decides when both may go on: each then has one of the two, and wants the other.
    let mut gate = stage.connect().await;
    let close = format!("BEGIN; UPDATE service SET name = name WHERE id IN ({ids}) /* gate */");
    sqlx::raw_sql(sqlx::AssertSqlSafe(close)).execute(&mut gate).await.unwrap();
    let order = |shard: u64| if shard == 0 { [0, 2, 1] } else { [1, 3, 0] };
    let (ledger, committers) = stage.open(2, 8).await;
    let mut waiting = Vec::new();
    for shard in 0..2 {
        let steps = order(shard).map(|n| rows::update(&held[n])).into();
        let crossing = Write { shard, ..rows::steps(rows::id(), steps) };
        let writes = first(shard).into_iter().chain([crossing]).collect();
        waiting.push(queued(&ledger, writes).await);
    }
    let _work = at_work(committers);
    until_sessions_wait(stage, 2).await;
    sqlx::raw_sql("ROLLBACK /* gate */").execute(&mut gate).await.unwrap();
    gate.close().await.unwrap();
    let answers = futures_util::future::join_all(waiting).await;
    let sql = "SELECT deadlocks > 0 FROM pg_stat_database WHERE datname = current_database()";
    until(stage, sql, "t").await;
    answers
}

async fn a_deadlock_ends_with_both_written(stage: Stage) {
    let answers = cross(&stage, |_| None).await;
    assert_eq!(answers, [[Ok(())], [Ok(())]]);
    assert_eq!(stage.count("audit").await, 2);
}

async fn a_deadlock_in_a_replay_ends_with_both_written(stage: Stage) {
    let nobody = rows::consent(rows::id());
    let stale = |shard| Some(Write { shard, ..rows::steps(rows::id(), vec![rows::hold(&nobody)]) });
    let answers = cross(&stage, stale).await;
    let expected = [Err(WriteError::Stale), Ok(())];
    assert_eq!(answers, [expected, expected]);
    assert_eq!(stage.count("audit").await, 2);
}

async fn a_session_lost_between_batches_is_replaced(stage: Stage) {
    let (ledger, _work) = stage.running(2).await;
    for round in 1..=5 {
        for shard in 0..2 {
            ledger.write(Write { shard, ..rows::note(rows::id()) }).await.unwrap();
        }
        assert_eq!(stage.count("audit").await, round * 2);
        stage.ask(END_SESSIONS);
    }
}

/// The session dies with the key taken and a lock awaited: the write is run again, whole.
async fn a_session_lost_within_a_write_costs_nothing(stage: Stage) {
    let (setup, _setting_up) = stage.running(1).await;
    let held = consents(&setup, 1).await;
    let mut gate = stage.connect().await;
    let close = format!("BEGIN; UPDATE consent SET version = version WHERE id = '{}' /* gate */", held[0].id);
    sqlx::raw_sql(sqlx::AssertSqlSafe(close)).execute(&mut gate).await.unwrap();
    let (ledger, committers) = stage.open(1, 8).await;
    let holds = rows::steps(rows::id(), vec![rows::hold(&held[0])]);
    let waiting = queued(&ledger, vec![Write { key: Some(rows::key(rows::id(), 1)), ..holds }]).await;
    let _work = at_work(committers);
    until_sessions_wait(&stage, 1).await;
    stage.ask(END_SESSIONS);
    // It came back by itself, and waits again.
    until_sessions_wait(&stage, 1).await;
    gate.close().await.unwrap();
    assert_eq!(waiting.await, [Ok(())]);
    assert_eq!((stage.count("audit").await, stage.count("idempotency").await), (1, 1));
}

/// A commit that takes a while, and a session ended during it: the commit was not made, and the hub says only that
/// it does not know. The same write again, with the same key, is then the first.
async fn a_session_lost_while_committing_is_never_a_lie(stage: Stage) {
    let (ledger, committers) = stage.open(1, 8).await;
    stage.ask(
        "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON audit DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION slowly()",
    );
    let agency = rows::id();
    let write = || Write { key: Some(rows::key(agency, 1)), ..rows::note(agency) };
    let waiting = queued(&ledger, vec![write()]).await;
    let _work = at_work(committers);
    until(&stage, "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query = 'COMMIT' AND datname = current_database()", "1").await;
    stage.ask(END_SESSIONS);
    assert_eq!(waiting.await, [Err(WriteError::Unknown)]);
    stage.ask("DROP TRIGGER slow ON audit");
    // The first read may meet a session of the pool that was ended as well.
    let _ = ledger.ping().await;
    let used = ledger.used_key(Scope::of(agency), &rows::hash(1)).await.unwrap();
    assert!(used.is_none(), "the key says that nothing was written");
    assert_eq!(verdict(ledger.write(write()).await), Ok(()));
    assert_eq!(stage.count("audit").await, 1);
}

async fn a_locked_job_is_passed_over(stage: Stage) {
    use crate::ledger::{
        Step,
        job::{ClaimJobs, Work},
    };
    let (ledger, _work): (Ledger, JoinSet<()>) = stage.running(1).await;
    let jobs = vec![rows::job("held", Fill::Bare), rows::job("free", Fill::Bare)];
    ledger.write(rows::write(Rows { jobs, ..Rows::default() })).await.unwrap();
    let mut gate = stage.connect().await;
    let close = "BEGIN; UPDATE job SET reason = 'x' WHERE subject = 'held'";
    sqlx::raw_sql(close).execute(&mut gate).await.unwrap();
    let claim = ClaimJobs {
        work: Work::Rings,
        due: rows::at(9),
        lease_until: rows::at(9),
        limit: 9,
        dialect: ledger.dialect(),
    };
    let claim = Write { steps: vec![Step::ClaimJobs(claim)], ..Write::default() };
    let done = tokio::time::timeout(Duration::from_secs(5), ledger.write(claim)).await;
    let claimed = done.expect("a claim waits for nobody").unwrap().claimed;
    assert_eq!(claimed.iter().map(|job| job.subject.as_str()).collect::<Vec<_>>(), ["free"]);
    gate.close().await.unwrap();
}
