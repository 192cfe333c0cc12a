//! A story with everything in it: introductions, a notice, questions, answers, refusals, a withdrawal, and requests
//! that fail in every way a request can fail, each with canaries in it.

use reqwest::{RequestBuilder, header::HeaderValue};
use serde_json::{Value, json};
use tsunagu::clock::Clock;

use super::{
    cases, papers,
    stage::{Stage, sealing_key},
    support::town::{Agency, Engine, form_paper, fresh_key},
    words::{REGISTERED, ascii, name},
};

/// The members of staff, by agency and role.
struct Staff {
    writer: String,
    approver: String,
    officer: String,
    clerk: String,
    worker: String,
    desk: String,
    boss: String,
}

impl Staff {
    async fn hire(stage: &Stage) -> Self {
        let hire = async |agency: &Agency, role: &str| {
            agency.post("/v1/staff", &papers::staff(role)).await.at("/id")
        };
        Self {
            writer: hire(&stage.site, "coordinator").await,
            approver: hire(&stage.site, "supervisor").await,
            officer: hire(&stage.site, "privacy_officer").await,
            clerk: hire(&stage.nursery, "agency_staff").await,
            worker: hire(&stage.centre, "agency_staff").await,
            desk: hire(&stage.centre, "duty_desk").await,
            boss: hire(&stage.centre, "supervisor").await,
        }
    }
}

pub async fn play(stage: &Stage) {
    let staff = Staff::hire(stage).await;
    subscribe(stage).await;
    let consent = record_consent(stage, &staff).await;
    introduce(stage, &staff, &consent).await;
    give_notice(stage, &staff).await;
    keep_a_council(stage, &staff).await;
    cases::keep(stage, &staff.writer).await;
    refuse(stage, &staff, &consent).await;
    withdraw(stage, &staff).await;
    rehearse(stage, &staff).await;
    recall(stage, &staff, &consent).await;
    keep(stage, &staff, &consent).await;
    let sent = show_the_family(stage, &staff, &consent).await;
    disclose(stage, &staff, &sent).await;
    relate(stage, &staff, &consent).await;
    hand_over(stage, &staff).await;
    fail(stage, &staff, &consent).await;
    read_everything(stage, &staff, &consent).await;
    stage.until_rung().await;
}

async fn subscribe(stage: &Stage) {
    stage.nursery.put("/v1/subscriptions/mail", &papers::mail(false)).await.good();
    stage.centre.put("/v1/subscriptions/mail", &papers::mail(true)).await.good();
    stage.site.put("/v1/subscriptions/mail", &papers::mail(false)).await.good();
    if stage.engine() == Engine::Clustered {
        let sealed = json!({ "mode": "sealed", "jwk": sealing_key() });
        stage.nursery.put("/v1/subscriptions/amqp", &sealed).await.good();
        stage.centre.put("/v1/subscriptions/amqp", &json!({ "mode": "doorbell" })).await.good();
        stage.site.put("/v1/subscriptions/amqp", &json!({ "mode": "doorbell" })).await.good();
    }
}

/// Yesterday, and ninety days from now, in Japan.
fn days() -> (String, String) {
    let today = jiff::tz::Offset::constant(9).to_datetime(Clock::System.now()).date();
    let day = |days: i64| today.checked_add(jiff::Span::new().days(days)).unwrap().to_string();
    (day(-1), day(90))
}

async fn record_consent(stage: &Stage, staff: &Staff) -> String {
    let (first, last) = days();
    let recipients = [stage.nursery.id.as_str(), &stage.centre.id];
    let paper = papers::consent(&staff.writer, &recipients, (&first, &last));
    stage.site.record_consent(&paper).await.at("/id")
}

