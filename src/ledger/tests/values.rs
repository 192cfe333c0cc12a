//! What is written is what is read: every column of every table, filled and empty, in any number of rows.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Connection as _, Execute as _};

use super::{
    Stage, at_work, protections, queued,
    rows::{self, Fill},
    statements::TABLES,
    stories,
};
use crate::{
    clock::Clock,
    domain::receipt::ReceiptLevel,
    ledger::{
        Dialect, Rows, Step, Write,
        access_request::{AccessRequestRow, AccessRequestVersionRow},
        agency::{AgencyRow, NameKeyRow, StaffRow},
        arrangement::{ArrangementCaseRow, ArrangementEventRow, ArrangementMemberRow, ArrangementRow},
        audit::AuditRow,
        break_glass::BreakGlassRow,
        case::{CaseConsentRow, CaseEntryRow, CasePlanRow, CaseRow, CaseVersionRow},
        consent::{ConsentEventRow, ConsentRow},
        consultation::ConsultationRow,
        content::{ContentRow, DataKeyRow},
        database_time,
        delivery::DeliveryRow,
        erasure::{ErasureRow, HoldRow, LiftHold, PutHold, ShredRow},
        holding::HoldingRow,
        idempotency::IdempotencyRow,
        incident::IncidentRow,
        job::JobRow,
        keyring::{NodeRow, RetiredKekRow, SeeNode},
        leg::{LegEventRow, LegRow, ManifestRow},
        notice::NoticeReaderRow,
        protection::ProtectionVersionRow,
        receipt::ReceiptRow,
        referral::{ReferralEventRow, ReferralRow},
        relation::RelationRow,
        service::{ServiceRow, UpdateService},
        sign_in::{SessionRow, SignInRow},
        statutory::StatutoryRow,
        subscription::{Channel, PutSubscription, SubscriptionRow},
        values::Row,
    },
};

stories!(
    every_column_of_every_table_comes_back,
    any_number_of_rows_arrives,
    what_is_put_replaces_what_was_there,
    holds_and_nodes_come_back,
    leases_are_measured_by_one_clock
);

/// Everything a row binds, as one text: rows are equal if these are.
fn bound<T: Row>(row: &T) -> String {
    let mut statement = row.bind(sqlx::query("one"));
    format!("{:?}", statement.take_arguments().unwrap().unwrap().values.0)
}

async fn stored<T: Row>(stage: &Stage) -> BTreeSet<String> {
    let table = TABLES.iter().find(|table| table.name == T::TABLE).unwrap();
    let sql = AssertSqlSafe(format!("SELECT {} FROM {}", table.columns, table.name));
    let mut connection = stage.connect().await;
    let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    rows.iter().map(|row| bound(&T::read(row).unwrap())).collect()
}

async fn assert_stored<'a, T: Row + 'a>(stage: &Stage, rows: impl Iterator<Item = &'a T>) {
    let expected: BTreeSet<String> = rows.map(bound).collect();
    let stored = stored::<T>(stage).await;
    let lost: Vec<_> = expected.difference(&stored).collect();
    let other: Vec<_> = stored.difference(&expected).collect();
    assert!(lost.is_empty() && other.is_empty(), "{}: written {lost:#?}\nbut read {other:#?}", T::TABLE);
}

/// One row of each table.
fn household(fill: Fill) -> Write {
    let (agency, consent) = (rows::agency(fill), rows::consent(rows::id()));
    let (referral, leg) = (rows::referral(agency.id, fill), rows::leg(agency.id, rows::id(), fill));
    let arrangement = rows::arrangement(agency.id, fill);
    let request = rows::access_request(agency.id);
    let case = rows::case(agency.id, fill);
    let staff = rows::staff(agency.id);
    let mut subscription = rows::subscription(agency.id, Channel::Mail);
    subscription.settings = vec![1, 0, 255];
    let ends = i64::from(fill == Fill::Full);
    Write {
        key: Some(rows::key(agency.id, 1)),
        rows: Rows {
            services: vec![rows::service(fill)],
            data_keys: vec![rows::data_key(agency.id)],
            arrangement_events: vec![rows::arrangement_event(&arrangement, 1, fill)],
            arrangement_members: vec![rows::arrangement_member(arrangement.id, agency.id, fill)],
            arrangement_cases: vec![rows::arrangement_case(arrangement.id)],
            arrangements: vec![arrangement],
            consent_events: vec![rows::consent_event(consent.id, 1)],
            consents: vec![consent],
            protection_versions: vec![protections::protection_version(rows::id(), 1)],
            case_versions: vec![rows::case_version(&case, 1)],
            case_plans: vec![rows::case_plan(&case, 1)],
            case_entries: vec![rows::case_entry(&case, fill)],
            case_consents: vec![rows::case_consent(&case, rows::id())],
            cases: vec![case],
            consultations: vec![rows::consultation(agency.id, fill)],
            referral_events: vec![rows::referral_event(referral.id, 1, fill)],
            notice_readers: vec![NoticeReaderRow {
                referral: referral.id,
                staff: rows::id(),
                named_at: rows::at(69),
            }],
            contents: vec![rows::content(referral.id, "needs")],
            referrals: vec![referral],
            leg_events: vec![rows::leg_event(leg.id, 1, fill)],
            manifests: vec![rows::manifest(leg.id)],
            deliveries: vec![rows::delivery(&leg, fill)],
            receipts: vec![rows::receipt(&leg, ReceiptLevel::R4, ends, fill)],
            holdings: vec![rows::holding(&leg, fill)],
            statutory: vec![rows::statutory(rows::id(), fill)],
            incidents: vec![rows::incident(agency.id, leg.id, fill)],
            access_request_versions: vec![rows::access_request_version(request.id, 1)],
            access_requests: vec![request],
            relations: vec![rows::relation(if fill == Fill::Full { 71 } else { 72 })],
            break_glasses: vec![rows::break_glass(fill)],
            audits: vec![rows::audit(agency.id, fill)],
            sessions: vec![rows::session(agency.id)],
            sign_ins: vec![rows::sign_in(&staff, fill)],
            staff: vec![staff],
            shreds: vec![rows::shred()],
            erasures: vec![rows::erasure(rows::id(), agency.id)],
            retired_keks: vec![rows::retired_kek(agency.id)],
            jobs: vec![rows::job("about", fill)],
            name_keys: vec![rows::name_key(agency.id)],
            legs: vec![leg],
            agencies: vec![agency],
        },
        ..Write::default()
    }
}

