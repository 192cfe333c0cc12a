//! One commit for what waits together, and a refusal for the guilty one alone.

use super::{
    Stage, at_work, queued,
    rows::{self, Fill},
    stories,
};
use crate::{
    domain::{delivery::DeliveryState, receipt::ReceiptLevel},
    ledger::{
        BATCH, Dialect, Lane, Rows, Step, Write, WriteError,
        consent::{ConsentRow, UseConsent},
        delivery::MoveDelivery,
    },
};

stories!(
    writes_that_wait_together_commit_together,
    a_refused_write_spoils_no_other,
    uses_of_consents_are_all_counted_and_guarded,
    one_key_has_one_effect,
    a_refused_write_leaves_nothing,
    a_full_hub_refuses_before_any_effect,
    without_a_committer_nothing_is_promised,
    a_copy_disclosed_meanwhile_is_not_moved
);

async fn writes_that_wait_together_commit_together(stage: Stage) {
    let (ledger, committers) = stage.open(1, 2 * BATCH).await;
    let writes = (0..BATCH + 20)
        .map(|n| Write { key: Some(rows::key(rows::id(), n as u8)), ..rows::note(rows::id()) });
    let answers = queued(&ledger, writes.collect()).await;
    assert_eq!(ledger.pressure(), (BATCH + 20, 2 * BATCH));
    let _work = at_work(committers);
    assert_eq!(answers.await, vec![Ok(()); BATCH + 20]);
    assert_eq!(ledger.pressure().0, 0);
    assert_eq!(stage.count("audit").await, (BATCH + 20) as i64);
    if stage.dialect == Dialect::Postgres {
        // Each row names the transaction that wrote it.
        let transactions =
            stage.ask("SELECT COUNT(*) FROM audit GROUP BY CAST(xmin AS TEXT) ORDER BY 1 DESC");
        assert_eq!(transactions, format!("{BATCH}\n20"));
    }
}

async fn a_refused_write_spoils_no_other(stage: Stage) {
    let (ledger, committers) = stage.open(1, 64).await;
    let (agency, leg) = (rows::id(), rows::leg(rows::id(), rows::id(), Fill::Full));
    let mut stale = rows::leg(agency, agency, Fill::Full);
    (stale.id, stale.head_seq) = (leg.id, 7);
    let receipt = || vec![rows::receipt(&leg, ReceiptLevel::R0, 0, Fill::Full)];
    let before = Write {
        key: Some(rows::key(agency, 1)),
        ..rows::write(Rows { legs: vec![leg.clone()], receipts: receipt(), ..Rows::default() })
    };
    let unknown_agency = Rows { staff: vec![rows::staff(rows::id())], ..Rows::default() };
    let refused = |mut write: Write| {
        write.rows.audits.push(rows::audit(agency, Fill::Bare));
        write.key.get_or_insert(rows::key(rows::id(), 1));
        write
    };
    let answers = queued(
        &ledger,
        vec![
            before,
            rows::note(agency),
            refused(Write { key: Some(rows::key(agency, 1)), ..Write::default() }),
            rows::note(agency),
            refused(rows::steps(agency, vec![rows::next(&stale)])),
            rows::note(agency),
            refused(rows::write(Rows { receipts: receipt(), ..Rows::default() })),
            rows::note(agency),
            refused(rows::write(unknown_agency)),
            rows::steps(agency, vec![rows::next(&leg)]),
        ],
    )
    .await;
    let _work = at_work(committers);
    let expected = [
        Ok(()),
        Ok(()),
        Err(WriteError::KeyTaken),
        Ok(()),
        Err(WriteError::Stale),
        Ok(()),
        Err(WriteError::Duplicate("receipts")),
        Ok(()),
        Err(WriteError::Unavailable),
        Ok(()),
    ];
    assert_eq!(answers.await, expected);
    assert_eq!(stage.count("audit").await, 5, "the notes of the five good writes, and no other");
    assert_eq!(stage.count("idempotency").await, 1, "nor a key of a refused one");
    assert_eq!(stage.count("leg WHERE head_seq = 2").await, 1);
}

/// Guards go out eight at a time: none may be lost, doubled or taken for another's.
async fn uses_of_consents_are_all_counted_and_guarded(stage: Stage) {
    let (ledger, committers) = stage.open(1, 64).await;
    let agency = rows::id();
    let consents: Vec<ConsentRow> = (0..11).map(|_| rows::consent(agency)).collect();
    let first = rows::write(Rows { consents: consents.clone(), ..Rows::default() });
    let setting_up = queued(&ledger, vec![first]).await;
    let _work = at_work(committers);
    assert_eq!(setting_up.await, [Ok(())]);
    let uses = |consent: &ConsentRow, version| {
        let step = Step::UseConsent(UseConsent { id: consent.id, version });
        rows::steps(agency, vec![step, rows::hold(consent)])
    };
    let mut writes: Vec<Write> = consents.iter().map(|consent| uses(consent, 1)).collect();
    writes.extend([uses(&consents[0], 1), uses(&consents[0], 1), uses(&consents[3], 2)]);
    let answers = queued(&ledger, writes).await.await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 13);
    assert_eq!(answers[13], Err(WriteError::Stale));
    assert_eq!(stage.count("audit").await, 13);
    assert_eq!(stage.count("consent WHERE uses = 1").await, 10);
    assert_eq!(stage.count("consent WHERE uses = 3").await, 1);
}