/// One recipient asks, is answered and declines, the other puts off, accepts and completes.
async fn introduce(stage: &Stage, staff: &Staff, consent: &str) {
    let Stage { site, nursery, centre, .. } = stage;
    let by = (staff.writer.as_str(), staff.approver.as_str());
    let paper = papers::introduction(by, consent, &[&nursery.id, &centre.id]);
    let shown = site.preview(&paper).await.good();
    assert_eq!(shown.header("preference-applied"), Some("dry-run"));
    let key = fresh_key();
    let sent = site.submit_under(&key, &paper).await;
    // The reference is used now: the second look shows what differs, with the values of then and now.
    let mut other = paper.clone();
    other["content"]["narrative"][0]["text"] = json!(name());
    assert!(site.preview(&other).await.good().text().contains("compared_with"));
    assert_eq!(site.submit_under(&key, &paper).await.text(), sent.text(), "sent twice, answered alike");
    // Nobody is told of what was opened before.
    stage.until_rung().await;
    let (first, second) = (sent.at("/legs/0/id"), sent.at("/legs/1/id"));
    let (theirs, ours) = (sent.at("/legs/0/delivery"), sent.at("/legs/1/delivery"));
    nursery.ack(&theirs).await.good();
    nursery.open(&theirs, &staff.clerk).await.good();
    let act = async |agency: &Agency, leg: &str, action: &str, by: &str, more: Value| {
        agency.act(leg, action, &papers::act(by, &more)).await.good();
    };
    let tomorrow = days().1;
    act(nursery, &first, "ask", &staff.clerk, json!({})).await;
    act(site, &first, "reply", &staff.writer, json!({})).await;
    act(site, &first, "note", &staff.approver, json!({})).await;
    act(nursery, &first, "decline", &staff.clerk, json!({"reason": "CAPACITY", "declined_by": "provider"}))
        .await;
    centre.open(&ours, &staff.worker).await.good();
    act(centre, &second, "waitlist", &staff.worker, json!({"review_on": tomorrow})).await;
    act(centre, &second, "accept", &staff.worker, json!({})).await;
    act(centre, &second, "start", &staff.worker, json!({})).await;
    act(centre, &second, "hold", &staff.worker, json!({"reason": "ILLNESS", "review_on": tomorrow})).await;
    act(centre, &second, "resume", &staff.worker, json!({})).await;
    act(centre, &second, "complete", &staff.worker, json!({"outcome": "USE_STARTED"})).await;
}

async fn give_notice(stage: &Stage, staff: &Staff) {
    let Stage { nursery, centre, .. } = stage;
    let sent = nursery.submit(&papers::notice(&staff.clerk, &centre.id)).await;
    let (leg, delivery) = (sent.at("/legs/0/id"), sent.at("/legs/0/delivery"));
    let colleague = nursery.post("/v1/staff", &papers::staff("agency_staff")).await.at("/id");
    let readers = format!("/v1/referrals/{}/readers", sent.at("/id"));
    nursery.post(&readers, &json!({"by": staff.clerk, "seen_by": [colleague]})).await.good();
    assert_eq!(nursery.post(&readers, &json!({"by": colleague, "seen_by": [name()]})).await.code(), 422);
    assert_eq!(nursery.post(&readers, &json!({"by": colleague, "seen_by": [colleague]})).await.code(), 403);
    stage.until_mailed().await;
    centre.open(&delivery, &staff.worker).await.good();
    centre.open(&delivery, &staff.desk).await.good();
    centre.act(&leg, "ask", &papers::act(&staff.desk, &json!({}))).await.good();
    nursery.act(&leg, "reply", &papers::act(&staff.clerk, &json!({}))).await.good();
    centre.act(&leg, "accept", &papers::act(&staff.desk, &json!({}))).await.good();
    centre.act(&leg, "note", &papers::act(&staff.desk, &json!({}))).await.good();
    for reader in [nursery, &nursery.asking_for(&staff.clerk), &nursery.asking_for(&colleague)] {
        for path in ["/v1/legs?side=sender&state=accepted", "/v1/referrals?type=TSUKOKU"] {
            reader.get(path).await.good();
        }
        for path in
            [format!("/v1/legs/{leg}"), format!("/v1/legs/{leg}/receipts"), readers.replace("/readers", "")]
        {
            reader.get(&path).await;
        }
    }
}