/// 45 rows of each table are one INSERT of 32, one of 8 and five of one; filled and empty rows take turns, and so
/// do the kinds of row a statement is first prepared with.
async fn every_column_of_every_table_comes_back(stage: Stage) {
    let mut written = Vec::new();
    for first in [0, 1] {
        let household = |n| household(if (n + first) % 2 == 0 { Fill::Full } else { Fill::Bare });
        let writes: Vec<Write> = (0..45).map(household).collect();
        written.extend(writes.iter().map(copy));
        let (ledger, committers) = stage.open(1, 64).await;
        let answers = queued(&ledger, writes).await;
        let _work = at_work(committers);
        assert_eq!(answers.await, vec![Ok(()); 45]);
    }
    macro_rules! compare {
        ($($row:ident in $place:ident),+ $(,)?) => {
            $(assert_stored::<$row>(&stage, written.iter().flat_map(|write| &write.rows.$place)).await;)+
        };
    }
    assert_stored::<IdempotencyRow>(&stage, written.iter().filter_map(|write| write.key.as_ref())).await;
    compare!(
        AgencyRow in agencies, NameKeyRow in name_keys, StaffRow in staff, ServiceRow in services, DataKeyRow in data_keys,
        ArrangementRow in arrangements, ArrangementEventRow in arrangement_events,
        ArrangementMemberRow in arrangement_members, ArrangementCaseRow in arrangement_cases,
        ConsentRow in consents, ConsentEventRow in consent_events,
        ProtectionVersionRow in protection_versions, ReferralRow in referrals,
        ReferralEventRow in referral_events, NoticeReaderRow in notice_readers, ContentRow in contents, LegRow in legs, LegEventRow in leg_events,
        ProtectionVersionRow in protection_versions, CaseRow in cases, CaseVersionRow in case_versions,
        CasePlanRow in case_plans, CaseEntryRow in case_entries, CaseConsentRow in case_consents,
        ConsultationRow in consultations, ReferralRow in referrals,
        ReferralEventRow in referral_events, ContentRow in contents, LegRow in legs, LegEventRow in leg_events,
        ManifestRow in manifests, DeliveryRow in deliveries, ReceiptRow in receipts, HoldingRow in holdings,
        StatutoryRow in statutory, IncidentRow in incidents, AuditRow in audits,
        AccessRequestRow in access_requests, AccessRequestVersionRow in access_request_versions,
        StatutoryRow in statutory, IncidentRow in incidents, RelationRow in relations,
        BreakGlassRow in break_glasses, AuditRow in audits,
        JobRow in jobs, SignInRow in sign_ins, SessionRow in sessions,
        ShredRow in shreds, ErasureRow in erasures, RetiredKekRow in retired_keks,
    );
}

fn copy(write: &Write) -> Write {
    let rows = &write.rows;
    macro_rules! copies {
        ($($place:ident),+ $(,)?) => { Rows { $($place: rows.$place.clone()),+ } };
    }
    let rows = copies!(
        agencies,
        name_keys,
        staff,
        services,
        data_keys,
        arrangements,
        arrangement_events,
        arrangement_members,
        arrangement_cases,
        consents,
        consent_events,
        protection_versions,
        cases,
        case_versions,
        case_plans,
        case_entries,
        case_consents,
        consultations,
        referrals,
        referral_events,
        notice_readers,
        contents,
        legs,
        leg_events,
        manifests,
        deliveries,
        receipts,
        holdings,
        statutory,
        incidents,
        access_requests,
        access_request_versions,
        relations,
        break_glasses,
        audits,
        jobs,
        sign_ins,
        sessions,
        shreds,
        erasures,
        retired_keks,
    );
    Write { key: write.key.clone(), rows, ..Write::default() }
}

