//! A place has one protection; what was decided on it, or on its absence, is asked for once more at the commit.

use super::{
    Stage, queued,
    rows::{self, Fill},
    stories,
};
use crate::{
    domain::{
        chain::Hash,
        ids::{AgencyId, LegId, ProtectionId},
    },
    ledger::{
        Rows, Scope, Step, WriteError,
        protection::{
            HoldLeg, HoldProtection, MoveProtection, ProtectionRow, ProtectionVersionRow, PutProtection,
        },
    },
};

stories!(
    a_protection_is_found_by_its_place_with_its_body_and_key,
    a_decision_on_a_protection_that_changed_is_stale,
    of_a_disclosure_and_a_protection_in_one_batch_one_comes_first
);

pub fn protection(owner: AgencyId, fill: Fill) -> ProtectionRow {
    ProtectionRow {
        id: rows::id(),
        owner,
        place: (fill == Fill::Full).then(own_hash),
        version: 1,
        data_key: rows::id(),
        changed_at: rows::at(25),
    }
}

/// A hash no other row of this run has.
fn own_hash() -> Hash {
    let (one, two) = (rows::id::<LegId>(), rows::id::<LegId>());
    let bytes = [one.uuid().into_bytes(), two.uuid().into_bytes()].concat();
    Hash::new(bytes.try_into().unwrap())
}

pub fn protection_version(protection: ProtectionId, version: i64) -> ProtectionVersionRow {
    ProtectionVersionRow { protection, version, body: vec![3, 2, 1], at: rows::at(26) }
}

fn put(row: &ProtectionRow) -> Step {
    Step::PutProtection(PutProtection(row.clone()))
}

fn holds(row: &ProtectionRow, version: Option<i64>) -> Step {
    Step::HoldProtection(HoldProtection { place: row.place.unwrap(), version })
}

async fn a_protection_is_found_by_its_place_with_its_body_and_key(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let owner = rows::agency(Fill::Full);
    let row = protection(owner.id, Fill::Full);
    let (place, other) = (row.place.unwrap(), protection(owner.id, Fill::Full).place.unwrap());
    ledger.write(rows::steps(owner.id, vec![put(&row)])).await.unwrap();
    let found = ledger.protections_at(&place, &other).await.unwrap();
    assert_eq!((found.len(), found[0].row.id), (1, row.id));
    assert!(found[0].body.is_none() && found[0].key.is_none(), "it is there, and cannot be read");
    let mut key = rows::data_key(owner.id);
    key.id = row.data_key;
    let (version, data_keys) = (protection_version(row.id, 1), vec![key]);
    let rest = Rows { protection_versions: vec![version.clone()], data_keys, ..Rows::default() };
    ledger.write(rows::write(rest)).await.unwrap();
    let found = ledger.protections_at(&other, &place).await.unwrap();
    assert_eq!(found[0].body.as_ref(), Some(&version.body));
    assert_eq!(found[0].key.as_ref().unwrap().id, row.data_key);
    assert_eq!(ledger.protection_version(&row, 1).await.unwrap().unwrap().body, version.body);
    let twin = ProtectionRow { id: rows::id(), ..row.clone() };
    let second = ledger.write(rows::steps(owner.id, vec![put(&twin)])).await;
    assert_eq!(second.err(), Some(WriteError::Stale), "a place has one protection");
    let released = MoveProtection { id: row.id, from_version: 1, place: None, at: rows::at(30) };
    ledger.write(rows::steps(owner.id, vec![Step::MoveProtection(released)])).await.unwrap();
    assert!(ledger.protections_at(&place, &place).await.unwrap().is_empty());
    ledger.write(rows::steps(owner.id, vec![put(&twin)])).await.unwrap();
    let kept = ledger.protection(Scope::of(owner.id), row.id).await.unwrap().unwrap();
    assert_eq!((kept.version, kept.place), (2, None));
}

async fn a_decision_on_a_protection_that_changed_is_stale(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let row = protection(rows::id(), Fill::Full);
    let decided = async |version| ledger.write(rows::steps(rows::id(), vec![holds(&row, version)])).await;
    assert!(decided(None).await.is_ok());
    assert_eq!(decided(Some(1)).await.err(), Some(WriteError::Stale));
    ledger.write(rows::steps(row.owner, vec![put(&row)])).await.unwrap();
    assert_eq!(decided(None).await.err(), Some(WriteError::Stale));
    assert!(decided(Some(1)).await.is_ok());
    let changed = || MoveProtection { id: row.id, from_version: 1, place: row.place, at: rows::at(30) };
    ledger.write(rows::steps(row.owner, vec![Step::MoveProtection(changed())])).await.unwrap();
    assert_eq!(decided(Some(1)).await.err(), Some(WriteError::Stale));
    assert!(decided(Some(2)).await.is_ok());
    let again = ledger.write(rows::steps(row.owner, vec![Step::MoveProtection(changed())])).await;
    assert_eq!(again.err(), Some(WriteError::Stale));
}

/// Both wait for the same commit, in either order: the one that comes later in it is refused.
async fn of_a_disclosure_and_a_protection_in_one_batch_one_comes_first(stage: Stage) {
    for protected_first in [true, false] {
        let (ledger, committers) = stage.open(1, 16).await;
        let leg = rows::leg(rows::id(), rows::id(), Fill::Bare);
        let row = protection(leg.sender, Fill::Full);
        let work = super::at_work(committers);
        ledger.write(rows::write(Rows { legs: vec![leg.clone()], ..Rows::default() })).await.unwrap();
        drop(work);
        let (ledger, committers) = stage.open(1, 16).await;
        let hold = Step::HoldLeg(HoldLeg { id: leg.id, seq: leg.head_seq });
        let protect = rows::steps(leg.sender, vec![hold, put(&row)]);
        let disclose = rows::steps(leg.recipient, vec![rows::next(&leg), holds(&row, None)]);
        let writes = if protected_first { vec![protect, disclose] } else { vec![disclose, protect] };
        let answers = queued(&ledger, writes).await;
        let _work = super::at_work(committers);
        assert_eq!(answers.await, vec![Ok(()), Err(WriteError::Stale)], "protected first: {protected_first}");
    }
}
