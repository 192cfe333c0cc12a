//! Doorbells: who hears them, what happens when the broker does not take them.

use super::*;
use crate::{
    domain::problem::ProblemKind,
    ledger::job::Work,
    transport::{Heard, InProcess, Line},
    usecases::{
        job::{self, Fate, Why},
        sweep::Sweeper,
    },
};

#[tokio::test]
async fn within_a_process_everybody_hears_of_what_waits_and_of_what_changed() {
    let town = Town::new().await;
    let here = InProcess::new(16);
    let mut listener = here.listen();
    let desk = Desk::new(Transport::InProcess(here), Mailer::Silent, []);
    let (nursery, clerk) = town.party(AgencyKind::Nursery, StaffRole::AgencyStaff).await;
    let consent = town.consent(&[&nursery], ALL).await;
    let answer = town.submit(town.introduction(&[&nursery], consent)).await.unwrap();
    let delivery = id(&answer, "/legs/0/delivery");
    assert_eq!(
        drain(&town.hub, &desk).await.unwrap(),
        Dispatched { claimed: 1, done: 1, ..Dispatched::default() }
    );
    let Some(Heard::Doorbell(bell)) = listener.next().await else { panic!("nothing was rung") };
    assert_eq!((bell.to, bell.kind), (nursery.id(), DoorbellKind::DeliveryWaiting));
    assert_eq!(bell.subject.to_string(), delivery);
    assert_eq!(bell.time, town.hub.clock.now());

    town.open(&nursery, clerk, &delivery).await.unwrap();
    drain(&town.hub, &desk).await.unwrap();
    let Some(Heard::Doorbell(bell)) = listener.next().await else { panic!("nothing was rung") };
    assert_eq!((bell.to, bell.kind), (town.site.id(), DoorbellKind::LegChanged));
    assert_eq!(bell.subject.to_string(), id(&answer, "/legs/0/id"));
}

#[tokio::test]
async fn an_agency_is_rung_by_the_channel_it_asked_for_and_by_no_other() {
    let told = Told::new().await;
    let (heard, _) = told.subscriber(json!({"mode": "doorbell"})).await;
    let (deaf, _) = told.nursery().await;
    let (rings, _) = told.introduce(&heard).await;
    let (silent, _) = told.introduce(&deaf).await;
    assert_eq!(told.drain().await, Dispatched { claimed: 2, done: 2, ..Dispatched::default() });
    let published = told.script.heard();
    assert_eq!(doorbells(&published), [(DoorbellKind::DeliveryWaiting, rings.clone())]);
    assert_eq!((published[0].doorbell.to, &published[0].body), (heard.id(), &Body::Empty));
    assert_eq!(told.stands(&rings).await, done("rung"));
    assert_eq!(told.stands(&silent).await, done("no_channel"));
    assert!(told.mails().is_empty());
}

#[tokio::test]
async fn a_queue_is_kept_from_the_subscription_to_its_end() {
    let told = Told::new().await;
    let key = TestKey::x25519();
    let (nursery, _) = told.subscriber(json!({"mode": "doorbell"})).await;
    set_amqp(&told.town.hub, &nursery, &json!({"mode": "sealed", "jwk": key.jwk()})).await.unwrap();
    told.drain().await;
    crate::usecases::subscribe::end(&told.town.hub, &nursery, crate::ledger::subscription::Channel::Amqp)
        .await
        .unwrap();
    told.drain().await;
    let lines = std::mem::take(&mut told.script.script().lines);
    let id = nursery.id();
    assert_eq!(lines, [(id, Some(Line::Inbox)), (id, Some(Line::Sealed)), (id, None)]);

    // Another node learns of it when it sweeps.
    set_amqp(&told.town.hub, &nursery, &json!({"mode": "doorbell"})).await.unwrap();
    let elsewhere = Desk::new(told.desk.transport.clone(), Mailer::Silent, []);
    let mut sweeper = Sweeper::begin(&told.town.hub, &elsewhere).await.unwrap();
    sweeper.sweep(&told.town.hub, &elsewhere).await.unwrap();
    sweeper.sweep(&told.town.hub, &elsewhere).await.unwrap();
    assert_eq!(std::mem::take(&mut told.script.script().lines), [(id, Some(Line::Inbox))], "once");
    crate::usecases::subscribe::end(&told.town.hub, &nursery, crate::ledger::subscription::Channel::Amqp)
        .await
        .unwrap();
    sweeper.sweep(&told.town.hub, &elsewhere).await.unwrap();
    assert_eq!(told.script.script().lines, [(id, None)]);
}