async fn any_number_of_rows_arrives(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let mut all = Vec::new();
    for count in [1, 2, 7, 8, 9, 31, 32, 33, 39, 40, 41, 64, 75] {
        let audits: Vec<_> = (0..count).map(|_| rows::audit(rows::id(), Fill::Full)).collect();
        all.extend(audits.clone());
        ledger.write(rows::write(Rows { audits, ..Rows::default() })).await.unwrap();
        assert_stored(&stage, all.iter()).await;
    }
}

async fn what_is_put_replaces_what_was_there(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let agency = rows::agency(Fill::Full);
    let full = rows::service(Fill::Full);
    let replaced = ServiceRow { id: full.id, number: full.number.clone(), ..rows::service(Fill::Bare) };
    let first = rows::subscription(agency.id, Channel::Amqp);
    let put = |row: &SubscriptionRow| Step::PutSubscription(PutSubscription(row.clone()));
    let rows = Rows { agencies: vec![agency.clone()], services: vec![full], ..Rows::default() };
    ledger.write(rows::write(rows)).await.unwrap();
    ledger.write(rows::steps(agency.id, vec![put(&first)])).await.unwrap();
    assert_stored(&stage, [&first].into_iter()).await;
    let mut second = rows::subscription(agency.id, Channel::Amqp);
    (second.settings, second.changed_at) = (vec![5, 6], rows::at(99));
    let update = Step::UpdateService(Box::new(UpdateService(replaced.clone())));
    ledger.write(rows::steps(agency.id, vec![put(&second), update])).await.unwrap();
    second.version = 2;
    assert_stored(&stage, [&second].into_iter()).await;
    assert_stored(&stage, [&replaced].into_iter()).await;
}

async fn holds_and_nodes_come_back(stage: Stage) {
    let (ledger, _work) = stage.running(1).await;
    let agency = rows::id();
    let (full, bare) = (
        rows::placed_hold(rows::id(), agency, Fill::Full),
        rows::placed_hold(rows::id(), agency, Fill::Bare),
    );
    let put = |row: &HoldRow| Step::PutHold(Box::new(PutHold(row.clone())));
    ledger.write(rows::steps(agency, vec![put(&full), put(&bare)])).await.unwrap();
    assert_stored(&stage, [&full, &bare].into_iter()).await;
    let (by, at, reason) = (rows::id(), rows::at(90), vec![1, 2, 255]);
    let lift = || Step::LiftHold(LiftHold { id: bare.id, by, at, reason: reason.clone() });
    ledger.write(rows::steps(agency, vec![lift()])).await.unwrap();
    let lifted = HoldRow {
        lifted_by: Some(by),
        lifted_at: Some(at),
        lift_reason: Some(reason.clone()),
        ..bare.clone()
    };
    assert_stored(&stage, [&full, &lifted].into_iter()).await;
    assert!(ledger.write(rows::steps(agency, vec![lift()])).await.is_err(), "lifted once");

    let first = rows::node();
    let see = |node: &NodeRow| Step::SeeNode(SeeNode { node: node.clone(), forget_before: rows::at(80) });
    let seen =
        NodeRow { seen_at: rows::at(100), since: rows::at(99), kids: "third".to_owned(), ..first.clone() };
    let newer = NodeRow { wraps_under: "202612".to_owned(), seen_at: rows::at(110), ..seen.clone() };
    for (node, since) in [(&first, first.since), (&seen, first.since), (&newer, newer.seen_at)] {
        ledger.write(rows::steps(agency, vec![see(node)])).await.unwrap();
        assert_stored(&stage, [&NodeRow { since, ..node.clone() }].into_iter()).await;
    }
    let other = NodeRow { seen_at: rows::at(200), ..rows::node() };
    let late = Step::SeeNode(SeeNode { node: other.clone(), forget_before: rows::at(150) });
    ledger.write(rows::steps(agency, vec![late])).await.unwrap();
    assert_stored(&stage, [&other].into_iter()).await;
}

async fn leases_are_measured_by_one_clock(stage: Stage) {
    let (ledger, _) = stage.open(1, 1).await;
    let hub = Clock::fixed(rows::at(0));
    let time = ledger.lease_time(&hub).await.unwrap();
    match stage.dialect {
        Dialect::Sqlite => assert_eq!(time, rows::at(0)),
        Dialect::Postgres => {
            let apart = Clock::System.now().duration_since(time).abs();
            assert!(
                apart < jiff::SignedDuration::from_secs(5),
                "the database is {apart} away, or in another zone"
            );
        }
    }
}

#[test]
fn the_time_of_the_database_is_read_in_each_of_its_forms() {
    let read = |text| database_time(text).unwrap().as_microsecond();
    assert_eq!(read("2026-11-22 04:35:40.123456+00"), 1_795_322_140_123_456);
    assert_eq!(read("2026-11-22 04:35:40.12+00"), 1_795_322_140_120_000);
    assert_eq!(read("2026-11-22 04:35:40+00"), 1_795_322_140_000_000);
    assert_eq!(read("2026-11-22 13:35:40+09"), 1_795_322_140_000_000);
    assert!(database_time("22.11.2026 04:35:40 UTC").is_err());
}
