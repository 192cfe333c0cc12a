//! Doorbells by a real RabbitMQ.
//!
//! `HUB_TEST_AMQP` names the broker (`amqp://user:password@127.0.0.1:port/vhost`), a private one: the
//! tests declare and delete queues in it. `HUB_TEST_SERVERS` names the folder of `scripts/servers`, for
//! the tests that kill the broker or need another user. `HUB_TEST_AMQPS` and `HUB_TEST_AMQPS_CA` name a
//! broker with TLS and its authority. Where they are not set, a test says so and passes.

#![allow(clippy::unwrap_used, reason = "what a test does not expect should end it")]

#[path = "transport_amqp/bench.rs"]
mod bench;
#[path = "transport_amqp/faults.rs"]
mod faults;

use std::time::Duration;

use bench::{HUB, Running, Witness, agency, broker, headers, ring, servers, setting, settings, within};
use futures_util::StreamExt;
use lapin::{
    BasicProperties,
    options::{
        BasicGetOptions, BasicNackOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions,
        QueuePurgeOptions,
    },
    types::{AMQPValue, FieldTable, ShortString},
};
use tsunagu::transport::{
    Body, Line, Outcome, Reason, Ring, Transport,
    amqp::{self, DEAD_QUEUE, Settings, queue_name},
};
use uuid::Uuid;

#[tokio::test]
async fn a_doorbell_arrives_confirmed_with_the_headers_promised_and_nothing_else() {
    let Some((url, _together)) = broker().await else { return };
    let to = agency();
    let hub = Running::linked(&url, &[(to, Line::Inbox)]).await;
    assert!(hub.amqp.connected());
    assert_eq!(hub.amqp.generation(), 1);

    let sent = ring(to);
    assert_eq!(hub.amqp.publish(vec![sent.clone()]).await, [Outcome::Published]);

    let witness = Witness::new(&url).await;
    let queue = queue_name(to, Line::Inbox);
    let got = witness.get(&queue).await.expect("the doorbell is in the inbox queue").delivery;
    assert!(got.data.is_empty());
    assert_eq!(got.exchange.as_str(), "tsunagu.doorbells.v1");
    assert_eq!(got.routing_key.as_str(), to.to_string());
    let properties = &got.properties;
    assert_eq!(
        properties.message_id().as_ref().map(ShortString::as_str),
        Some(sent.doorbell.id.to_string().as_str())
    );
    assert_eq!(*properties.delivery_mode(), Some(2));
    let expected = sent.doorbell.attributes(HUB).map(|(name, text)| (format!("cloudEvents_{name}"), text));
    let mut expected = expected.to_vec();
    expected.sort();
    assert_eq!(headers(properties), expected);
    assert_eq!(
        (properties.content_type(), properties.priority(), properties.user_id()),
        (&None, &None, &None)
    );
    assert!(witness.get(&queue).await.is_none());

    witness.delete(&[queue]).await;
    hub.close().await;
}

#[tokio::test]
async fn a_batch_is_settled_one_by_one_and_what_has_no_queue_is_unroutable() {
    let Some((url, _together)) = broker().await else { return };
    let (known, foreign) = (agency(), agency());
    let hub = Running::linked(&url, &[(known, Line::Inbox)]).await;
    // Mixed up, so that a returned message attached to the wrong confirm would show.
    let to = |place: usize| if place % 7 == 3 { foreign } else { known };
    let rings: Vec<_> = (0..256).map(|place| ring(to(place))).collect();
    for _ in 0..3 {
        let outcomes = hub.amqp.publish(rings.clone()).await;
        for (place, outcome) in outcomes.iter().enumerate() {
            let expected = if place % 7 == 3 { Outcome::Unroutable } else { Outcome::Published };
            assert_eq!(*outcome, expected, "ring {place}");
        }
    }
    // Unroutable is no fault of the link.
    assert_eq!((hub.amqp.connected(), hub.amqp.generation()), (true, 1));
    Witness::new(&url).await.delete(&[queue_name(known, Line::Inbox)]).await;
    hub.close().await;
}