async fn one_key_has_one_effect(stage: Stage) {
    let (ledger, committers) = stage.open(1, 64).await;
    let agency = rows::id();
    let same = || Write { key: Some(rows::key(agency, 1)), ..rows::note(agency) };
    let other = Write { key: Some(rows::key(rows::id(), 1)), ..rows::note(agency) };
    let mut writes: Vec<Write> = (0..10).map(|_| same()).collect();
    writes.push(other);
    let answers = queued(&ledger, writes).await;
    let _work = at_work(committers);
    let mut answers = answers.await;
    assert_eq!(answers.pop(), Some(Ok(())), "the same key of another agency is another key");
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(answers.iter().filter(|answer| **answer == Err(WriteError::KeyTaken)).count(), 9);
    assert_eq!(super::verdict(ledger.write(same()).await), Err(WriteError::KeyTaken));
    assert_eq!(stage.count("audit").await, 2);
}

/// Alone in its batch, and refused by its very last row.
async fn a_refused_write_leaves_nothing(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let agency = rows::id();
    let first = rows::audit(agency, Fill::Full);
    let leg = rows::leg(agency, agency, Fill::Full);
    ledger.write(rows::write(Rows { audits: vec![first.clone()], ..Rows::default() })).await.unwrap();
    let mut audits: Vec<_> = (0..8).map(|_| rows::audit(agency, Fill::Full)).collect();
    audits.insert(4, first);
    let rows = Rows { audits, legs: vec![leg], jobs: vec![rows::job("x", Fill::Full)], ..Rows::default() };
    let write = Write { key: Some(rows::key(agency, 1)), ..rows::write(rows) };
    assert_eq!(super::verdict(ledger.write(write).await), Err(WriteError::Duplicate("audits")));
    let traces = [("audit", 1), ("leg", 0), ("job", 0), ("idempotency", 0)];
    for (table, expected) in traces {
        assert_eq!(stage.count(table).await, expected, "{table}");
    }
}

async fn a_full_hub_refuses_before_any_effect(stage: Stage) {
    let (ledger, committers) = stage.open(1, 4).await;
    let agency = rows::id();
    let urgent = Write { lane: Lane::Urgent, ..rows::note(agency) };
    let mut writes: Vec<Write> = (0..6).map(|_| rows::note(agency)).collect();
    writes.push(urgent);
    let answers = queued(&ledger, writes).await;
    assert_eq!(ledger.pressure(), (4, 4));
    let _work = at_work(committers);
    let (ok, busy) = (Ok(()), Err(WriteError::Busy));
    assert_eq!(answers.await, [ok, ok, ok, ok, busy, busy, ok]);
    assert_eq!(stage.count("audit").await, 5);
    ledger.write(rows::note(agency)).await.unwrap();
}

async fn without_a_committer_nothing_is_promised(stage: Stage) {
    let (ledger, committers) = stage.open(1, 4).await;
    let waiting = queued(&ledger, vec![rows::note(rows::id())]).await;
    drop(committers);
    assert_eq!(
        waiting.await,
        [Err(WriteError::Unknown)],
        "it was taken, and nobody can say what became of it"
    );
    let later = super::verdict(ledger.write(rows::note(rows::id())).await);
    assert_eq!(later, Err(WriteError::Unavailable));
    assert_eq!(stage.count("audit").await, 0);
}

/// A recall that was decided before the sealed document went out must be decided again.
async fn a_copy_disclosed_meanwhile_is_not_moved(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let agency = rows::id();
    let leg = rows::leg(agency, agency, Fill::Full);
    let copy = rows::delivery(&leg, Fill::Bare);
    let rows = Rows { deliveries: vec![copy.clone()], ..Rows::default() };
    ledger.write(rows::write(rows)).await.unwrap();
    let moves = |from_disclosed, to, disclosed_at| {
        let from = DeliveryState::Waiting;
        let step = MoveDelivery { id: copy.id, from, from_disclosed, to, disclosed_at, at: rows::at(50) };
        rows::steps(agency, vec![Step::MoveDelivery(step)])
    };
    let disclosed = Some(rows::at(40));
    ledger.write(moves(None, DeliveryState::Waiting, disclosed)).await.unwrap();
    let recall = |seen| moves(seen, DeliveryState::Recalled, None);
    assert_eq!(super::verdict(ledger.write(recall(None)).await), Err(WriteError::Stale));
    assert_eq!(
        super::verdict(ledger.write(moves(None, DeliveryState::Waiting, disclosed)).await),
        Err(WriteError::Stale)
    );
    ledger.write(recall(disclosed)).await.unwrap();
    let now = ledger.delivery_by_id(copy.id).await.unwrap().unwrap();
    assert_eq!((now.state, now.disclosed_at), (DeliveryState::Recalled, disclosed));
}
