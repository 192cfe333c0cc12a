//! Cases and consultations: one of two changes wins, lists are read page by page, and a 通告 is its writer's alone.

use super::{
    Stage,
    rows::{self, Fill},
    stories,
};
use crate::{
    domain::{case::CaseState, ids::AgencyId, referral::ReferralType},
    ledger::{
        Ledger, Rows, Scope, Step, WriteError,
        case::CaseRow,
        consultation::{ConsultationRow, TakeConsultation, Talked},
        content::DataKeyRow,
        leg::Window,
    },
};

stories!(
    a_case_that_has_moved_on_is_stale,
    an_id_is_a_case_of_each_agency_by_itself,
    a_colleagues_cases_are_found_by_whoever_stands_in,
    a_notice_belongs_to_the_thread_of_its_writer_alone,
    an_entry_knows_the_latest_that_corrects_it,
    talks_are_paged_by_when_they_were,
    one_case_comes_of_a_talk
);

async fn put(ledger: &Ledger, rows: Rows) {
    ledger.write(rows::write(rows)).await.unwrap();
}

async fn a_case_that_has_moved_on_is_stale(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let case = rows::case(rows::id(), Fill::Full);
    put(&ledger, Rows { cases: vec![case.clone()], ..Rows::default() }).await;
    let closed = || vec![Step::MoveCase(rows::move_case(&case, 1))];
    ledger.write(rows::steps(case.owner, closed())).await.unwrap();
    let again = ledger.write(rows::steps(case.owner, closed())).await;
    assert_eq!(again.err(), Some(WriteError::Stale));
    let read = ledger.case(Scope::of(case.owner), case.id).await.unwrap().unwrap();
    assert_eq!((read.version, read.state, read.deputy), (2, CaseState::Closed, None));
    assert_eq!((read.opened_at, read.changed_at), (rows::at(41), rows::at(46)));
}

async fn an_id_is_a_case_of_each_agency_by_itself(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let ours = rows::case(rows::id(), Fill::Bare);
    let theirs = CaseRow { owner: rows::id(), ..rows::case(rows::id(), Fill::Full) };
    let theirs = CaseRow { id: ours.id, ..theirs };
    put(&ledger, Rows { cases: vec![ours.clone(), theirs.clone()], ..Rows::default() }).await;
    let step = Step::MoveCase(rows::move_case(&theirs, 1));
    ledger.write(rows::steps(theirs.owner, vec![step])).await.unwrap();
    let version =
        async |owner: AgencyId| ledger.case(Scope::of(owner), ours.id).await.unwrap().map(|row| row.version);
    assert_eq!(
        (version(ours.owner).await, version(theirs.owner).await, version(rows::id()).await),
        (Some(1), Some(2), None)
    );
    let twice = ledger.write(rows::write(Rows { cases: vec![ours], ..Rows::default() })).await;
    assert_eq!(twice.err(), Some(WriteError::Duplicate("cases")));
}

async fn a_colleagues_cases_are_found_by_whoever_stands_in(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let (owner, staff) = (rows::id(), rows::id());
    let case = |n: usize| match n % 3 {
        0 => CaseRow { responsible: staff, ..rows::case(owner, Fill::Full) },
        1 => CaseRow { deputy: Some(staff), ..rows::case(owner, Fill::Full) },
        _ => rows::case(owner, Fill::Full),
    };
    let cases: Vec<CaseRow> = (0..15).map(case).collect();
    let foreign = CaseRow { responsible: staff, ..rows::case(rows::id(), Fill::Bare) };
    let mut all = cases.clone();
    all.push(foreign);
    put(&ledger, Rows { cases: all, ..Rows::default() }).await;
    let mut expected: Vec<_> =
        cases.iter().enumerate().filter(|(n, _)| n % 3 < 2).map(|(_, case)| case.id).collect();
    expected.reverse();
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = ledger.cases_of(Scope::of(owner), CaseState::Open, staff, before, 3).await.unwrap();
        before = page.last().map(|row| row.id);
        found.extend(page.iter().map(|row| row.id));
        if page.is_empty() {
            break;
        }
    }
    assert_eq!(found, expected);
    let closed = ledger.cases_of(Scope::of(owner), CaseState::Closed, staff, None, 9).await.unwrap();
    assert!(closed.is_empty());
}