#[tokio::test]
async fn a_doorbell_that_is_not_taken_is_rung_again_by_its_schedule() {
    let told = Told::new().await;
    let (nursery, _) = told.subscriber(json!({"mode": "doorbell"})).await;
    let (delivery, _) = told.introduce(&nursery).await;
    told.will([Outcome::Failed(Reason::NotConnected), Outcome::Unroutable]);

    assert_eq!(told.drain().await, Dispatched { claimed: 1, later: 1, ..Dispatched::default() });
    assert_eq!(told.stands(&delivery).await, (JobState::Ready, Some("not_connected".to_owned())));
    told.wait(Duration::from_secs(3));
    assert_eq!(told.drain().await.claimed, 0, "5 s × 0.8 have not passed");
    told.wait(Duration::from_secs(3));
    assert_eq!(told.drain().await.later, 1);
    assert_eq!(told.stands(&delivery).await, (JobState::Ready, Some("unroutable".to_owned())));
    told.wait(Duration::from_secs(20));
    assert_eq!(told.drain().await.claimed, 0, "30 s × 0.8 have not passed");
    told.wait(Duration::from_secs(16));
    assert_eq!(told.drain().await.done, 1);
    assert_eq!(told.stands(&delivery).await, done("rung"));
    let ids: Vec<_> = told.script.script().refused.iter().map(|ring| ring.doorbell).collect();
    let rung = told.script.heard();
    assert_eq!(ids, [rung[0].doorbell; 2], "the same doorbell each time, its time included");
}

#[tokio::test]
async fn a_doorbell_nobody_ever_takes_dies_and_the_delivery_does_not() {
    let told = Told::new().await;
    let (nursery, _) = told.subscriber(json!({"mode": "doorbell"})).await;
    let (delivery, _) = told.introduce(&nursery).await;
    let mut rounds = 0;
    while told.stands(&delivery).await.0 != JobState::Dead {
        told.will([Outcome::Failed(Reason::Refused)]);
        told.drain().await;
        told.wait(6 * HOUR);
        rounds += 1;
        assert!(rounds < 60, "it is still tried");
    }
    assert_eq!(told.stands(&delivery).await, (JobState::Dead, Some("refused".to_owned())));
    assert!(rounds > 30, "it was given up after {rounds} attempts");
    assert_eq!(told.town.inbox(&nursery, DeliveryState::Waiting).await.len(), 1);
}

#[tokio::test]
async fn what_was_fetched_before_it_was_rung_for_is_not_rung_for() {
    let told = Told::new().await;
    let (nursery, clerk) = told.subscriber(json!({"mode": "doorbell"})).await;
    let (delivery, _) = told.introduce(&nursery).await;
    told.town.open(&nursery, clerk, &delivery).await.unwrap();
    told.drain().await;
    assert_eq!(doorbells(&told.script.heard()), []);
    assert_eq!(told.stands(&delivery).await, done("not_waiting"));
}

#[tokio::test]
async fn a_worker_that_died_with_its_claim_costs_a_lease_and_a_late_one_changes_nothing() {
    let told = Told::new().await;
    let (nursery, _) = told.subscriber(json!({"mode": "doorbell"})).await;
    let (delivery, _) = told.introduce(&nursery).await;
    let hub = &told.town.hub;
    // Rung, and gone before it could settle.
    let stale = job::claim(hub, &told.desk.hands, Work::Rings, 256, super::super::super::dispatch::LEASE)
        .await
        .unwrap();
    assert_eq!(stale.len(), 1);
    let mut sweeper = Sweeper::begin(hub, &told.desk).await.unwrap();
    told.wait(Duration::from_secs(29));
    sweeper.sweep(hub, &told.desk).await.unwrap();
    assert_eq!(told.drain().await.claimed, 0, "the lease holds");
    told.wait(Duration::from_secs(2));
    assert_eq!(sweeper.sweep(hub, &told.desk).await.unwrap().again, 1);
    assert_eq!(told.drain().await.done, 1);
    assert_eq!(doorbells(&told.script.heard()).len(), 1, "the second doorbell");

    let late = job::settled(hub, &stale[0], Fate::Later(Why::TimedOut), hub.clock.now()).unwrap();
    job::settle(hub, &told.desk.hands, vec![late], Vec::new()).await.unwrap();
    assert_eq!(told.stands(&delivery).await, done("rung"), "what an older claim reports is void");
}