/// A council with a case on its register, which is read by its keeper and refused to a member.
async fn keep_a_council(stage: &Stage, staff: &Staff) {
    let Stage { nursery, centre, npo, .. } = stage;
    let (first, last) = days();
    let by = &staff.boss;
    let paper = json!({
        "by": by, "kind": "council", "title": "要対協", "purpose": "情報の交換", "first_day": first,
        "members": [{"agency": npo.id}, {"agency": nursery.id, "last_day": last}],
    });
    let council = format!("/v1/arrangements/{}", centre.post("/v1/arrangements", &paper).await.at("/id"));
    let end = json!({"by": by, "last_day": first});
    centre.post_at(1, &format!("{council}/members/{}/end", nursery.id), &end).await.good();
    let case = json!({"by": by, "case": REGISTERED, "first_day": first});
    let entry = centre.post_at(2, &format!("{council}/cases"), &case).await.at("/entry");
    let twice = centre.post_at(3, &format!("{council}/cases"), &case).await;
    assert_eq!(twice.problem(), "already-there");
    let register = format!("{council}/cases");
    let look = async |agency: &Agency, staff: &str| {
        agency.send(agency.request("GET", &register).await.header("tsunagu-staff", staff)).await
    };
    assert!(look(centre, &staff.boss).await.good().text().contains(REGISTERED));
    assert_eq!(look(npo, &staff.clerk).await.problem(), "forbidden");
    let in_the_path = centre.post_at(3, &format!("{register}/{REGISTERED}/end"), &end).await;
    assert_eq!(in_the_path.problem(), "not-found", "an entry is named by its own id");
    for agency in [centre, npo, nursery] {
        assert!(!agency.get(&council).await.good().text().contains(REGISTERED));
        agency.get("/v1/arrangements").await.good();
    }
    centre.post_at(3, &format!("{register}/{entry}/end"), &json!({"by": by, "last_day": last})).await.good();
    centre.post_at(4, &format!("{council}/end"), &json!({"by": by, "last_day": last})).await.good();
}

/// Disclosures and openings that are not allowed.
async fn refuse(stage: &Stage, staff: &Staff, consent: &str) {
    let Stage { site, nursery, npo, .. } = stage;
    let by = (staff.writer.as_str(), staff.approver.as_str());
    let uncovered = papers::introduction(by, consent, &[&npo.id]);
    assert_eq!(site.submit(&uncovered).await.problem(), "disclosure-refused");
    let mut approved_by_nobody = papers::introduction(by, consent, &[&nursery.id]);
    approved_by_nobody.as_object_mut().unwrap().remove("approved_by");
    assert_eq!(site.submit(&approved_by_nobody).await.problem(), "disclosure-refused");
    let sent = site.submit(&papers::introduction(by, consent, &[&nursery.id])).await;
    let delivery = sent.at("/legs/0/delivery");
    for (agency, named) in [(nursery, &staff.writer), (npo, &staff.clerk), (nursery, &name())] {
        let request = agency.request("GET", &format!("/v1/deliveries/{delivery}")).await;
        let named = HeaderValue::from_bytes(named.as_bytes()).unwrap();
        assert!(agency.send(request.header("tsunagu-staff", named)).await.status.is_client_error());
    }
    let early =
        nursery.act_at(1, &sent.at("/legs/0/id"), "accept", &papers::act(&staff.clerk, &json!({}))).await;
    assert_eq!(early.problem(), "illegal-transition");
    let stale =
        nursery.act_at(9, &sent.at("/legs/0/id"), "note", &papers::act(&staff.clerk, &json!({}))).await;
    assert_eq!(stale.problem(), "version-stale");
}

