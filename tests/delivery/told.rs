//! How a recipient hears of a delivery: a doorbell over AMQP, and mail, as they leave a whole hub.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use jiff::SignedDuration;
use lapin::{Connection, ConnectionProperties, message::BasicGetMessage, options::BasicGetOptions};
use serde_json::{Value, json};
use tsunagu::{
    clock::Clock,
    config::{Config, MailTransport, SmtpTls},
    domain::{agency::AgencyKind, ids::DeliveryId},
};

use crate::{
    sent::Mail,
    support::{
        cast::{Cast, Sent},
        ending,
        servers::Smtp,
        town::{Engine, Town},
        unique_name,
    },
};

/// What a broker that a test reads as the agency's own system would hand out next.
async fn next(what: &str, (_, channel, queue): &(Connection, lapin::Channel, String)) -> BasicGetMessage {
    let options = BasicGetOptions { no_ack: true };
    for _ in 0..200 {
        if let Some(message) = channel.basic_get(queue.as_str().into(), options).await.unwrap() {
            return message;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} was not rung in {queue}");
}

/// The doorbell's attributes, after everything else about it was found to be as promised.
fn attributes(message: &BasicGetMessage) -> BTreeMap<String, String> {
    let (properties, delivery) = (&message.delivery.properties, &message.delivery);
    assert!(delivery.data.is_empty(), "a doorbell carries nothing");
    assert_eq!(
        (properties.content_type(), properties.user_id(), properties.priority()),
        (&None, &None, &None)
    );
    assert_eq!(*properties.delivery_mode(), Some(2));
    let table = properties.headers().as_ref().unwrap().inner().iter();
    // A quorum queue adds how often it has handed the message out.
    let ours = table.filter(|(name, _)| name.as_str() != "x-delivery-count");
    let text = |(name, value): (&lapin::types::ShortString, &lapin::types::AMQPValue)| {
        let name = name.as_str().strip_prefix("cloudEvents_").expect("only attributes of the event");
        (name.to_owned(), value.as_long_string().unwrap().to_string())
    };
    let found: BTreeMap<_, _> = ours.map(text).collect();
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(names, ["id", "source", "specversion", "subject", "time", "type"]);
    assert_eq!(properties.message_id().as_ref().map(ToString::to_string).as_ref(), found.get("id"));
    assert_eq!(found["specversion"], "1.0");
    assert!(found["time"].ends_with("+09:00"), "{found:?}");
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amqp_doorbells_say_that_something_waits_has_changed_or_is_gone_and_no_more() {
    let Some(mut town) = Town::on(Engine::Clustered).await else { return };
    let cast = Cast::of(&town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let mut channels = Vec::new();
    for agency in [nursery, site] {
        let put = agency.put("/v1/subscriptions/amqp", &json!({"mode": "doorbell"})).await.value();
        assert_eq!(put["queue"], format!("inbox.{}.v1", agency.id));
        let url = town.vhost().unwrap().agency_user(&agency.id);
        let connection = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channels.push((connection, channel, format!("inbox.{}.v1", agency.id)));
    }
    let [to_nursery, to_site] = channels.as_slice() else { panic!("two channels") };
    let hub = format!("urn:tsunagu:hub:{}", town.context().vault.hub_id());

    let (leg, delivery) = cast.send_nursery(&town).await;
    let bell = attributes(&next("the first delivery", to_nursery).await);
    assert_eq!((bell["subject"].as_str(), bell["source"].as_str()), (delivery.as_str(), hub.as_str()));
    assert_eq!(bell["type"], "jp.tsunagu.delivery.waiting.v1");

    nursery.open(&delivery, clerk).await.good();
    let bell = attributes(&next("the opening", to_site).await);
    assert_eq!(
        (bell["subject"].as_str(), bell["type"].as_str()),
        (leg.as_str(), "jp.tsunagu.leg.changed.v1")
    );
    nursery.act(&leg, "accept", &json!({"by": clerk})).await.good();
    let answered = attributes(&next("the acceptance", to_site).await);
    assert_ne!(answered["id"], bell["id"], "each change rings by itself");

    let (other, gone) = cast.send_nursery(&town).await;
    assert_eq!(attributes(&next("the second delivery", to_nursery).await)["subject"], gone);
    site.act(&other, "cancel", &json!({"by": writer})).await.good();
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let bell = attributes(&next("the cancellation", to_nursery).await);
        kinds.push((bell["type"].clone(), bell["subject"].clone()));
    }
    kinds.sort();
    let expected = [("jp.tsunagu.delivery.recalled.v1", &gone), ("jp.tsunagu.leg.changed.v1", &other)];
    assert_eq!(kinds, expected.map(|(kind, subject)| (kind.to_owned(), subject.clone())));
    ending::holds(&town, &cast.everybody()).await;
    drop(channels);
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn embedded_mail_lies_in_the_folder_with_nothing_in_it() {
    mailed(Engine::Embedded, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clustered_mail_reaches_the_mail_server_with_nothing_in_it() {
    let Some(smtp) = Smtp::from_env() else { return };
    mailed(Engine::Clustered, Some(smtp)).await;
}

/// The mails to one address, whole, in the order of their sending; each was sent to this address alone.
fn mails(folder: &PathBuf, address: &str) -> Vec<Mail> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "eml"));
    files.sort_by_key(|file| file.metadata().unwrap().modified().unwrap());
    let read = |file: &PathBuf| {
        let mail = Mail::parse(&std::fs::read(file).unwrap());
        if mail.all("to") != [address] {
            return None;
        }
        if let Ok(envelope) = std::fs::read_to_string(file.with_extension("json")) {
            let envelope: Value = serde_json::from_str(&envelope).unwrap();
            assert_eq!((&envelope["to"], &envelope["tls"]), (&json!([address]), &json!(true)));
        }
        Some(mail)
    };
    files.iter().filter_map(read).collect()
}

/// One mail of the hour, one for the duty desk, each to one address and without anything of a family.
async fn mailed(engine: Engine, smtp: Option<Smtp>) {
    let to_server = |config: &mut Config| {
        let Some(smtp) = &smtp else { return };
        let mail = &mut config.mail;
        (mail.transport, mail.smtp_tls) = (MailTransport::Smtp, SmtpTls::StartTls);
        (mail.smtp_host, mail.smtp_port) = (smtp.host.clone(), smtp.port);
        mail.ca_file = smtp.ca.clone();
    };
    // The hour that the mail waits for is in the past of a database, and comes when an embedded hub's clock moves.
    let yesterday = Clock::System.now() - SignedDuration::from_hours(30);
    let Some(mut town) = Town::with(engine, Clock::fixed(yesterday), to_server).await else { return };
    let folder = smtp.as_ref().map_or_else(|| town.data().join("mail"), |smtp| smtp.mail.clone());
    let cast = Cast::of(&town).await;
    let Cast { writer, nursery, .. } = &cast;
    let centre = town.agency(AgencyKind::FamilyCentre).await;
    let name = unique_name();
    let (ordinary, urgent) =
        (format!("mado-{name}@city.example.jp"), format!("tochoku-{name}@city.example.jp"));
    let every_day = json!({"address": ordinary, "gather_hours": [9]});
    nursery.put("/v1/subscriptions/mail", &every_day).await.good();
    centre.put("/v1/subscriptions/mail", &json!({"address": urgent, "duty_desk": true})).await.good();

    let (_, delivery) = cast.send_nursery(&town).await;
    let head = nursery.hire("agency_staff").await;
    let notice = Sent::read(&nursery.submit(&town.notice(&head, &centre)).await.value());
    let url = town.config.ledger.url.expose().to_owned();
    ending::everybody_is_told(&url).await;
    town.advance(Duration::from_secs(24 * 3600));
    let arrived = async |address: &str| {
        for _ in 0..200 {
            if let Some(mail) = mails(&folder, address).pop() {
                return mail;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no mail to {address}");
    };
    let (gathered, at_once) = (arrived(&ordinary).await, arrived(&urgent).await);
    assert_eq!(gathered.all("subject"), ["【つなぐ】新着のお知らせ"]);
    assert_eq!(at_once.all("subject"), ["【至急】受理をお願いします"]);
    let jobs = ending::column(&url, "SELECT id FROM job WHERE kind LIKE 'mail%' ORDER BY kind").await;
    let domain = town.config.mail.domain().to_owned();
    for (mail, delivery, job) in [(&gathered, &delivery, &jobs[0]), (&at_once, &notice.legs[0].1, &jobs[1])] {
        assert_eq!(
            mail.all("message-id"),
            [format!("<{job}@{domain}>")],
            "the job's, however often it is sent"
        );
        let reference = delivery.parse::<DeliveryId>().unwrap().reference();
        assert!(mail.body.contains(&reference) && mail.body.contains(&town.url("")), "{}", mail.body);
        let whole = format!("{:?} {}", mail.headers, mail.body);
        for hidden in
            ["山辺", "澪", "湊", "045-000-0000", "短時間", "あざ", "SHOKAI", "TSUKOKU", delivery, writer]
        {
            assert!(!whole.contains(hidden), "{hidden} in {whole}");
        }
        for agency in [&cast.site, nursery, &centre] {
            assert!(!whole.contains(&agency.id), "{whole}");
        }
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!((mails(&folder, &ordinary).len(), mails(&folder, &urgent).len()), (1, 1), "once is enough");
    let mut everybody = cast.everybody();
    everybody.push(centre);
    ending::holds(&town, &everybody).await;
    town.stop().await;
}
