//! What happens when the broker dies, hangs or refuses.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use tsunagu::transport::{Line, Outcome, Reason, amqp::queue_name};

use crate::bench::{Proxy, Running, Witness, agency, broker, broker_alone, ring, servers, threads, within};

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_falls_silent_is_noticed() {
    let Some((url, _together)) = broker().await else { return };
    let proxy = Proxy::before(&url).await;
    let to = agency();
    let hub = Running::linked(&proxy.url, &[(to, Line::Inbox)]).await;
    proxy.silent.send(true).unwrap();

    let began = Instant::now();
    let outcomes = within(15, hub.amqp.publish(vec![ring(to), ring(to)])).await;
    assert_eq!(outcomes, [Outcome::Failed(Reason::TimedOut); 2]);
    assert!(began.elapsed() < Duration::from_secs(11));
    // The link has been given up: nobody waits ten seconds again.
    let began = Instant::now();
    let outcomes = hub.amqp.publish(vec![ring(to)]).await;
    assert!(matches!(outcomes[0], Outcome::Failed(Reason::NotConnected | Reason::Broken)), "{outcomes:?}");
    assert!(began.elapsed() < Duration::from_secs(1));
    assert!(!hub.amqp.connected());

    proxy.silent.send(false).unwrap();
    let again = async {
        while hub.amqp.publish(vec![ring(to)]).await != [Outcome::Published] {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    within(20, again).await;
    assert_eq!(hub.amqp.generation(), 2);
    Witness::new(&url).await.delete(&[queue_name(to, Line::Inbox)]).await;
    hub.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_against_a_silent_broker_leave_no_threads_behind() {
    let Some((url, _alone)) = broker_alone().await else { return };
    let proxy = Proxy::before(&url).await;
    let hub = Running::linked(&proxy.url, &[]).await;
    proxy.silent.send(true).unwrap();
    // The first publish ends the link; then two attempts meet a proxy that accepts and says nothing.
    let outcomes = hub.amqp.publish(vec![ring(agency())]).await;
    assert_eq!(outcomes, [Outcome::Failed(Reason::TimedOut)]);
    tokio::time::sleep(Duration::from_secs(22)).await;
    assert!(threads() <= 1, "{} threads of lapin", threads());
    hub.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publish_given_up_half_way_does_not_confuse_the_next() {
    let Some((url, _together)) = broker().await else { return };
    let (known, foreign) = (agency(), agency());
    let hub = Running::linked(&url, &[(known, Line::Inbox)]).await;
    for micros in [0, 50, 200, 500, 1000, 3000] {
        let batch = (0..64).map(|_| ring(foreign)).collect();
        let _given_up = tokio::time::timeout(Duration::from_micros(micros), hub.amqp.publish(batch)).await;
        let mixed = async {
            loop {
                let outcomes = hub.amqp.publish(vec![ring(known), ring(foreign), ring(known)]).await;
                if !outcomes.iter().any(|outcome| matches!(outcome, Outcome::Failed(_))) {
                    return outcomes;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        assert_eq!(within(20, mixed).await, [Outcome::Published, Outcome::Unroutable, Outcome::Published]);
    }
    Witness::new(&url).await.delete(&[queue_name(known, Line::Inbox)]).await;
    hub.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_killed_while_publishing_loses_nothing_it_confirmed() {
    let Some((url, _alone)) = broker_alone().await else { return };
    let to = agency();
    let queue = queue_name(to, Line::Inbox);
    let hub = Running::linked(&url, &[(to, Line::Inbox)]).await;

    let publisher = tokio::spawn({
        let amqp = hub.amqp.clone();
        async move {
            let (mut confirmed, mut failed, mut slowest) = (vec![], 0, Duration::ZERO);
            while failed == 0 || amqp.generation() < 2 {
                let rings: Vec<_> = (0..32).map(|_| ring(to)).collect();
                let began = Instant::now();
                let outcomes = amqp.publish(rings.clone()).await;
                slowest = slowest.max(began.elapsed());
                for (ring, outcome) in rings.iter().zip(outcomes) {
                    match outcome {
                        Outcome::Published => confirmed.push(ring.doorbell.id.to_string()),
                        Outcome::Failed(_) => failed += 1,
                        Outcome::Unroutable => panic!("the queue is there, or the broker is not"),
                    }
                }
                tokio::time::sleep(Duration::from_millis(if failed > 0 { 100 } else { 1 })).await;
            }
            (confirmed, failed, slowest)
        }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    if !tokio::task::block_in_place(|| servers("kill-broker", &[])) {
        publisher.abort();
        return;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!hub.amqp.connected());
    assert!(tokio::task::block_in_place(|| servers("restart-broker", &[])));

    let (confirmed, failed, slowest) = within(60, publisher).await.unwrap();
    eprintln!("{} confirmed, {failed} failed, slowest batch {slowest:?}", confirmed.len());
    assert!(slowest < Duration::from_secs(15) && confirmed.len() > 100 && failed > 0);
    assert_eq!(hub.amqp.publish(vec![ring(to)]).await, [Outcome::Published]);

    let witness = Witness::new(&url).await;
    let mut present = HashSet::new();
    while let Some(message) = witness.get(&queue).await {
        present.insert(message.delivery.properties.message_id().as_ref().unwrap().to_string());
    }
    let lost = confirmed.iter().filter(|id| !present.contains(*id)).count();
    assert_eq!(lost, 0, "of {} confirmed", confirmed.len());
    witness.delete(&[queue]).await;
    hub.close().await;
}

#[tokio::test]
async fn a_wrong_password_is_tried_again_and_told_without_it() {
    let Some((url, _together)) = broker().await else { return };
    let host = url.rsplit_once('@').unwrap().1;
    let hub = Running::start(&format!("amqp://nobody:hunter2@{host}"), &[]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!hub.amqp.connected());
    assert_eq!(hub.amqp.publish(vec![ring(agency())]).await, [Outcome::Failed(Reason::NotConnected)]);
    hub.close().await;
}