#[tokio::test]
async fn what_a_process_that_ends_has_in_hand_is_given_back() {
    let told = Told::new().await;
    let (nursery, _) = told.subscriber(json!({"mode": "doorbell"})).await;
    let (delivery, _) = told.introduce(&nursery).await;
    let (hub, hour) = (&told.town.hub, HOUR);
    let taken = job::claim(hub, &told.desk.hands, Work::Rings, 256, hour).await.unwrap();
    assert_eq!((taken.len(), told.drain().await.claimed), (1, 0), "it is leased");
    assert_eq!(told.desk.clear(hub).await.unwrap(), 1);
    assert_eq!(told.stands(&delivery).await, (JobState::Ready, None), "as it was before it was claimed");
    assert_eq!(told.drain().await.done, 1, "whoever comes next need not wait for the lease");
    assert_eq!(told.desk.clear(hub).await.unwrap(), 0, "what is settled is in nobody's hands");

    // Whoever paused so long that another took over gives back nothing of the other's.
    let (second, _) = told.introduce(&nursery).await;
    let paused = Desk::new(told.desk.transport.clone(), Mailer::Silent, []);
    let lease = super::super::super::dispatch::LEASE;
    assert_eq!(job::claim(hub, &paused.hands, Work::Rings, 256, lease).await.unwrap().len(), 1);
    told.wait(Duration::from_secs(31));
    let mut sweeper = Sweeper::begin(hub, &told.desk).await.unwrap();
    sweeper.sweep(hub, &told.desk).await.unwrap();
    assert_eq!(job::claim(hub, &told.desk.hands, Work::Rings, 256, hour).await.unwrap().len(), 1);
    paused.clear(hub).await.unwrap();
    assert_eq!(told.stands(&second).await.0, JobState::Leased);
}

#[tokio::test]
async fn where_there_is_one_process_a_new_start_voids_every_lease() {
    let town = Town::new().await;
    let here = InProcess::new(16);
    let mut listener = here.listen();
    let desk = Desk::new(Transport::InProcess(here), Mailer::Silent, []);
    let (nursery, _) = town.party(AgencyKind::Nursery, StaffRole::AgencyStaff).await;
    let consent = town.consent(&[&nursery], ALL).await;
    town.submit(town.introduction(&[&nursery], consent)).await.unwrap();
    assert_eq!(job::claim(&town.hub, &desk.hands, Work::Rings, 256, HOUR).await.unwrap().len(), 1);
    Sweeper::begin(&town.hub, &desk).await.unwrap();
    assert_eq!(drain(&town.hub, &desk).await.unwrap().done, 1);
    assert!(matches!(listener.next().await, Some(Heard::Doorbell(_))));
}

#[tokio::test]
async fn a_job_that_cannot_be_read_holds_no_other_up_and_dies_after_five_attempts() {
    let told = Told::new().await;
    let (nursery, _) = told.subscriber(json!({"mode": "doorbell"})).await;
    let (sound, _) = told.introduce(&nursery).await;
    let mut poisoned = told.job(&sound).await;
    let hub = &told.town.hub;
    poisoned.id = hub.clock.new_id();
    // More urgent than the sound one, and about a copy that is not there.
    (poisoned.rank, poisoned.subject) = (0, hub.clock.new_random_id::<DeliveryId>().to_string());
    poisoned.dedup = format!("doorbell.waiting:{}", poisoned.subject);
    job::settle(hub, &told.desk.hands, Vec::new(), vec![poisoned.clone()]).await.unwrap();
    assert_eq!(told.drain().await, Dispatched { claimed: 2, done: 1, later: 1, dead: 0 });
    assert_eq!(told.stands(&sound).await, done("rung"));
    for _ in 2..5 {
        told.wait(HOUR);
        assert_eq!(told.drain().await.later, 1);
    }
    told.wait(HOUR);
    assert_eq!(told.drain().await.dead, 1);
    assert_eq!(told.stands(&poisoned.subject).await, (JobState::Dead, Some("damaged".to_owned())));
}

#[test]
fn only_what_cannot_be_read_is_poison() {
    for kind in [ProblemKind::Busy, ProblemKind::Unavailable, ProblemKind::OutcomeUnknown] {
        assert_eq!(Fate::of_problem(kind), Fate::Unknown);
    }
    assert_eq!(Fate::of_problem(ProblemKind::Internal), Fate::Damaged);
}