/// What would happen is told in ids and codes alone, whatever stands in the documents.
async fn rehearse(stage: &Stage, staff: &Staff) {
    let Stage { site, nursery, .. } = stage;
    let consent = record_consent(stage, staff).await;
    let (first, last) = days();
    let paper = papers::consent(&staff.writer, &[&nursery.id], (&first, &last));
    site.rehearse("/v1/consents", &paper).await.good();
    let by = (staff.writer.as_str(), staff.approver.as_str());
    let sent = site.submit(&papers::introduction(by, &consent, &[&nursery.id])).await;
    let leg = sent.at("/legs/0/id");
    nursery.open(&sent.at("/legs/0/delivery"), &staff.clerk).await.good();
    let version = nursery.leg(&leg).await["version"].as_i64().unwrap();
    for action in ["accept", "ask", "note"] {
        let path = format!("/v1/legs/{leg}/actions/{action}");
        let body = papers::act(&staff.clerk, &json!({}));
        nursery.rehearse_at(version, &path, &body).await.good();
    }
    let end = json!({"by": staff.writer, "method": "oral"});
    site.rehearse_at(1, &format!("/v1/consents/{consent}/withdraw"), &end).await.good();
}

/// A consent that is withdrawn while one copy is unread and one is open.
async fn withdraw(stage: &Stage, staff: &Staff) {
    let Stage { site, nursery, centre, .. } = stage;
    let consent = record_consent(stage, staff).await;
    let by = (staff.writer.as_str(), staff.approver.as_str());
    let sent = site.submit(&papers::introduction(by, &consent, &[&nursery.id, &centre.id])).await;
    nursery.open(&sent.at("/legs/0/delivery"), &staff.clerk).await.good();
    site.withdraw(&consent, &staff.writer).await.good();
    for (agency, person, place) in [(nursery, &staff.clerk, 0), (centre, &staff.worker, 1)] {
        let delivery = sent.at(&format!("/legs/{place}/delivery"));
        assert_eq!(agency.open(&delivery, person).await.problem(), "opening-refused");
    }
    let late = papers::introduction(by, &consent, &[&nursery.id]);
    assert_eq!(site.submit(&late).await.problem(), "disclosure-refused");
    nursery.get("/v1/inbox?kind=withdrawal").await.good();
    let kept = papers::act(&staff.clerk, &json!({"disposal": "kept_by_law"}));
    nursery.act(&sent.at("/legs/0/id"), "confirm_disposal", &kept).await.good();
    let version = site.consent(&consent).await.value()["version"].as_i64().unwrap();
    let decided = papers::statutory_decision(&staff.writer);
    site.post_at(version, &format!("/v1/consents/{consent}/statutory-decision"), &decided).await.good();
    site.consent(&consent).await.good();
}

/// What is sent by mistake: one copy that nobody opened, and one that somebody did.
async fn recall(stage: &Stage, staff: &Staff, consent: &str) {
    let Stage { site, nursery, centre, .. } = stage;
    let by = (staff.writer.as_str(), staff.approver.as_str());
    let sent = site.submit(&papers::introduction(by, consent, &[&nursery.id, &centre.id])).await;
    centre.open(&sent.at("/legs/1/delivery"), &staff.worker).await.good();
    let mistake = papers::act(&staff.writer, &json!({"reason": "OTHER"}));
    // A sealed push may be on its way to the first: then that is an incident too.
    site.act(&sent.at("/legs/0/id"), "recall", &mistake).await.good();
    let incident = site.act(&sent.at("/legs/1/id"), "recall", &mistake).await.at("/incident/id");
    centre.get("/v1/inbox?kind=recall").await.good();
    let gone = json!({"by": staff.worker, "disposal": "destroyed"});
    centre.act(&sent.at("/legs/1/id"), "confirm_disposal", &gone).await.good();
    for path in ["?state=open", "?state=near_miss", &format!("/{incident}"), &format!("/{incident}/report")] {
        let request = site.request("GET", &format!("/v1/incidents{path}")).await;
        site.send(request.header("tsunagu-staff", &staff.approver)).await.good();
    }
    let close = papers::incident_close(&staff.approver);
    site.post_at(1, &format!("/v1/incidents/{incident}/close"), &close).await.good();
    let request = site.request("GET", &format!("/v1/incidents/{incident}")).await;
    site.send(request.header("tsunagu-staff", &staff.approver)).await.good();
}

