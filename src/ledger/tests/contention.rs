//! Many who want the same leg, and askers who go away before they are answered.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::task::JoinSet;

use super::{
    Stage,
    rows::{self, Fill},
    stories,
};
use crate::{
    domain::ids::{AuditId, LegId},
    ledger::{Dialect, Ledger, Rows, Scope, Write, WriteError, leg::LegRow},
};

stories!(two_hundred_moves_of_one_leg_are_two_hundred, askers_who_go_away_harm_nobody);

const TASKS: u64 = 8;
const MOVES: i64 = 25;

/// The test of the version guard: without it PostgreSQL lost 153 of 200 in silence.
async fn two_hundred_moves_of_one_leg_are_two_hundred(stage: Stage) {
    let committers = if stage.dialect == Dialect::Postgres { 4 } else { 1 };
    let (ledger, _work) = stage.running(committers).await;
    let leg = rows::leg(rows::id(), rows::id(), Fill::Full);
    ledger.write(rows::write(Rows { legs: vec![leg.clone()], ..Rows::default() })).await.unwrap();
    let (id, scope) = (leg.id, Scope::of(leg.sender));
    // Each task has a shard of its own, so that on PostgreSQL it is committers that meet, not only tasks.
    let tasks: JoinSet<()> = (0..TASKS).map(|shard| move_often(ledger.clone(), scope, id, shard)).collect();
    tasks.join_all().await;
    let after = ledger.leg(scope, leg.id).await.unwrap().unwrap();
    assert_eq!(after.head_seq, 1 + TASKS as i64 * MOVES);
    let events = ledger.leg_events(&after).await.unwrap();
    let numbers: Vec<i64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (2..=after.head_seq).collect::<Vec<_>>(), "an event lost, doubled or out of place");
}

async fn move_often(ledger: Ledger, scope: Scope, id: LegId, shard: u64) {
    for _ in 0..MOVES {
        let mut tries = 0;
        loop {
            let leg = ledger.leg(scope, id).await.unwrap().unwrap();
            match ledger.write(Write { shard, ..event_of(&leg) }).await {
                Ok(_) => break,
                Err(WriteError::Stale) => tries += 1,
                Err(error) => panic!("{error}"),
            }
            assert!(tries < 1_000, "a task never gets its turn");
        }
    }
}

/// The next event of a leg, and the leg moved on to it.
fn event_of(leg: &LegRow) -> Write {
    let event = rows::leg_event(leg.id, leg.head_seq + 1, Fill::Full);
    Write {
        steps: vec![rows::next(leg)],
        rows: Rows { leg_events: vec![event], ..Rows::default() },
        ..Write::default()
    }
}

/// Every asker reads, writes and reads again until it is aborted, somewhere. What it was told is true all the same.
async fn askers_who_go_away_harm_nobody(stage: Stage) {
    let committers = if stage.dialect == Dialect::Postgres { 2 } else { 1 };
    let (ledger, _work) = stage.running(committers).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let mut askers = JoinSet::new();
    let mut chance = 20_261_122_u64;
    // Where the machine is busy, few are answered within their moments, and more are asked.
    let enough = || told.lock().unwrap().len() >= 20;
    for shard in (0..20_000).take_while(|shard| *shard < 500 || !enough()) {
        let asker = askers.spawn(ask(ledger.clone(), shard, told.clone()));
        // Knuth's multiplier: the same moments in every run, and no two alike.
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        tokio::time::sleep(Duration::from_micros(chance >> 33 & 8191)).await;
        asker.abort();
    }
    while askers.join_next().await.is_some() {}
    // The committers are in order: what is written now is there, and comes after all that was asked for.
    for shard in 0..committers as u64 {
        ledger.write(Write { shard, ..rows::note(rows::id()) }).await.unwrap();
    }
    let told: BTreeSet<String> = told.lock().unwrap().iter().map(ToString::to_string).collect();
    assert!(told.len() >= 20, "only {} were answered before they went", told.len());
    let written = stage.texts("SELECT id FROM audit").await;
    let lost: Vec<_> = told.difference(&written).collect();
    assert!(lost.is_empty(), "acknowledged, and lost: {lost:?}");
    let (notes, keys) = (stage.count("audit").await, stage.count("idempotency").await);
    assert_eq!(notes, 2 * keys + committers as i64, "a write of a key and two notes was torn");
    if stage.dialect == Dialect::Postgres {
        assert_no_open_transaction(&stage).await;
    }
}

async fn ask(ledger: Ledger, shard: u64, told: Arc<Mutex<Vec<AuditId>>>) {
    loop {
        let agency = rows::id();
        let mut write = Write { shard, key: Some(rows::key(agency, 1)), ..rows::note(agency) };
        write.rows.audits.push(rows::audit(agency, Fill::Full));
        let ids = [write.rows.audits[0].id, write.rows.audits[1].id];
        let subject = write.rows.audits[0].subject.clone();
        ledger.write(write).await.unwrap();
        told.lock().unwrap().extend(ids);
        assert_eq!(ledger.audit_of(Scope::of(agency), &subject, 9).await.unwrap().len(), 1);
    }
}

/// A session that rests inside a transaction is one that nobody will end: the hub's own end within milliseconds.
async fn assert_no_open_transaction(stage: &Stage) {
    tokio::time::sleep(Duration::from_millis(100)).await;
    let open = stage.ask(
        "SELECT pid, state, query FROM pg_stat_activity
         WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
    );
    assert_eq!(open, "");
}
