//! A case has one newest hand-over, and each takes the place of the one that was read.

use super::{Stage, queued, rows, stories};
use crate::{
    domain::ids::{AgencyId, LegId},
    ledger::{
        Scope, Step, WriteError,
        hand_over::{ClaimHandOver, HandOverRow},
    },
};

stories!(a_case_is_handed_over_after_what_was_read_alone, of_two_in_one_batch_one_is_made);

pub fn hand_over(owner: AgencyId) -> HandOverRow {
    HandOverRow { owner, case_id: rows::id(), leg: rows::id(), at: rows::at(70) }
}

pub fn claim(row: &HandOverRow, after: Option<LegId>) -> Step {
    Step::ClaimHandOver(ClaimHandOver { row: row.clone(), after })
}

async fn a_case_is_handed_over_after_what_was_read_alone(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let first = hand_over(rows::id());
    let claimed = async |row: &HandOverRow, after| {
        ledger.write(rows::steps(row.owner, vec![claim(row, after)])).await.err()
    };
    assert_eq!(
        claimed(&first, Some(rows::id())).await,
        Some(WriteError::Stale),
        "there is none to come after"
    );
    assert_eq!(claimed(&first, None).await, None);
    assert_eq!(claimed(&first, None).await, Some(WriteError::Stale), "there is one by now");
    let second = HandOverRow { leg: rows::id(), at: rows::at(71), ..first.clone() };
    assert_eq!(claimed(&second, Some(rows::id())).await, Some(WriteError::Stale));
    assert_eq!(claimed(&second, Some(first.leg)).await, None);
    let newest = ledger.hand_over(Scope::of(first.owner), first.case_id).await.unwrap().unwrap();
    assert_eq!((newest.leg, newest.at), (second.leg, second.at));
    let other = HandOverRow { owner: rows::id(), ..first.clone() };
    assert_eq!(claimed(&other, None).await, None, "the case of another agency is another case");
}

async fn of_two_in_one_batch_one_is_made(stage: Stage) {
    let (ledger, committers) = stage.open(1, 16).await;
    let one = hand_over(rows::id());
    let two = HandOverRow { leg: rows::id(), ..one.clone() };
    let writes = [&one, &two].map(|row| rows::steps(row.owner, vec![claim(row, None)]));
    let answers = queued(&ledger, writes.into()).await;
    let _work = super::at_work(committers);
    assert_eq!(answers.await, vec![Ok(()), Err(WriteError::Stale)]);
}
