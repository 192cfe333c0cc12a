//! Mail: gathered by the hour, at once for a duty desk, and never with anything in it.

use super::*;
use crate::{domain::doorbell::DoorbellKind, ledger::job::JobKind};

const DESK: &str = "madoguchi@city.example.jp";

impl Told {
    /// An agency that wants mail at 9, 13 and 16; the town's day begins at ten.
    async fn mailed(&self, kind: AgencyKind, wish: Value) -> (Caller, StaffId) {
        let party = self.town.party(kind, StaffRole::AgencyStaff).await;
        let mut document = wish;
        document["address"] = json!(DESK);
        set_mail(&self.town.hub, &party.0, &document).await.unwrap();
        party
    }
}

#[tokio::test]
async fn five_referrals_of_one_morning_are_one_mail_at_one_oclock() {
    let told = Told::new().await;
    let (nursery, _) = told.mailed(AgencyKind::Nursery, json!({})).await;
    for _ in 0..5 {
        told.introduce(&nursery).await;
        told.drain().await;
        told.wait(Duration::from_secs(60));
    }
    assert!(told.mails().is_empty(), "it is not yet one o'clock");
    told.wait(3 * HOUR);
    told.drain().await;
    let mails = told.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].subject(), "【つなぐ】新着のお知らせ");
    assert!(mails[0].text.contains("5 件あります"), "{}", mails[0].text);
    assert!(!mails[0].text.contains("照会番号"), "{}", mails[0].text);
    told.wait(24 * HOUR);
    told.drain().await;
    assert_eq!(told.mails().len(), 1, "once is enough");
}

#[tokio::test]
async fn a_mail_says_nothing_but_where_to_look() {
    let told = Told::new().await;
    let (nursery, clerk) = told.mailed(AgencyKind::Nursery, json!({"language": "en"})).await;
    let (delivery, leg) = told.introduce(&nursery).await;
    told.drain().await;
    told.wait(4 * HOUR);
    told.drain().await;
    let mail = told.mails().remove(0);
    assert_eq!(mail.raw.matches("To: ").count(), 1);
    assert!(mail.raw.contains(&format!("To: {DESK}")), "{}", mail.raw);
    let reference = delivery.parse::<DeliveryId>().unwrap().reference();
    assert!(mail.text.contains(&reference), "a single one can be named: {}", mail.text);
    assert!(mail.text.contains(&told.town.hub.settings.public_url));
    let job = told.town.hub.ledger.jobs_about(&nursery.id().to_string()).await.unwrap().remove(0);
    assert!(mail.raw.contains(&format!("Message-ID: <{}@", job.id)), "{}", mail.raw);
    let ids = [nursery.id().to_string(), told.town.site.id().to_string(), clerk.to_string(), delivery, leg];
    let secrets = ["山辺", "澪", "045-000-0000", "短時間", "SHOKAI", "141011"];
    for secret in ids.iter().map(String::as_str).chain(secrets) {
        assert!(!mail.raw.contains(secret) && !mail.text.contains(secret), "{secret} in {mail:?}");
    }
    for name in [&nursery.agency.name, &told.town.site.agency.name] {
        assert!(!mail.text.contains(name.as_str()), "{name}");
    }
}

#[tokio::test]
async fn what_was_read_before_the_hour_is_not_mailed() {
    let told = Told::new().await;
    let (nursery, clerk) = told.mailed(AgencyKind::Nursery, json!({})).await;
    let (delivery, _) = told.introduce(&nursery).await;
    told.drain().await;
    told.town.open(&nursery, clerk, &delivery).await.unwrap();
    told.wait(4 * HOUR);
    told.drain().await;
    assert!(told.mails().is_empty());
    assert_eq!(told.stands(&nursery.id().to_string()).await, done("not_waiting"));
}

