//! Directory, staff and subscriptions as an agency's system meets them: over HTTP.

use actix_web::{
    App,
    http::Method,
    test::{TestRequest, call_service, init_service, read_body},
    web::{self, Data, ServiceConfig},
};
use serde_json::{Value, json};

use super::{directory, staff, subscription};
use crate::{
    domain::{agency::AgencyKind, staff::StaffRole},
    usecases::{
        Broker, Caller,
        import::import,
        schema::Schema,
        testing::{self, TestHub},
    },
};

fn routes(app: &mut ServiceConfig) {
    app.route("/v1/agencies", web::get().to(directory::agencies))
        .route("/v1/agencies/{id}", web::get().to(directory::agency))
        .route("/v1/services", web::get().to(directory::services))
        .route("/v1/services/{id}", web::get().to(directory::service))
        .route("/v1/staff", web::post().to(staff::register))
        .route("/v1/staff", web::get().to(staff::list))
        .route("/v1/subscriptions", web::get().to(subscription::list))
        .route("/v1/subscriptions/amqp", web::put().to(subscription::amqp))
        .route("/v1/subscriptions/amqp", web::delete().to(subscription::end_amqp))
        .route("/v1/subscriptions/mail", web::put().to(subscription::mail))
        .route("/v1/subscriptions/mail", web::delete().to(subscription::end_mail));
}

/// What came back: the status, a header that matters here, and the document.
struct Got {
    status: u16,
    replayed: bool,
    body: Value,
}

/// One request of an agency's system, or of nobody.
async fn ask(
    hub: &TestHub,
    caller: Option<&Caller>,
    method: &str,
    path: &str,
    body: Option<(&str, Value)>,
) -> Got {
    let app = init_service(App::new().app_data(Data::from(hub.shared())).configure(routes)).await;
    let mut request = TestRequest::with_uri(path).method(Method::from_bytes(method.as_bytes()).unwrap());
    if let Some(caller) = caller {
        request = request.insert_header(("Authorization", format!("Bearer {}", hub.token(caller))));
    }
    if let Some((key, body)) = body {
        request = request.set_json(body);
        if !key.is_empty() {
            request = request.insert_header(("Idempotency-Key", key));
        }
    }
    let response = call_service(&app, request.to_request()).await;
    let (status, replayed) =
        (response.status().as_u16(), response.headers().contains_key("idempotency-replayed"));
    let body = serde_json::from_slice(&read_body(response).await).unwrap_or(Value::Null);
    if status >= 400 {
        assert_eq!(Schema::Problem.check(&body), Ok(()), "{body}");
    }
    Got { status, replayed, body }
}

#[actix_web::test]
async fn the_directory_is_read_by_ward_kind_and_age() {
    let hub = testing::hub().await;
    let caller = hub.agency(AgencyKind::UserSupportWard).await;
    import(&hub, &testing::yokohama_sheets(), |_, _| {}).await.unwrap();
    let get = async |path: &str| ask(&hub, Some(&caller), "GET", path, None).await;
    let got = get("/v1/services?ward=14101&kind=nursery&age=1&limit=3").await;
    assert_eq!((got.status, got.body["items"].as_array().unwrap().len()), (200, 3));
    let next = got.body["next"].as_str().unwrap();
    let more = get(&format!("/v1/services?ward=14101&kind=nursery&age=1&limit=3&after={next}")).await;
    assert_ne!(more.body["items"][0]["id"], got.body["items"][0]["id"]);
    let id = got.body["items"][0]["id"].as_str().unwrap();
    assert_eq!(get(&format!("/v1/services/{id}")).await.body, got.body["items"][0]);
    assert_eq!(
        get("/v1/agencies?kind=riyosha_shien_tokutei").await.body["items"][0]["id"],
        json!(caller.id())
    );
    assert_eq!(get(&format!("/v1/agencies/{}", caller.id())).await.status, 200);
}

#[actix_web::test]
async fn what_is_asked_wrongly_is_told_by_the_parameter() {
    let hub = testing::hub().await;
    let caller = hub.agency(AgencyKind::Npo).await;
    for (path, names) in [
        ("/v1/services?ward=1410", "ward"),
        ("/v1/services?ward=141012", "ward"),
        ("/v1/services?kind=hoikusho", "kind"),
        ("/v1/services?age=6", "age"),
        ("/v1/services?age=", "age"),
        ("/v1/services?limit=201", "limit"),
        ("/v1/services?after=x", "after"),
        ("/v1/services?wards=14101", "ward, kind, age, after, limit"),
        ("/v1/agencies?kind=nursery", "kind"),
        ("/v1/staff?limit=0", "limit"),
    ] {
        let got = ask(&hub, Some(&caller), "GET", path, None).await;
        assert_eq!((got.status, &got.body["type"]), (400, &json!("urn:tsunagu:problem:bad-query")), "{path}");
        assert!(got.body["detail_en"].as_str().unwrap().contains(names), "{path}: {}", got.body);
    }
    let nowhere = uuid::Uuid::nil();
    for (path, status) in [("/v1/services/x".to_owned(), 400), (format!("/v1/agencies/{nowhere}"), 404)] {
        assert_eq!(ask(&hub, Some(&caller), "GET", &path, None).await.status, status, "{path}");
    }
}