/// What must be kept: a hold of the recipient's, looked at and lifted; and an erasure that is refused.
async fn keep(stage: &Stage, staff: &Staff, consent: &str) {
    let Stage { site, centre, .. } = stage;
    let by = (staff.writer.as_str(), staff.approver.as_str());
    let sent = site.submit(&papers::introduction(by, consent, &[&centre.id])).await;
    let (referral, holds) = (sent.at("/id"), format!("/v1/legs/{}/holds", sent.at("/legs/0/id")));
    let body = json!({"by": staff.boss, "kind": "legal", "reason": name()});
    let hold = centre.post(&holds, &body).await.at("/id");
    let erasure = json!({"by": staff.approver, "approved_by": staff.officer, "reason": name()});
    assert_eq!(site.post(&format!("/v1/referrals/{referral}/erase"), &erasure).await.code(), 409);
    let look = site.request("GET", &format!("/v1/referrals/{referral}/retention")).await;
    site.send(look.header("tsunagu-staff", &staff.approver)).await.good();
    let lift = json!({"by": staff.boss, "reason": name()});
    centre.post(&format!("/v1/holds/{hold}/lift"), &lift).await.good();
    let look = centre.request("GET", &holds).await.header("tsunagu-staff", &staff.boss);
    centre.send(look).await.good();
}

/// The family's own view names fields and shows none of their values.
async fn show_the_family(stage: &Stage, staff: &Staff, consent: &str) -> String {
    let Stage { site, nursery, .. } = stage;
    let by = (staff.writer.as_str(), staff.approver.as_str());
    let sent = site.submit(&papers::introduction(by, consent, &[&nursery.id])).await;
    let referral = sent.at("/id");
    for path in
        ["family?viewer=mother", "family/page?viewer=mother&lang=easy", "family/page?viewer=child-1&lang=en"]
    {
        let request = site.request("GET", &format!("/v1/referrals/{referral}/{path}")).await;
        let seen = site.send(request.header("tsunagu-staff", &staff.writer)).await.good();
        super::words::Scanner::new(&[super::words::NAME]).assert_clean("the family's view", &seen.body);
    }
    referral
}

/// A parent asks what is held about a child, and is given a part of it.
async fn disclose(stage: &Stage, staff: &Staff, referral: &str) {
    let site = &stage.site;
    let officer = site.post("/v1/staff", &papers::staff("privacy_officer")).await.at("/id");
    let today = jiff::tz::Offset::constant(9).to_datetime(Clock::System.now()).date().to_string();
    let made = site.post("/v1/disclosure-requests", &papers::access_request(&officer, &today)).await;
    let path = format!("/v1/disclosure-requests/{}", made.at("/id"));
    let steps = [
        json!({}),
        json!({"step": "prepare", "found": [{"referral": referral, "person": "child-1"}]}),
        json!({
            "step": "decide", "outcome": "partial", "told": ["harm"],
            "parts": papers::shown(&format!("{referral}/health")),
        }),
        json!({"step": "give"}),
    ];
    for (version, step) in steps.iter().enumerate() {
        let body = papers::access_request_step(&officer, step);
        site.post_at(version as i64 + 1, &format!("{path}/steps"), &body).await.good();
    }
    for path in
        [&path, &format!("{path}/preparation"), &format!("{path}/export"), &format!("{path}/export/page")]
    {
        let request = site.request("GET", path).await;
        site.send(request.header("tsunagu-staff", &officer)).await.good();
    }
    let request = site.request("GET", "/v1/disclosure-requests?state=given").await;
    site.send(request.header("tsunagu-staff", &officer)).await.good();
    let request = site.request("GET", &path).await;
    assert_eq!(site.send(request.header("tsunagu-staff", &staff.writer)).await.problem(), "forbidden");
}

