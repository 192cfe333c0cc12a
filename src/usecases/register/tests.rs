use serde_json::json;

use super::*;
use crate::usecases::{
    authenticate,
    testing::{self, TSURUMI, TestHub, command},
};

const NAME: &str = "葛󠄀城 はるか";

fn npo() -> NewAgency {
    NewAgency {
        kind: AgencyKind::Npo,
        name: "NPO法人 試験ひろば".to_owned(),
        municipality: TSURUMI.parse().unwrap(),
        corporate_number: None,
        body: None,
        contractor_of: None,
    }
}

async fn register(hub: &TestHub, caller: &Caller, key: &str, document: Value) -> Result<Answer, Problem> {
    register_staff(hub, caller, &command(key, "POST /v1/staff", document)).await
}

fn pointers(problem: &Problem) -> Vec<String> {
    problem.errors.iter().map(|fault| fault.pointer.to_string()).collect()
}

#[tokio::test]
async fn a_new_agency_signs_in_with_its_secret_and_with_no_other() {
    let hub = testing::hub().await;
    let (id, secret) = add_agency(&hub, npo()).await.unwrap();
    let (other, others_secret) = add_agency(&hub, npo()).await.unwrap();
    let token = |id: AgencyId, secret: String| {
        let hub = hub.shared();
        async move { authenticate::token(&hub, &id.to_string(), &secret).await }
    };
    assert!(token(id, secret.reveal().to_owned()).await.is_ok());
    assert!(token(id, others_secret.reveal().to_owned()).await.is_err());
    let new = rotate_secret(&hub, id).await.unwrap();
    assert!(token(id, secret.reveal().to_owned()).await.is_err(), "the old secret is void");
    assert!(token(id, new.reveal().to_owned()).await.is_ok());
    assert!(token(other, others_secret.reveal().to_owned()).await.is_ok());
    let missing = rotate_secret(&hub, AgencyId::new(uuid::Uuid::nil())).await.err().unwrap();
    assert_eq!(missing.kind, ProblemKind::NotFound);
}

#[tokio::test]
async fn an_agencys_data_key_opens_again_after_it_was_stored() {
    let hub = testing::hub().await;
    let caller = hub.agency(AgencyKind::Npo).await;
    let slot = Slot { table: "x", owner: caller.id(), object: caller.id().uuid(), part: "y", seq: 1 };
    let sealed =
        data_key(&hub, caller.agency.data_key, caller.id()).await.unwrap().seal(&slot, b"text").unwrap();
    assert_eq!(
        data_key(&hub, caller.agency.data_key, caller.id()).await.unwrap().open(&slot, &sealed).unwrap(),
        b"text"
    );
    let other = hub.agency(AgencyKind::Npo).await;
    assert!(data_key(&hub, other.agency.data_key, other.id()).await.unwrap().open(&slot, &sealed).is_err());
}

#[tokio::test]
async fn an_agency_is_refused_by_the_rules_of_its_answer() {
    let hub = testing::hub().await;
    for (wrong, pointer) in [
        (NewAgency { name: "  ".to_owned(), ..npo() }, "/name"),
        (NewAgency { name: "一行目\n二行目".to_owned(), ..npo() }, "/name"),
        (NewAgency { name: "あ".repeat(201), ..npo() }, "/name"),
        (NewAgency { body: Some(Body::Public), ..npo() }, "/body"),
        (NewAgency { kind: AgencyKind::Nursery, ..npo() }, "/body"),
    ] {
        let problem = add_agency(&hub, wrong.clone()).await.err().unwrap();
        assert_eq!(pointers(&problem), [pointer], "{wrong:?}");
    }
    assert!(hub.ledger.agencies(None, None, 10).await.unwrap().is_empty());
    let nursery = NewAgency { kind: AgencyKind::Nursery, body: Some(Body::Public), ..npo() };
    let (id, _) = add_agency(&hub, nursery).await.unwrap();
    assert_eq!(hub.caller(id).await.agency.body, Body::Public);
}

#[tokio::test]
async fn staff_is_registered_once_per_key_and_listed_by_its_own_agency_alone() {
    let hub = testing::hub().await;
    let (caller, other) = (hub.agency(AgencyKind::Nursery).await, hub.agency(AgencyKind::Npo).await);
    let document = json!({ "name": NAME, "kana": "かつらぎ はるか", "role": "coordinator" });
    let first = register(&hub, &caller, "k1", document.clone()).await.unwrap();
    let again = register(&hub, &caller, "k1", document.clone()).await.unwrap();
    assert_eq!((first.text.as_str(), first.replayed, again.replayed), (again.text.as_str(), false, true));
    let reused = register(&hub, &caller, "k1", json!({ "name": "別人", "role": "coordinator" })).await;
    assert_eq!(reused.err().unwrap().kind, ProblemKind::KeyReused);
    register(&hub, &other, "k1", json!({ "name": "別の機関の職員", "role": "duty_desk" })).await.unwrap();

    let list = staff_list(&hub, &caller, None, Limit::default()).await.unwrap();
    let list: Value = serde_json::from_str(&list).unwrap();
    let id: Value = serde_json::from_str(&first.text).unwrap();
    assert_eq!(
        list,
        json!({ "items": [{
            "id": id["id"], "role": "coordinator", "active": true, "name": NAME, "kana": "かつらぎ はるか",
            "created_at": "2026-11-22T10:00:00+09:00",
        }] })
    );
    let row = &hub.ledger.staff_list(caller.scope(), None, 10).await.unwrap()[0];
    assert!(!row.name.windows(3).any(|bytes| NAME.as_bytes().windows(3).any(|name| name == bytes)), "sealed");
}

#[tokio::test]
async fn staff_is_listed_page_by_page() {
    let hub = testing::hub().await;
    let caller = hub.agency(AgencyKind::Npo).await;
    for _ in 0..3 {
        hub.staff(&caller, StaffRole::AgencyStaff).await;
    }
    let limit: Limit = "2".parse().unwrap();
    let read = async |after| {
        let text = staff_list(&hub, &caller, after, limit).await.unwrap();
        let page: Value = serde_json::from_str(&text).unwrap();
        let next = page["next"].as_str().map(|next| next.parse::<StaffId>().unwrap());
        (page["items"].as_array().unwrap().len(), next)
    };
    let (shown, next) = read(None).await;
    assert_eq!((shown, next.is_some()), (2, true));
    assert_eq!(read(next).await, (1, None));
}

#[tokio::test]
async fn a_refused_name_is_told_by_its_place_and_never_by_its_text() {
    let hub = testing::hub().await;
    let caller = hub.agency(AgencyKind::Npo).await;
    let document = json!({ "name": "秘密\u{200D}子", "kana": "\u{3000}", "role": "assistant" });
    let problem = register(&hub, &caller, "k1", document).await.err().unwrap();
    assert_eq!(pointers(&problem), ["/name", "/kana"]);
    assert!(problem.errors[0].message.ja().starts_with("3文字目"));
    let told = format!("{problem:?} {}", serde_json::to_string(&problem).unwrap());
    assert!(!told.contains("秘密"), "{told}");
    assert!(hub.ledger.staff_list(caller.scope(), None, 10).await.unwrap().is_empty());
}