#[actix_web::test]
async fn staff_is_registered_under_a_key_and_seen_by_nobody_else() {
    let hub = testing::hub().await;
    let (caller, other) = (hub.agency(AgencyKind::Npo).await, hub.agency(AgencyKind::Npo).await);
    hub.staff(&other, StaffRole::DutyDesk).await;
    let new = json!({ "name": "綾瀬 みどり", "role": "coordinator" });
    let post =
        async |key: &str, body: Value| ask(&hub, Some(&caller), "POST", "/v1/staff", Some((key, body))).await;
    let first = post("k-1", new.clone()).await;
    let again = post("k-1", new.clone()).await;
    assert_eq!((first.status, first.replayed), (201, false));
    assert_eq!((again.status, again.replayed, &again.body), (201, true, &first.body));
    for (key, body, status, slug) in [
        ("", new.clone(), 400, "idempotency-key-missing"),
        ("k-1", json!({ "name": "別人", "role": "coordinator" }), 422, "idempotency-key-reused"),
        ("k-2", json!({ "name": "綾瀬 みどり", "role": "boss" }), 422, "schema-violation"),
        ("k-3", json!({ "name": "綾瀬\u{200D}みどり", "role": "assistant" }), 422, "schema-violation"),
    ] {
        let got = post(key, body).await;
        assert_eq!(
            (got.status, got.body["type"].as_str().unwrap().ends_with(slug)),
            (status, true),
            "{}",
            got.body
        );
        assert!(!got.body.to_string().contains("綾瀬"), "{}", got.body);
    }
    let list = ask(&hub, Some(&caller), "GET", "/v1/staff", None).await.body;
    assert_eq!((list["items"].as_array().unwrap().len(), &list["items"][0]["name"]), (1, &new["name"]));
}

#[actix_web::test]
async fn subscriptions_are_put_shown_and_deleted() {
    let hub = testing::hub_with(Broker::Amqp).await;
    let caller = hub.agency(AgencyKind::Npo).await;
    let say = async |method: &str, channel: &str, body: Option<Value>| {
        let path = format!("/v1/subscriptions{channel}");
        ask(&hub, Some(&caller), method, &path, body.map(|body| ("", body))).await
    };
    let mail = json!({ "address": "madoguchi@city.example.jp", "gather_hours": [9] });
    assert_eq!(say("PUT", "/mail", Some(mail)).await.status, 200);
    assert_eq!(say("PUT", "/amqp", Some(json!({ "mode": "doorbell" }))).await.status, 200);
    let shown = say("GET", "", None).await.body;
    assert_eq!((&shown["mail"]["gather_hours"], &shown["amqp"]["mode"]), (&json!([9]), &json!("doorbell")));
    assert_eq!(say("PUT", "/amqp", Some(json!({ "mode": "sealed" }))).await.status, 422);
    for _ in 0..2 {
        assert_eq!(say("DELETE", "/mail", None).await.status, 204);
    }
    assert_eq!(say("GET", "", None).await.body["mail"], Value::Null);
}

#[actix_web::test]
async fn an_embedded_hub_answers_amqp_with_what_to_use_instead() {
    let hub = testing::hub().await;
    let caller = hub.agency(AgencyKind::Npo).await;
    let body = Some(("", json!({ "mode": "doorbell" })));
    let got = ask(&hub, Some(&caller), "PUT", "/v1/subscriptions/amqp", body).await;
    assert_eq!((got.status, &got.body["type"]), (409, &json!("urn:tsunagu:problem:channel-unavailable")));
    assert!(got.body["mend_en"].as_str().unwrap().contains("e-mail"));
}

#[actix_web::test]
async fn nobody_reads_or_changes_anything_without_a_token() {
    let hub = testing::hub().await;
    let mail = json!({ "address": "madoguchi@city.example.jp" });
    for (method, path, body) in [
        ("GET", "/v1/agencies", None),
        ("GET", "/v1/services?limit=x", None),
        ("GET", "/v1/staff", None),
        ("POST", "/v1/staff", Some(("k", json!({})))),
        ("GET", "/v1/subscriptions", None),
        ("PUT", "/v1/subscriptions/mail", Some(("", mail))),
        ("DELETE", "/v1/subscriptions/mail", None),
    ] {
        assert_eq!(ask(&hub, None, method, path, body).await.status, 401, "{method} {path}");
    }
}