/// Somebody at the recipient is related to the case, as the sender and the recipient's own people say; and a glass that
/// need not be broken.
async fn relate(stage: &Stage, staff: &Staff, consent: &str) {
    let Stage { site, nursery, centre, .. } = stage;
    let by = (staff.writer.as_str(), staff.approver.as_str());
    let mut paper = papers::introduction(by, consent, &[&nursery.id]);
    paper["legs"][0]["related"] = papers::related();
    let sent = site.submit(&paper).await;
    let (leg, delivery) = (sent.at("/legs/0/id"), sent.at("/legs/0/delivery"));
    let path = format!("/v1/deliveries/{delivery}/relations");
    let note = json!({
        "by": staff.clerk, "staff": staff.clerk, "step": "declared", "relation": "other", "note": name(),
    });
    nursery.post(&path, &note).await.good();
    assert_eq!(nursery.open(&delivery, &staff.clerk).await.problem(), "opening-refused");
    nursery.get(&path).await.good();
    let glass = json!({
        "by": staff.clerk, "delivery": delivery, "purpose": "safety_check", "reason": name(), "minutes": 5,
    });
    assert_eq!(nursery.post("/v1/break-glass", &glass).await.problem(), "opening-refused");
    assert_eq!(centre.post("/v1/break-glass", &glass).await.problem(), "schema-violation");
    let referral = sent.at("/id");
    for path in [
        format!("/v1/legs/{leg}/grounds"),
        format!("/v1/referrals/{referral}/accesses"),
        "/v1/break-glass?side=sender".to_owned(),
        "/v1/break-glass?side=recipient".to_owned(),
    ] {
        site.get(&path).await.good();
    }
    let officer = site.post("/v1/staff", &papers::staff("privacy_officer")).await.at("/id");
    let audit = site.request("GET", "/v1/audit?limit=200").await;
    site.send(audit.header("tsunagu-staff", &officer)).await.good();
}

/// A hidden family is handed over: its protection is taken over before anything is read.
async fn hand_over(stage: &Stage, staff: &Staff) {
    let Stage { site, centre, .. } = stage;
    let (first, last) = days();
    let mut paper = papers::consent(&staff.writer, &[&centre.id], (&first, &last));
    paper["purpose"] = json!("IKAN");
    let consent = site.record_consent(&paper).await.at("/id");
    let [theirs, ours] = ["0192f000-0000-7000-8000-0000000000d1", "0192f000-0000-7000-8000-0000000000d2"];
    site.post("/v1/protections", &papers::protection(&staff.approver, theirs)).await.good();
    let mut paper = papers::introduction((&staff.writer, &staff.approver), &consent, &[&centre.id]);
    (paper["type"], paper["case"]) = (json!("IKAN"), json!(theirs));
    let sent = site.submit(&paper).await;
    let (leg, delivery) = (sent.at("/legs/0/id"), sent.at("/legs/0/delivery"));
    assert_eq!(centre.open(&delivery, &staff.worker).await.problem(), "opening-refused");
    let meeting = json!({"on": first, "by": "telephone"});
    let taken = papers::act(&staff.worker, &json!({"case": ours, "meeting": meeting}));
    centre.act(&leg, "acknowledge", &taken).await.good();
    centre.open(&delivery, &staff.worker).await.good();
    centre.act(&leg, "accept", &papers::act(&staff.worker, &json!({}))).await.good();
    let kept = centre.leg(&leg).await["hand_over"]["protection_id"].as_str().unwrap().to_owned();
    centre.get(&format!("/v1/protections/{kept}")).await.good();
    site.leg(&leg).await;
    assert_eq!(site.submit(&paper).await.problem(), "already-there");
}