#[tokio::test]
async fn an_urgent_leg_rings_a_duty_desk_at_once_under_the_urgent_subject() {
    let told = Told::new().await;
    let (centre, desk) = told.mailed(AgencyKind::FamilyCentre, json!({"duty_desk": true})).await;
    let (nursery, head) = told.nursery().await;
    let mut document = super::super::noticed::notice(head, &centre);
    // A notice is urgent whatever its sender wrote.
    document["urgency"] = json!("U1");
    let answer = told.town.submit_as(&nursery, "n", document).await.unwrap();
    told.drain().await;
    let mail = told.mails().remove(0);
    assert_eq!(mail.subject(), "【至急】受理をお願いします");
    let delivery = id(&answer, "/legs/0/delivery");
    assert!(mail.text.contains(&delivery.parse::<DeliveryId>().unwrap().reference()));
    assert!(!mail.text.contains("湊") && !mail.raw.contains(&delivery), "{mail:?}");

    // The answers that follow ring nobody up.
    told.town.open(&centre, desk, &delivery).await.unwrap();
    told.drain().await;
    told.wait(24 * HOUR);
    told.drain().await;
    assert_eq!(told.mails().len(), 1);
}

#[tokio::test]
async fn an_urgent_leg_waits_for_the_hour_where_there_is_no_duty_desk_and_so_does_another_at_a_duty_desk() {
    let told = Told::new().await;
    let (plain, _) = told.mailed(AgencyKind::FamilyCentre, json!({})).await;
    let (desk, _) = told.mailed(AgencyKind::Nursery, json!({"duty_desk": true})).await;
    let (nursery, head) = told.nursery().await;
    told.town.submit_as(&nursery, "n", super::super::noticed::notice(head, &plain)).await.unwrap();
    told.introduce(&desk).await;
    told.drain().await;
    assert!(told.mails().is_empty());
    told.wait(4 * HOUR);
    told.drain().await;
    let subjects: Vec<_> = told.mails().iter().map(Mail::subject).collect();
    assert_eq!(subjects, ["【つなぐ】新着のお知らせ"; 2]);
}

#[tokio::test]
async fn a_broker_that_is_away_costs_no_second_mail() {
    let told = Told::new().await;
    let (nursery, _) = told.mailed(AgencyKind::Nursery, json!({})).await;
    set_amqp(&told.town.hub, &nursery, &json!({"mode": "doorbell"})).await.unwrap();
    told.drain().await;
    let (delivery, _) = told.introduce(&nursery).await;
    for _ in 0..12 {
        told.will([Outcome::Failed(Reason::NotConnected)]);
        told.drain().await;
        told.wait(HOUR);
    }
    assert_eq!(told.mails().len(), 1, "the hours went by, and one mail said it");
    told.script.script().outcomes.clear();
    told.wait(6 * HOUR);
    told.drain().await;
    assert_eq!(doorbells(&told.script.heard()), [(DoorbellKind::DeliveryWaiting, delivery)]);
}

#[tokio::test]
async fn a_mail_that_is_not_taken_is_sent_again_under_its_id() {
    let told = Told::new().await;
    let (nursery, _) = told.mailed(AgencyKind::Nursery, json!({})).await;
    told.introduce(&nursery).await;
    told.drain().await;
    told.wait(4 * HOUR);
    // The folder is away for a while.
    let (folder, aside) = (told.mails.path().to_owned(), told.mails.path().with_extension("aside"));
    std::fs::rename(&folder, &aside).unwrap();
    assert_eq!(told.drain().await.later, 1);
    let job = told.job(&nursery.id().to_string()).await;
    assert_eq!((job.kind, job.state), (JobKind::Mail, JobState::Ready));
    assert_eq!(job.reason.as_deref(), Some("mail_failed"));
    std::fs::rename(&aside, &folder).unwrap();
    told.wait(Duration::from_secs(40));
    assert_eq!(told.drain().await.claimed, 0, "a minute × 0.8 has not passed");
    told.wait(Duration::from_secs(40));
    assert_eq!(told.drain().await.done, 1);
    let mail = told.mails().remove(0);
    assert!(mail.raw.contains(&format!("Message-ID: <{}@", job.id)));
}

#[tokio::test]
async fn an_agency_that_ended_its_subscription_gets_no_more_mail() {
    let told = Told::new().await;
    let (nursery, _) = told.mailed(AgencyKind::Nursery, json!({})).await;
    told.introduce(&nursery).await;
    told.drain().await;
    crate::usecases::subscribe::end(&told.town.hub, &nursery, crate::ledger::subscription::Channel::Mail)
        .await
        .unwrap();
    told.wait(4 * HOUR);
    told.drain().await;
    assert!(told.mails().is_empty());
    assert_eq!(told.stands(&nursery.id().to_string()).await, done("no_channel"));
}
