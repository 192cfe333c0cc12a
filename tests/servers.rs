//! The test bench on trial: what the suite takes for granted of its private servers has to be so.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

mod support;

use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties,
    options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use support::{
    broker::{OwnBroker, TestVhost},
    database::TestDatabase,
    servers,
};

#[test]
fn pg_a_fresh_database_is_durable_and_sorts_by_bytes() {
    let Some(database) = TestDatabase::new() else { return };
    let sql = "SELECT datcollate || ' ' || datctype || ' ' || pg_encoding_to_char(encoding) FROM pg_database
               WHERE datname = current_database()";
    assert_eq!(database.query(sql), "C C UTF8");
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        assert_eq!(database.query(&format!("SHOW {setting}")), "on", "{setting}");
    }
    assert_eq!(database.query("SELECT 'a' < 'B'"), "f");
}

#[test]
fn smtp_sink_is_ready() {
    let Some(smtp) = servers::Smtp::from_env() else { return };
    assert!(smtp.ca.is_file() && smtp.mail.is_dir());
    std::net::TcpStream::connect((smtp.host.as_str(), smtp.port)).unwrap();
}

#[tokio::test]
async fn amqp_agency_user_reads_its_own_queue_only() {
    let Some(vhost) = TestVhost::new() else { return };
    let hub = open(&vhost.url).await;
    for queue in ["inbox.a.v1", "inbox.b.v1"] {
        declare(&hub, queue).await;
        publish(&hub, queue).await;
    }
    let agency = vhost.agency_user("a");
    let own = open(&agency).await.basic_get("inbox.a.v1".into(), BasicGetOptions::default()).await;
    assert!(own.unwrap().is_some(), "its own message is there");
    for foreign in ["inbox.b.v1", "inbox.a.v10"] {
        let refused = open(&agency).await.basic_get(foreign.into(), BasicGetOptions::default()).await;
        assert!(format!("{refused:?}").contains("ACCESS"), "{foreign}: {refused:?}");
    }
}

#[tokio::test]
async fn amqp_wiped_broker_comes_back_empty_on_the_same_port() {
    let Some(broker) = OwnBroker::start() else { return };
    let channel = open(&broker.url).await;
    declare(&channel, "inbox.a.v1").await;
    publish(&channel, "inbox.a.v1").await;
    let before = broker.process_id();
    broker.wipe();
    broker.restart();
    assert_ne!(broker.process_id(), before);
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let channel = open(&broker.url).await;
    let gone = channel.queue_declare("inbox.a.v1".into(), passive, FieldTable::default()).await;
    assert!(format!("{gone:?}").contains("NOT"), "{gone:?}");
}

async fn open(url: &str) -> Channel {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    connection.create_channel().await.unwrap()
}

async fn declare(channel: &Channel, queue: &str) {
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    channel.queue_declare(queue.into(), durable, arguments).await.unwrap();
}

async fn publish(channel: &Channel, queue: &str) {
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let persistent = BasicProperties::default().with_delivery_mode(2);
    let sent = channel.basic_publish("".into(), queue.into(), mandatory, b"", persistent).await.unwrap();
    assert!(matches!(sent.await.unwrap(), Confirmation::Ack(None)), "stored, and routed");
}