/// Requests that fail, with canaries in whatever part it is that fails.
async fn fail(stage: &Stage, staff: &Staff, consent: &str) {
    let site = &stage.site;
    let by = (staff.writer.as_str(), staff.approver.as_str());
    let good = papers::introduction(by, consent, &[&stage.nursery.id]);
    let text = good.to_string();
    let word = name();
    let post = async |body: Vec<u8>| {
        let request = site.request("POST", "/v1/referrals").await.header("idempotency-key", fresh_key());
        request.header("content-type", "application/json").body(body)
    };
    let escaped: String = word.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    let bodies: Vec<Vec<u8>> = vec![
        text.as_bytes()[..text.len() - 9].to_vec(),
        format!("{text}{word}").into_bytes(),
        word.clone().into_bytes(),
        format!("{{\"{word}\":1,\"{word}\":1}}").into_bytes(),
        format!("{{\"{escaped}\":\"{escaped}\"}}").into_bytes(),
        format!("{{\"urgency\":{word}}}").into_bytes(),
        format!("{{\"urgency\":\"{word}\\ud800\"}}").into_bytes(),
        format!("{{\"urgency\":\"{word}\\u0000\"}}").into_bytes(),
        format!("{}\"{word}\"", "[".repeat(40)).into_bytes(),
        encoding_rs::SHIFT_JIS.encode(&word.repeat(30)).0.into_owned(),
        encoding_rs::EUC_JP.encode(&word.repeat(30)).0.into_owned(),
        text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        [text.as_bytes(), b"\xFF"].concat(),
        format!("\"{}\"", word.repeat(60_000)).into_bytes(),
    ];
    for body in bodies {
        refused(site, post(body).await).await;
    }
    for pointer in [
        "/type",
        "/urgency",
        "/written_by",
        "/case",
        "/source_ref",
        "/called_at",
        "/subjects/0/ref",
        "/subjects/0/role",
        "/subjects/0/birth_date",
        "/content/identity/0/subject",
        "/content/identity/0/sex",
        "/content/identity/0/birth_date",
        "/content/contact/0/email",
        "/content/address/0/municipality",
        "/content/address/0/postal_code",
        "/content/needs/0/codes/0",
        "/legs/0/recipient",
        "/legs/0/basis/code",
        "/legs/0/basis/consent",
        "/legs/0/sections/0",
        "/legs/0/reply_by",
        "/content",
        "/legs",
    ] {
        let mut spoilt = good.clone();
        *spoilt_at(&mut spoilt, pointer) = json!(name());
        refused(site, post(spoilt.to_string().into_bytes()).await).await;
    }
    let mut unknown = good.clone();
    unknown["content"][name().as_str()] = json!(name());
    refused(site, post(unknown.to_string().into_bytes()).await).await;
    for family in ["\u{202e}", "\u{200b}", "\u{e000}", "\n"] {
        let mut spoilt = good.clone();
        spoilt["content"]["identity"][0]["name"]["family"] = json!(format!("{}{family}", name()));
        refused(site, post(spoilt.to_string().into_bytes()).await).await;
    }
    fail_around_the_body(site, &good).await;
}

/// The place of a pointer, made if it is not there.
fn spoilt_at<'a>(document: &'a mut Value, pointer: &str) -> &'a mut Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Array(items) => &mut items[name.parse::<usize>().unwrap()],
        parent => &mut parent[name],
    }
}