async fn a_notice_belongs_to_the_thread_of_its_writer_alone(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let case = rows::case(rows::id(), Fill::Bare);
    let (writer, colleague) = (rows::id(), rows::id());
    let mut written = Rows { cases: vec![case.clone()], ..Rows::default() };
    for kind in [ReferralType::Introduction, ReferralType::Notice] {
        let mut referral = rows::referral(case.owner, Fill::Bare);
        (referral.kind, referral.case_id, referral.written_by) = (kind, Some(case.id), writer);
        let mut leg = rows::leg(case.owner, rows::id(), Fill::Full);
        (leg.referral, leg.kind) = (referral.id, kind);
        written.referrals.push(referral);
        written.legs.push(leg);
    }
    let mut theirs = rows::referral(rows::id(), Fill::Full);
    theirs.case_id = Some(case.id);
    let mut leg = rows::leg(theirs.owner, case.owner, Fill::Full);
    leg.referral = theirs.id;
    written.referrals.push(theirs);
    written.legs.push(leg);
    put(&ledger, written).await;
    let kinds = async |staff| -> Vec<ReferralType> {
        ledger.case_legs(&case, staff, 9).await.unwrap().iter().map(|leg| leg.kind).collect()
    };
    assert_eq!(kinds(writer).await, [ReferralType::Notice, ReferralType::Introduction]);
    assert_eq!(kinds(colleague).await, [ReferralType::Introduction]);
}

async fn an_entry_knows_the_latest_that_corrects_it(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let case = rows::case(rows::id(), Fill::Bare);
    let first = rows::case_entry(&case, Fill::Bare);
    let mut entries = vec![first.clone(), rows::case_entry(&case, Fill::Bare)];
    for _ in 0..2 {
        let mut correction = rows::case_entry(&case, Fill::Full);
        correction.corrects = Some(first.id);
        entries.push(correction);
    }
    let last = entries[3].id;
    put(&ledger, Rows { cases: vec![case.clone()], case_entries: entries.clone(), ..Rows::default() }).await;
    let page = ledger.case_entries(&case, None, 3).await.unwrap();
    let ids: Vec<_> = page.iter().map(|found| found.row.id).collect();
    assert_eq!(ids, [entries[3].id, entries[2].id, entries[1].id]);
    let rest = ledger.case_entries(&case, ids.last().copied(), 3).await.unwrap();
    assert_eq!(rest.iter().map(|found| found.row.id).collect::<Vec<_>>(), [first.id]);
    assert_eq!(rest[0].corrected_by, Some(last));
    assert!(page.iter().all(|found| found.corrected_by.is_none()));
}

fn with_keys(talks: &[ConsultationRow]) -> Rows {
    let key = |talk: &ConsultationRow| DataKeyRow { id: talk.data_key, ..rows::data_key(talk.owner) };
    Rows { data_keys: talks.iter().map(key).collect(), consultations: talks.to_vec(), ..Rows::default() }
}

async fn talks_are_paged_by_when_they_were(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let owner = rows::id();
    // Three talks of one moment each, noted in another order than they were.
    let talk = |n: i64| ConsultationRow { at: rows::at(-(n / 3)), ..rows::consultation(owner, Fill::Bare) };
    let talks: Vec<ConsultationRow> = (0..12).map(talk).collect();
    put(&ledger, with_keys(&talks)).await;
    let days = Window { from: rows::at(-2), before: rows::at(0) };
    let mut expected: Vec<_> = talks
        .iter()
        .filter(|talk| talk.at >= days.from && talk.at < days.before)
        .map(|talk| (talk.at, talk.id))
        .collect();
    expected.sort_unstable_by(|one, other| other.cmp(one));
    assert_eq!(expected.len(), 6);
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = ledger.consultations(Scope::of(owner), days, before, 2).await.unwrap();
        before = page.last().map(|(row, _)| Talked { at: row.at, id: row.id });
        assert!(page.iter().all(|(row, key)| key.id == row.data_key));
        found.extend(page.iter().map(|(row, _)| (row.at, row.id)));
        if page.is_empty() {
            break;
        }
    }
    assert_eq!(found, expected);
}

async fn one_case_comes_of_a_talk(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let talk = rows::consultation(rows::id(), Fill::Bare);
    put(&ledger, with_keys(std::slice::from_ref(&talk))).await;
    let take = |owner, case| Step::TakeConsultation(TakeConsultation { id: talk.id, owner, case });
    let (first, second) = (rows::id(), rows::id());
    let foreign = ledger.write(rows::steps(rows::id(), vec![take(rows::id(), first)])).await;
    assert_eq!(foreign.err(), Some(WriteError::Stale));
    ledger.write(rows::steps(talk.owner, vec![take(talk.owner, first)])).await.unwrap();
    let again = ledger.write(rows::steps(talk.owner, vec![take(talk.owner, second)])).await;
    assert_eq!(again.err(), Some(WriteError::Stale));
    let (read, _) = ledger.consultation(Scope::of(talk.owner), talk.id).await.unwrap().unwrap();
    assert_eq!(read.case_id, Some(first));
}
