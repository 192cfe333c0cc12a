use serde_json::json;

use super::*;
use crate::{
    domain::agency::AgencyKind,
    usecases::testing::{self, TestHub},
};

const X25519: &str = "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo";
const ADDRESS: &str = "madoguchi@city.example.jp";

fn jwk() -> Value {
    json!({ "kty": "OKP", "crv": "X25519", "x": X25519, "kid": "agency-1" })
}

async fn clustered() -> (TestHub, Caller) {
    let hub = testing::hub_with(Broker::Amqp).await;
    let caller = hub.agency(AgencyKind::Npo).await;
    (hub, caller)
}

async fn shown(hub: &TestHub, caller: &Caller) -> Value {
    serde_json::from_str(&list(hub, caller).await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_wish_is_set_changed_and_ended_however_often_it_is_said() {
    let (hub, caller) = clustered().await;
    assert_eq!(shown(&hub, &caller).await, json!({ "amqp": null, "mail": null }));
    assert_eq!(open_amqp(&hub, caller.id()).await.unwrap(), None);
    assert_eq!(open_mail(&hub, caller.id()).await.unwrap(), None);
    end(&hub, &caller, Channel::Amqp).await.unwrap();

    let doorbell = json!({ "mode": "doorbell" });
    let answer = set_amqp(&hub, &caller, &doorbell).await.unwrap();
    assert_eq!(answer, set_amqp(&hub, &caller, &doorbell).await.unwrap());
    assert_eq!(open_amqp(&hub, caller.id()).await.unwrap(), Some(AmqpWish::Doorbell));
    set_amqp(&hub, &caller, &json!({ "mode": "sealed", "jwk": jwk() })).await.unwrap();
    let key = RecipientKey::parse(&jwk()).unwrap();
    let sealed = AmqpWish::Sealed { key, kid: "agency-1".to_owned() };
    assert_eq!(open_amqp(&hub, caller.id()).await.unwrap(), Some(sealed));
    let view = shown(&hub, &caller).await;
    assert_eq!(view["amqp"]["queue"], format!("sealed.{}.v1", caller.id()));
    assert_eq!(view["amqp"]["changed_at"], "2026-11-22T10:00:00+09:00");

    end(&hub, &caller, Channel::Amqp).await.unwrap();
    end(&hub, &caller, Channel::Amqp).await.unwrap();
    assert_eq!(shown(&hub, &caller).await["amqp"], Value::Null);
}

#[tokio::test]
async fn a_mail_wish_has_defaults_and_is_nobody_elses() {
    let (hub, caller) = clustered().await;
    let other = hub.agency(AgencyKind::Npo).await;
    set_mail(&hub, &caller, &json!({ "address": ADDRESS })).await.unwrap();
    let wish = open_mail(&hub, caller.id()).await.unwrap().unwrap();
    assert_eq!((wish.language, wish.duty_desk), (Language::Japanese, false));
    assert_eq!((wish.address.as_str(), wish.gather_hours.hours()), (ADDRESS, &[9, 13, 16][..]));

    let document =
        json!({ "address": ADDRESS, "language": "en", "gather_hours": [17, 8], "duty_desk": true });
    set_mail(&hub, &caller, &document).await.unwrap();
    let view = shown(&hub, &caller).await;
    assert_eq!(view["mail"]["gather_hours"], json!([8, 17]));
    assert_eq!(view["mail"]["language"], "en");
    let row = &hub.ledger.subscriptions(caller.scope()).await.unwrap()[0];
    assert_eq!((row.mode, row.version), (ChannelMode::DutyDesk, 2));
    assert!(!row.settings.windows(9).any(|bytes| bytes == b"madoguchi"), "sealed");

    assert_eq!(shown(&hub, &other).await["mail"], Value::Null);
    assert_eq!(open_mail(&hub, other.id()).await.unwrap(), None);
}

#[tokio::test]
async fn settings_moved_to_another_agency_or_channel_do_not_open() {
    let (hub, caller) = clustered().await;
    let other = hub.agency(AgencyKind::Npo).await;
    set_mail(&hub, &caller, &json!({ "address": ADDRESS })).await.unwrap();
    let row = hub.ledger.subscriptions(caller.scope()).await.unwrap().remove(0);
    for moved in [
        SubscriptionRow { agency: other.id(), ..row.clone() },
        SubscriptionRow { channel: Channel::Amqp, ..row.clone() },
    ] {
        let agency = moved.agency;
        let steps = vec![Step::PutSubscription(PutSubscription(moved))];
        hub.ledger.write(Write { steps, ..Write::default() }).await.unwrap();
        assert!(open_amqp(&hub, agency).await.is_err());
    }
}

#[tokio::test]
async fn a_hub_without_a_broker_says_so() {
    let hub = testing::hub().await;
    let caller = hub.agency(AgencyKind::Npo).await;
    let problem = set_amqp(&hub, &caller, &json!({ "mode": "doorbell" })).await.unwrap_err();
    assert_eq!(problem.kind, ProblemKind::ChannelUnavailable);
    assert!(problem.detail.unwrap().en().contains("amqp"));
}

#[tokio::test]
async fn keys_that_cannot_be_used_are_refused_for_their_reason() {
    let (hub, caller) = clustered().await;
    let zero = json!({ "kty": "OKP", "crv": "X25519", "x": "A".repeat(43) });
    let mut other_alg = jwk();
    other_alg["alg"] = json!("ECDH-ES+A256KW");
    for (document, code, says) in [
        (json!({ "mode": "sealed", "jwk": zero }), "jwk", "low order"),
        (json!({ "mode": "sealed", "jwk": other_alg }), "jwk", "ECDH-ES"),
        (json!({ "mode": "doorbell", "jwk": jwk() }), "unused", "leave it out"),
    ] {
        let problem = set_amqp(&hub, &caller, &document).await.unwrap_err();
        let fault = &problem.errors[0];
        assert_eq!((fault.pointer.to_string().as_str(), fault.code), ("/jwk", code));
        assert!(fault.message.en().contains(says), "{}", fault.message.en());
    }
    assert_eq!(open_amqp(&hub, caller.id()).await.unwrap(), None);
}

#[tokio::test]
async fn a_key_without_a_name_is_named_by_its_thumbprint() {
    let (hub, caller) = clustered().await;
    let mut nameless = jwk();
    nameless.as_object_mut().unwrap().remove("kid");
    set_amqp(&hub, &caller, &json!({ "mode": "sealed", "jwk": nameless })).await.unwrap();
    let Some(AmqpWish::Sealed { key, kid }) = open_amqp(&hub, caller.id()).await.unwrap() else {
        panic!("sealed")
    };
    assert_eq!((kid.len(), kid), (43, key.thumbprint()));
}

#[tokio::test]
async fn every_fault_of_a_mail_wish_is_told_without_the_address() {
    let hub = testing::hub().await;
    let caller = hub.agency(AgencyKind::Npo).await;
    let wrong = json!({ "address": "himitsu@nodot", "gather_hours": [] });
    let problem = set_mail(&hub, &caller, &wrong).await.unwrap_err();
    let pointers: Vec<_> = problem.errors.iter().map(|fault| fault.pointer.to_string()).collect();
    assert_eq!(pointers, ["/address", "/gather_hours"]);
    let told = format!("{problem:?} {}", serde_json::to_string(&problem).unwrap());
    assert!(!told.contains("himitsu"), "{told}");
    let late = json!({ "address": ADDRESS, "gather_hours": [24] });
    assert!(set_mail(&hub, &caller, &late).await.is_err());
    assert_eq!(shown(&hub, &caller).await["mail"], Value::Null);
}
