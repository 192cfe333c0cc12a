//! What the database itself makes impossible, whoever writes: two copies in one inbox, two receipts of one step,
//! two ends of one leg.

use super::{
    Stage, Verdict,
    rows::{self, Fill},
    stories, verdict,
};
use crate::{
    domain::{ids::DeliveryId, receipt::ReceiptLevel},
    ledger::{
        Dialect, Ledger, Rows, WriteError, delivery::DeliveryRow, leg::LegRow, receipt::ReceiptRow,
        referral::ReferralRow,
    },
};

stories!(
    a_copy_is_in_the_inbox_once,
    a_step_has_one_receipt,
    a_leg_ends_once,
    a_source_reference_is_used_once,
    the_database_refuses_even_without_the_hub
);

async fn deliver(ledger: &Ledger, row: DeliveryRow) -> Verdict {
    verdict(ledger.write(rows::write(Rows { deliveries: vec![row], ..Rows::default() })).await)
}

async fn issue(ledger: &Ledger, row: ReceiptRow) -> Verdict {
    verdict(ledger.write(rows::write(Rows { receipts: vec![row], ..Rows::default() })).await)
}

fn some_leg() -> LegRow {
    rows::leg(rows::id(), rows::id(), Fill::Full)
}

async fn a_copy_is_in_the_inbox_once(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let leg = some_leg();
    let first = rows::delivery(&leg, Fill::Bare);
    let another = DeliveryRow { id: rows::id::<DeliveryId>(), ..first.clone() };
    let next = DeliveryRow { id: rows::id::<DeliveryId>(), seq: 2, ..first.clone() };
    assert_eq!(deliver(&ledger, first.clone()).await, Ok(()));
    assert_eq!(deliver(&ledger, first).await, Err(WriteError::Duplicate("deliveries")));
    assert_eq!(deliver(&ledger, another).await, Err(WriteError::Duplicate("deliveries")));
    assert_eq!(deliver(&ledger, next).await, Ok(()));
    assert_eq!(stage.count("delivery").await, 2);
}

async fn a_step_has_one_receipt(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let (leg, other) = (some_leg(), some_leg());
    for level in [ReceiptLevel::R0, ReceiptLevel::R1, ReceiptLevel::R2, ReceiptLevel::R3, ReceiptLevel::R4] {
        assert_eq!(issue(&ledger, rows::receipt(&leg, level, 0, Fill::Bare)).await, Ok(()));
        let again = issue(&ledger, rows::receipt(&leg, level, 0, Fill::Full)).await;
        assert_eq!(again, Err(WriteError::Duplicate("receipts")), "{level}");
    }
    assert_eq!(issue(&ledger, rows::receipt(&other, ReceiptLevel::R0, 0, Fill::Full)).await, Ok(()));
    assert_eq!(stage.count("receipt WHERE sender_jws IS NULL").await, 5, "the first of each stands");
}

async fn a_leg_ends_once(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let (declined, closed, open) = (some_leg(), some_leg(), some_leg());
    let receipt = |leg: &LegRow, level, ends| issue(&ledger, rows::receipt(leg, level, ends, Fill::Bare));
    // The first answer is itself an end: nothing can close the leg again.
    assert_eq!(receipt(&declined, ReceiptLevel::R4, 1).await, Ok(()));
    assert_eq!(receipt(&declined, ReceiptLevel::Closed, 1).await, Err(WriteError::Duplicate("receipts")));
    assert_eq!(receipt(&declined, ReceiptLevel::R3, 0).await, Ok(()), "a late opening ends nothing");
    // Closed without an answer: a late first answer may not end it a second time.
    assert_eq!(receipt(&closed, ReceiptLevel::Closed, 1).await, Ok(()));
    assert_eq!(receipt(&closed, ReceiptLevel::R4, 1).await, Err(WriteError::Duplicate("receipts")));
    // An answer that goes on, then the end.
    assert_eq!(receipt(&open, ReceiptLevel::R4, 0).await, Ok(()));
    assert_eq!(receipt(&open, ReceiptLevel::Closed, 1).await, Ok(()));
    assert_eq!(stage.count("receipt WHERE ends = 1").await, 3);
}

async fn a_source_reference_is_used_once(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let first = rows::referral(rows::id(), Fill::Full);
    let again = ReferralRow { source_mac: first.source_mac, ..rows::referral(first.owner, Fill::Bare) };
    let others = ReferralRow { source_mac: first.source_mac, ..rows::referral(rows::id(), Fill::Bare) };
    let without = || rows::referral(first.owner, Fill::Bare);
    let submit = async |row| {
        verdict(ledger.write(rows::write(Rows { referrals: vec![row], ..Rows::default() })).await)
    };
    assert_eq!(submit(first.clone()).await, Ok(()));
    assert_eq!(submit(again).await, Err(WriteError::Duplicate("referrals")));
    assert_eq!(submit(others).await, Ok(()), "another sender may use the same words");
    assert_eq!(submit(without()).await, Ok(()));
    assert_eq!(submit(without()).await, Ok(()), "no reference is no conflict");
}

/// The same by bare INSERTs, as a faulty tool would: the constraints stand in the schema, not in the hub.
async fn the_database_refuses_even_without_the_hub(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let bytes = if stage.dialect == Dialect::Sqlite { "x'00'" } else { "'\\x00'" };
    let delivery = |id: &str, seq| {
        format!("INSERT INTO delivery VALUES ('{id}','l',{seq},'a','U1','waiting',NULL,1,1,NULL,NULL)")
    };
    let receipt = |subject: &str, level: &str, leg: &str, ends| {
        format!("INSERT INTO receipt VALUES ('{subject}','{level}','i','{leg}',{ends},'j',NULL,1)")
    };
    let job = |id: &str, state: &str| {
        format!("INSERT INTO job VALUES ('{id}','k','same','a','s',1,'{state}',0,0,1,1,NULL,1)")
    };
    let cases = [
        (delivery("d1", 1), true),
        (delivery("d2", 1), false),
        (delivery("d1", 2), false),
        (delivery("d2", 2), true),
        (receipt("s", "R4", "l", 1), true),
        (receipt("s", "R4", "m", 0), false),
        (receipt("s", "closed", "l", 1), false),
        (receipt("s", "R0", "l", 0), true),
        (receipt("t", "R0", "m", 2), false),
        (job("j1", "lost"), false),
        (job("j1", "ready"), true),
        (job("j2", "ready"), false),
        (format!("INSERT INTO staff VALUES ('s','nobody','r',1,{bytes},1)"), false),
        ("INSERT INTO hub VALUES (2,'h','embedded','f',1,1)".to_owned(), false),
        ("INSERT INTO hub VALUES (1,'h','both','f',1,1)".to_owned(), false),
    ];
    for (sql, taken) in cases {
        assert_eq!(stage.run(&sql).await.is_ok(), taken, "{sql}");
    }
    drop(ledger);
}