/// Canaries where they have no business: headers, paths, queries, credentials.
async fn fail_around_the_body(site: &Agency, good: &Value) {
    let raw = |text: &str| HeaderValue::from_bytes(text.as_bytes()).unwrap();
    for header in [
        "idempotency-key",
        "if-match",
        "tsunagu-staff",
        "tsunagu-purpose",
        "content-type",
        "user-agent",
        "cookie",
        "accept-language",
        "x-request-id",
        "x-forwarded-for",
        "referer",
        "origin",
        "traceparent",
    ] {
        for word in [name(), ascii()] {
            let request =
                site.request("POST", "/v1/legs/0192f000-0000-4000-8000-00000000dead/actions/note").await;
            refused(site, request.header(header, raw(&word)).body(good.to_string())).await;
        }
    }
    for word in [name(), ascii()] {
        let coded: String = word.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for path in [
            format!("/v1/legs/{coded}"),
            format!("/v1/legs/{coded}/actions/{coded}"),
            format!("/v1/receipts/{coded}/{coded}"),
            format!("/{coded}"),
            format!("/v1/inbox?{coded}={coded}"),
            format!("/v1/inbox?state={coded}"),
            format!("/v1/inbox?after={coded}"),
            format!("/v1/services?ward={coded}"),
            format!("/v1/agencies?kind={coded}"),
            format!("/v1/referrals/0192f000-0000-4000-8000-00000000dead?{coded}"),
        ] {
            refused(site, site.request("GET", &path).await).await;
            refused(site, site.request("DELETE", &path).await).await;
        }
        refused(
            site,
            site.stranger("GET", "/v1/staff").header("authorization", raw(&format!("Bearer {word}"))),
        )
        .await;
        let id = site.id.clone();
        for form in [
            format!("grant_type=client_credentials&client_id={coded}&client_secret={coded}"),
            format!("grant_type=client_credentials&client_id={id}&client_secret={coded}"),
            format!("grant_type={coded}&scope={coded}"),
            coded.clone(),
        ] {
            let request = site.stranger("POST", "/v1/token");
            refused(site, request.header("content-type", "application/x-www-form-urlencoded").body(form))
                .await;
        }
        refused(
            site,
            site.stranger("POST", "/v1/token")
                .basic_auth(&word, Some(&word))
                .body("grant_type=client_credentials"),
        )
        .await;
    }
    let odd = reqwest::Method::from_bytes(ascii().as_bytes()).unwrap();
    refused(site, site.request(odd.as_str(), "/v1/inbox").await).await;
}

async fn refused(agency: &Agency, request: RequestBuilder) {
    let reply = agency.send(request).await;
    assert!(!reply.status.is_success(), "{}", reply.text());
    assert_ne!(reply.code(), 500, "{}", reply.text());
}

/// Every view every party has, so that each answer is looked through.
async fn read_everything(stage: &Stage, staff: &Staff, consent: &str) {
    stage.site.consent(consent).await.good();
    for language in ["ja", "easy", "en"] {
        stage.site.get(&format!("/v1/consents/{consent}/form?lang={language}")).await.good();
    }
    let (first, last) = days();
    let paper = form_paper(papers::consent(&staff.writer, &[&stage.nursery.id], (&first, &last)));
    stage.site.post("/v1/consent-forms", &paper).await.good();
    let readers = [
        (&stage.site, &staff.writer),
        (&stage.nursery, &staff.clerk),
        (&stage.centre, &staff.worker),
        (&stage.npo, &staff.clerk),
    ];
    for (agency, person) in &readers[..2] {
        super::pages::look(stage, agency, person).await;
    }
    for (agency, person) in readers {
        for path in [
            "/v1/agencies?limit=50",
            "/v1/staff",
            "/v1/subscriptions",
            "/v1/consents?limit=50",
            "/v1/referrals?limit=50",
            "/v1/services?limit=5",
            "/v1/provision-records",
            "/v1/provision-records?side=received&format=csv",
            "/v1/provision-records?side=provided&format=csv",
        ] {
            agency.get(path).await.good();
        }
        for state in ["waiting", "taken", "opened", "recalled"] {
            agency.inbox(state).await;
        }
        for side in ["sender", "recipient"] {
            for state in [
                "requested",
                "received",
                "declined",
                "completed",
                "withdrawn",
                "accepted",
                "entered_in_error",
            ] {
                let list = agency.get(&format!("/v1/legs?side={side}&state={state}")).await.value();
                for leg in list["items"].as_array().unwrap() {
                    let id = leg["id"].as_str().unwrap();
                    agency.leg(id).await;
                    agency.evidence(id).await;
                    agency.available(id, person).await;
                }
            }
        }
    }
}
