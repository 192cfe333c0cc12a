//! The sweep, and the loops of the workers.

use super::*;
use crate::{
    ledger::{Lane, Step, Write, job::ForgetJobs},
    usecases::{
        run::{run_dispatch, run_sweep},
        sweep::{Sweeper, Swept},
    },
};

impl Told {
    async fn sweep(&self, sweeper: &mut Sweeper) -> Swept {
        sweeper.sweep(&self.town.hub, &self.desk).await.unwrap()
    }

    /// Deletes every job that was done, and says how many.
    async fn forget(&self, before: Timestamp) -> u64 {
        let steps = vec![Step::ForgetJobs(ForgetJobs { ended: JobState::Done, before, limit: 1000 })];
        let write = Write { lane: Lane::Urgent, steps, ..Write::default() };
        self.town.hub.ledger.write(write).await.unwrap().forgotten
    }
}

#[tokio::test]
async fn a_broker_that_began_anew_is_rung_for_all_that_waits_and_for_nothing_else() {
    let told = Told::new().await;
    let (nursery, clerk) = told.subscriber(json!({"mode": "doorbell"})).await;
    let (waits, _) = told.introduce(&nursery).await;
    let (read, _) = told.introduce(&nursery).await;
    let mut sweeper = Sweeper::begin(&told.town.hub, &told.desk).await.unwrap();
    told.drain().await;
    told.town.open(&nursery, clerk, &read).await.unwrap();
    told.will([Outcome::Failed(Reason::NotConnected)]);
    let (put_off, _) = told.introduce(&nursery).await;
    told.drain().await;
    told.script.heard();
    told.sweep(&mut sweeper).await;
    assert_eq!(told.drain().await.claimed, 0, "nothing has happened to the broker");

    told.script.script().generation = 1;
    assert_eq!(told.sweep(&mut sweeper).await.again, 2, "what waits, and what was put off");
    told.drain().await;
    let mut rung: Vec<String> =
        told.script.heard().iter().map(|ring| ring.doorbell.subject.to_string()).collect();
    let mut expected = [waits, put_off];
    rung.sort();
    expected.sort();
    assert_eq!(rung, expected);
    assert_eq!(told.sweep(&mut sweeper).await.again, 0, "once for each beginning");
}

#[tokio::test]
async fn what_still_waits_after_a_day_is_rung_for_again_and_mailed_no_second_time() {
    let told = Told::new().await;
    let (nursery, _) = told.subscriber(json!({"mode": "doorbell"})).await;
    set_mail(&told.town.hub, &nursery, &json!({"address": "madoguchi@city.example.jp"})).await.unwrap();
    let (delivery, _) = told.introduce(&nursery).await;
    let mut sweeper = Sweeper::begin(&told.town.hub, &told.desk).await.unwrap();
    told.drain().await;
    told.wait(24 * HOUR - Duration::from_secs(1));
    assert_eq!(told.sweep(&mut sweeper).await.again, 0);
    told.wait(Duration::from_secs(2));
    assert_eq!(told.sweep(&mut sweeper).await.again, 1);
    told.drain().await;
    assert_eq!(doorbells(&told.script.heard()), vec![(DoorbellKind::DeliveryWaiting, delivery); 2]);
    told.wait(12 * HOUR);
    told.drain().await;
    assert_eq!(told.mails().len(), 1);
}

#[tokio::test]
async fn a_copy_that_waits_without_a_job_gets_one() {
    let told = Told::new().await;
    let (nursery, clerk) = told.subscriber(json!({"mode": "doorbell"})).await;
    let (read, _) = told.introduce(&nursery).await;
    told.drain().await;
    told.town.open(&nursery, clerk, &read).await.unwrap();
    told.drain().await;
    told.script.heard();
    // The jobs of what was read may go; then a copy is made to wait again behind the hub's back.
    told.wait(HOUR);
    assert!(told.forget(told.town.hub.clock.now()).await > 0);
    let id: DeliveryId = read.parse().unwrap();
    let back = crate::ledger::delivery::MoveDelivery {
        id,
        from: DeliveryState::Opened,
        from_disclosed: None,
        to: DeliveryState::Waiting,
        disclosed_at: None,
        at: told.town.hub.clock.now(),
    };
    let write = Write { steps: vec![Step::MoveDelivery(back)], ..Write::default() };
    told.town.hub.ledger.write(write).await.unwrap();
    let mut sweeper = Sweeper::begin(&told.town.hub, &told.desk).await.unwrap();
    assert_eq!(told.sweep(&mut sweeper).await.orphans, 1);
    told.drain().await;
    assert_eq!(doorbells(&told.script.heard()), [(DoorbellKind::DeliveryWaiting, read)]);
    assert_eq!(told.sweep(&mut sweeper).await.orphans, 0);
}

#[tokio::test]
async fn old_jobs_are_forgotten_but_not_the_doorbell_of_what_waits() {
    let told = Told::new().await;
    let (nursery, clerk) = told.subscriber(json!({"mode": "doorbell"})).await;
    let (waits, _) = told.introduce(&nursery).await;
    let (read, leg) = told.introduce(&nursery).await;
    told.town.open(&nursery, clerk, &read).await.unwrap();
    told.drain().await;
    let mut sweeper = Sweeper::begin(&told.town.hub, &told.desk).await.unwrap();
    assert_eq!(told.sweep(&mut sweeper).await.forgotten, 0);
    told.wait(8 * 24 * HOUR);
    let swept = told.sweep(&mut sweeper).await;
    assert_eq!((swept.again, swept.forgotten > 0), (1, true));
    let about = async |subject: &str| told.town.hub.ledger.jobs_about(subject).await.unwrap().len();
    assert_eq!((about(&waits).await, about(&read).await, about(&leg).await), (1, 0, 0));
    assert_eq!(told.forget(Timestamp::MAX).await, 0, "what waits keeps its doorbell");
}

#[tokio::test]
async fn the_workers_ring_as_soon_as_there_is_work_and_end_when_told() {
    let told = Told::new().await;
    let (nursery, _) = told.subscriber(json!({"mode": "doorbell"})).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let until = |mut stopped: tokio::sync::watch::Receiver<bool>| async move {
        let _stopped = stopped.wait_for(|stop| *stop).await;
    };
    let shared = told.town.hub.shared();
    let desk = Arc::new(Desk::new(told.desk.transport.clone(), Mailer::Silent, []));
    let mut workers = tokio::task::JoinSet::new();
    workers.spawn(run_dispatch(Arc::clone(&shared), Arc::clone(&desk), until(stopped.clone())));
    workers.spawn(run_sweep(shared, desk, Duration::from_millis(50), until(stopped)));
    let (delivery, _) = told.introduce(&nursery).await;
    let rung = async {
        while told.stands(&delivery).await.0 != JobState::Done {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), rung).await.expect("rung");
    assert_eq!(doorbells(&told.script.heard()), [(DoorbellKind::DeliveryWaiting, delivery)]);
    stop.send_replace(true);
    let ended = async {
        while let Some(ended) = workers.join_next().await {
            ended.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("ended");
}
