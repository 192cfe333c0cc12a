//! What rests on an arrangement is held to the version that was decided on.

use super::{
    Stage, at_work, queued,
    rows::{self, Fill},
    stories,
};
use crate::ledger::{
    Rows, Scope, Step, Write, WriteError,
    arrangement::{ArrangementRow, MoveArrangement},
};

stories!(what_rests_on_an_arrangement_and_its_change_exclude_each_other, members_are_looked_up_among_many);

fn change(row: &ArrangementRow) -> Step {
    let last_day = Some("2026-09-30".parse().unwrap());
    Step::MoveArrangement(MoveArrangement {
        id: row.id,
        from_version: row.version,
        last_day,
        at: rows::at(50),
    })
}

/// In one batch, whatever the order: those who hold come before the change, and a change is made once.
async fn what_rests_on_an_arrangement_and_its_change_exclude_each_other(stage: Stage) {
    let (ledger, committers) = stage.open(1, 64).await;
    let agency = rows::id();
    let row = rows::arrangement(agency, Fill::Full);
    let changed = ArrangementRow { version: 2, ..row.clone() };
    let rows_of = Rows { arrangements: vec![row.clone()], ..Rows::default() };
    let write = |step| rows::steps(agency, vec![step]);
    let setting_up = queued(&ledger, vec![rows::write(rows_of)]).await;
    let _work = at_work(committers);
    assert_eq!(setting_up.await, [Ok(())]);
    let writes: Vec<Write> = vec![
        write(rows::hold_arrangement(&row)),
        write(change(&row)),
        write(rows::hold_arrangement(&row)),
        write(change(&row)),
    ];
    let answers = queued(&ledger, writes).await.await;
    assert_eq!(answers.iter().filter(|answer| **answer == Err(WriteError::Stale)).count(), 2, "{answers:?}");
    assert_eq!((answers[0], answers[1]), (Ok(()), Ok(())));
    let late = queued(&ledger, vec![write(rows::hold_arrangement(&row))]).await.await;
    assert_eq!(late, [Err(WriteError::Stale)], "decided on what is no more");
    let now = queued(&ledger, vec![write(rows::hold_arrangement(&changed))]).await.await;
    assert_eq!(now, [Ok(())]);
    let stored = ledger.arrangement(Scope::of(agency), row.id).await.unwrap().unwrap();
    assert_eq!((stored.version, stored.last_day), (2, Some("2026-09-30".parse().unwrap())));
}

async fn members_are_looked_up_among_many(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let row = rows::arrangement(rows::id(), Fill::Full);
    let members: Vec<_> = (0..40).map(|_| rows::arrangement_member(row.id, rows::id(), Fill::Bare)).collect();
    let other = rows::arrangement_member(rows::id(), members[0].agency, Fill::Bare);
    let mut all = members.clone();
    all.push(other);
    let rows_of = Rows { arrangements: vec![row.clone()], arrangement_members: all, ..Rows::default() };
    ledger.write(rows::write(rows_of)).await.unwrap();
    assert_eq!(ledger.arrangement_members(&row, 99).await.unwrap().len(), 40);
    for count in [1, 2, 17] {
        let mut asked: Vec<_> = members[..count].iter().map(|member| member.agency).collect();
        let found = ledger.arrangement_members_among(&row, &asked).await.unwrap();
        asked.sort_unstable();
        assert_eq!(found.iter().map(|member| member.agency).collect::<Vec<_>>(), asked);
    }
    assert!(ledger.arrangement_members_among(&row, &[]).await.unwrap().is_empty());
}