#[tokio::test]
async fn batches_from_many_tasks_do_not_mix() {
    let Some((url, _together)) = broker().await else { return };
    let (known, foreign) = (agency(), agency());
    let hub = Running::linked(&url, &[(known, Line::Inbox)]).await;
    let tasks = (0..16).map(|n| {
        let transport = Transport::Amqp(hub.amqp.clone());
        let (to, expected) =
            if n % 2 == 0 { (known, Outcome::Published) } else { (foreign, Outcome::Unroutable) };
        tokio::spawn(async move {
            let outcomes = transport.publish((0..32).map(|_| ring(to)).collect()).await;
            assert_eq!(outcomes, vec![expected; 32]);
        })
    });
    for task in tasks {
        within(20, task).await.unwrap();
    }
    Witness::new(&url).await.delete(&[queue_name(known, Line::Inbox)]).await;
    hub.close().await;
}

#[tokio::test]
async fn a_sealed_document_only_ever_reaches_a_queue_that_does_not_keep_it() {
    let Some((url, _together)) = broker().await else { return };
    let to = agency();
    let witness = Witness::new(&url).await;
    let sealed = || Ring { body: Body::Sealed("eyJhbGciOiJFQ0RILUVTIn0..a.b.c".to_owned()), ..ring(to) };
    let hub = Running::linked(&url, &[(to, Line::Inbox)]).await;
    // An agency that takes doorbells only.
    assert_eq!(hub.amqp.publish(vec![sealed()]).await, [Outcome::Unroutable]);

    hub.amqp.subscribe(to, Line::Sealed);
    let ready = async {
        while hub.amqp.publish(vec![sealed()]).await != [Outcome::Published] {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    within(10, ready).await;
    assert_eq!(hub.amqp.publish(vec![ring(to)]).await, [Outcome::Published]);

    let (sealed_queue, inbox) = (queue_name(to, Line::Sealed), queue_name(to, Line::Inbox));
    let got = witness.get(&sealed_queue).await.unwrap().delivery;
    assert_eq!(got.properties.content_type().as_ref().map(ShortString::as_str), Some("application/jose"));
    assert_eq!(got.data, b"eyJhbGciOiJFQ0RILUVTIn0..a.b.c");
    assert!(witness.get(&sealed_queue).await.unwrap().delivery.data.is_empty());
    // The old queue is there, but nothing rings at it any more.
    assert!(witness.get(&inbox).await.is_none());

    // And back.
    hub.amqp.subscribe(to, Line::Inbox);
    let back = async {
        while hub.amqp.publish(vec![sealed()]).await != [Outcome::Unroutable] {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    within(10, back).await;
    witness.channel.queue_purge(sealed_queue.as_str().into(), QueuePurgeOptions::default()).await.unwrap();
    assert_eq!(hub.amqp.publish(vec![ring(to)]).await, [Outcome::Published]);
    assert!(witness.get(&sealed_queue).await.is_none());
    assert!(witness.get(&inbox).await.is_some());

    witness.delete(&[sealed_queue, inbox]).await;
    hub.close().await;
}

#[tokio::test]
async fn a_deleted_queue_is_declared_again() {
    let Some((url, _together)) = broker().await else { return };
    let to = agency();
    let queue = queue_name(to, Line::Inbox);
    let hub = Running::linked(&url, &[(to, Line::Inbox)]).await;
    let witness = Witness::new(&url).await;
    witness.delete(std::slice::from_ref(&queue)).await;

    assert_eq!(hub.amqp.publish(vec![ring(to)]).await, [Outcome::Unroutable]);
    let again = async {
        while hub.amqp.publish(vec![ring(to)]).await != [Outcome::Published] {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    within(10, again).await;
    assert_eq!(hub.amqp.generation(), 1);
    assert!(witness.get(&queue).await.is_some());
    witness.delete(&[queue]).await;
    hub.close().await;
}

#[tokio::test]
async fn what_is_handed_back_too_often_ends_among_the_dead() {
    let Some((url, _together)) = broker().await else { return };
    let to = agency();
    let queue = queue_name(to, Line::Inbox);
    let hub = Running::linked(&url, &[(to, Line::Inbox)]).await;
    let witness = Witness::new(&url).await;
    let sent = ring(to);
    assert_eq!(hub.amqp.publish(vec![sent.clone()]).await, [Outcome::Published]);

    let mut consumer = witness
        .channel
        .basic_consume(queue.as_str().into(), "".into(), Default::default(), Default::default())
        .await
        .unwrap();
    for _ in 0..=10 {
        let delivery = within(10, consumer.next()).await.unwrap().unwrap();
        delivery.nack(BasicNackOptions { requeue: true, multiple: false }).await.unwrap();
    }
    let dead = async {
        loop {
            let Some(message) = witness.get(DEAD_QUEUE).await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let id = message.delivery.properties.message_id().as_ref().map(ToString::to_string);
            if id == Some(sent.doorbell.id.to_string()) {
                break;
            }
        }
    };
    within(20, dead).await;
    witness.delete(&[queue]).await;
    hub.close().await;
}

#[tokio::test]
async fn a_queue_with_other_arguments_does_not_keep_the_others_from_theirs() {
    let Some((url, _together)) = broker().await else { return };
    let (odd, plain) = (agency(), agency());
    let witness = Witness::new(&url).await;
    let odd_queue = queue_name(odd, Line::Inbox);
    let options = QueueDeclareOptions::durable();
    witness.channel.queue_declare(odd_queue.as_str().into(), options, Default::default()).await.unwrap();

    let hub = Running::linked(&url, &[(odd, Line::Inbox), (plain, Line::Inbox)]).await;
    let outcomes = hub.amqp.publish(vec![ring(plain), ring(odd)]).await;
    assert_eq!(outcomes, [Outcome::Published, Outcome::Unroutable]);
    witness.delete(&[odd_queue, queue_name(plain, Line::Inbox)]).await;
    hub.close().await;
}

#[tokio::test]
async fn a_full_queue_refuses_and_the_link_stays() {
    let Some((url, _together)) = broker().await else { return };
    let (full, plain) = (agency(), agency());
    let witness = Witness::new(&url).await;
    // As the hub would declare it, but for its length: the hub leaves such a queue alone.
    let queue = queue_name(full, Line::Inbox);
    let mut arguments = FieldTable::default();
    for (name, text) in [("x-queue-type", "quorum"), ("x-overflow", "reject-publish")] {
        arguments.insert(name.into(), AMQPValue::LongString(text.into()));
    }
    arguments.insert("x-max-length".into(), AMQPValue::LongLongInt(1));
    let options = QueueDeclareOptions::durable();
    witness.channel.queue_declare(queue.as_str().into(), options, arguments).await.unwrap();

    let hub = Running::linked(&url, &[(plain, Line::Inbox)]).await;
    let (exchange, key) = (amqp::EXCHANGE.into(), full.to_string().into());
    witness
        .channel
        .queue_bind(queue.as_str().into(), exchange, key, Default::default(), Default::default())
        .await
        .unwrap();
    // The limit of a quorum queue is not exact; a few pass before it closes.
    let mut refused = 0;
    for _ in 0..50 {
        let outcomes = hub.amqp.publish(vec![ring(full), ring(plain)]).await;
        assert_eq!(outcomes[1], Outcome::Published);
        refused += usize::from(outcomes[0] == Outcome::Failed(Reason::Refused));
        assert!(matches!(outcomes[0], Outcome::Published | Outcome::Failed(Reason::Refused)), "{outcomes:?}");
    }
    assert!(refused > 30, "{refused}");
    assert_eq!((hub.amqp.connected(), hub.amqp.generation()), (true, 1));
    witness.delete(&[queue, queue_name(plain, Line::Inbox)]).await;
    hub.close().await;
}

/// Publishing without confirms would be told as broken, never as published.
#[tokio::test]
async fn the_broker_under_test_confirms_after_returning() {
    let Some((url, _together)) = broker().await else { return };
    let witness = Witness::new(&url).await;
    witness.channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let options = BasicPublishOptions { mandatory: true, immediate: false };
    let nowhere: ShortString = Uuid::nil().to_string().into();
    let confirm = witness.channel.basic_publish("".into(), nowhere, options, b"", BasicProperties::default());
    let confirm = confirm.await.unwrap().await.unwrap();
    // The trap this transport is built around: an unroutable message is "acked" all the same.
    assert!(confirm.is_ack() && confirm.take_message().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agency_s_user_reads_its_own_queue_and_nothing_else() {
    let Some((url, _together)) = broker().await else { return };
    let (own, other) = (agency(), agency());
    let hub = Running::linked(&url, &[(own, Line::Inbox), (other, Line::Inbox)]).await;
    let vhost = url.rsplit_once('/').unwrap().1;
    let read = format!("^(inbox|sealed)\\.{own}\\.v1$");
    let user = own.to_string();
    if !tokio::task::block_in_place(|| servers("user", &[vhost, &user, "agency", "^$", "^$", &read])) {
        return hub.close().await;
    }
    let theirs = format!("amqp://{own}:agency@{}", url.rsplit_once('@').unwrap().1);
    let (mine, foreign) = (queue_name(own, Line::Inbox), queue_name(other, Line::Inbox));
    assert_eq!(hub.amqp.publish(vec![ring(own), ring(other)]).await, [Outcome::Published; 2]);
    assert!(Witness::new(&theirs).await.get(&mine).await.is_some());

    // A refusal closes the channel, so each question has a connection of its own.
    let refused = |error: lapin::Error| assert!(error.to_string().contains("ACCESS_REFUSED"), "{error}");
    for queue in [foreign.as_str(), DEAD_QUEUE] {
        let channel = Witness::new(&theirs).await;
        refused(channel.channel.basic_get(queue.into(), BasicGetOptions::default()).await.unwrap_err());
        let channel = Witness::new(&theirs).await;
        let declared = channel.channel.queue_declare(
            queue.into(),
            QueueDeclareOptions::durable(),
            FieldTable::default(),
        );
        refused(declared.await.unwrap_err());
    }
    let channel = Witness::new(&theirs).await;
    channel.channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let key = other.to_string().into();
    let options = BasicPublishOptions::default();
    let published =
        channel.channel.basic_publish(amqp::EXCHANGE.into(), key, options, b"", BasicProperties::default());
    refused(published.await.unwrap().await.unwrap_err());
    let channel = Witness::new(&theirs).await;
    let (to, from) = (mine.as_str().into(), amqp::EXCHANGE.into());
    let bound = channel.channel.queue_bind(to, from, "#".into(), Default::default(), FieldTable::default());
    refused(bound.await.unwrap_err());

    Witness::new(&url).await.delete(&[mine, foreign]).await;
    hub.close().await;
}

#[tokio::test]
async fn a_broker_with_a_private_authority_is_trusted_by_that_alone() {
    let (Some(url), Some(ca)) = (setting("HUB_TEST_AMQPS"), setting("HUB_TEST_AMQPS_CA")) else { return };
    let own = Settings { private_ca: Some(std::fs::read_to_string(ca).unwrap()), ..settings(&url) };
    let hub = Running::with(&own, &[]);
    within(20, hub.amqp.until_connected()).await;
    hub.close().await;
    let hub = Running::with(&settings(&url), &[]);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!hub.amqp.connected(), "the machine's own authorities know nothing of this one");
    hub.close().await;
}
