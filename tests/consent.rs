//! Consents told as stories, over HTTP and on both engines: what they cover, how they end, and what races that.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]
#![allow(clippy::print_stdout, reason = "a run says how it went, and how to have it again")]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{
    cast::Cast,
    ending::payload,
    stories::stories,
    town::{Agency, ORDINARY, Town, form_paper},
};
use tsunagu::{
    usecases::schema::Schema,
    vault::jws::{Jwks, Typ, verify_jws},
};

stories! {
    a_withdrawal_stops_the_unread_copy_and_closes_the_opened_one,
    a_consent_refuses_what_it_does_not_cover,
    one_parent_alone_is_refused_where_custody_is_joint,
    people_decide_line_by_line,
    evidence_is_signed_by_its_digest_alone,
    a_form_is_printed_before_and_after,
    a_withdrawal_races_an_opening,
    a_withdrawal_races_a_submission,
    a_refused_or_damaged_consent_is_told_by_the_member,
}

/// How many pairs race in each race.
const PAIRS: usize = 20;

async fn a_withdrawal_stops_the_unread_copy_and_closes_the_opened_one(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, family, clerk, carer } = &cast;
    let sent = cast.send(town, &[nursery, family]).await;
    let [(read, opened), (unread, waiting)] = sent.legs.as_slice() else { panic!("two legs") };
    nursery.open(opened, clerk).await.good();
    nursery.act(read, "accept", &json!({"by": clerk})).await.good();

    let ended = site.withdraw(&sent.consent, writer).await.value();
    assert_eq!((&ended["version"], &ended["state"]), (&json!(2), &json!("withdrawn")));
    assert!(family.inbox("waiting").await.is_empty());
    assert_eq!(family.inbox("recalled").await[0]["delivery"], waiting.as_str());
    for (who, staff, delivery, leg) in [(nursery, clerk, opened, read), (family, carer, waiting, unread)] {
        let refused = who.open(delivery, staff).await;
        assert_eq!((refused.code(), refused.problem()), (403, "opening-refused".to_owned()));
        let problem = refused.json();
        assert_eq!(problem["code"], "CONSENT_WITHDRAWN");
        assert!(!refused.text().contains("山辺"), "{problem}");
        assert_eq!(payload(problem["signed"].as_str().unwrap())["code"], "CONSENT_WITHDRAWN");
        assert_eq!(site.leg(leg).await["state"], "withdrawn");
        // Who holds a copy is asked what becomes of it; nothing else can be done any more.
        let left: &[&str] = if leg == read { &["confirm_disposal"] } else { &[] };
        assert_eq!(who.available(leg, staff).await, left);
    }
    assert_eq!(nursery.ladder(read).await, ["R0", "R1", "R2", "R3", "R4", "closed"]);
    assert_eq!(family.ladder(unread).await, ["R0", "R1", "closed"]);

    let seen = site.consent(&sent.consent).await.value();
    assert_eq!((&seen["state"], seen["withdrawn_at"].is_string()), (&json!("propagating"), true));
    let twice = site.withdraw(&sent.consent, writer).await;
    assert_eq!((twice.code(), twice.problem()), (409, "illegal-transition".to_owned()));
    let again = site.submit(&town.introduction(writer, &sent.consent, &[nursery])).await;
    assert_eq!((again.code(), &again.json()["code"]), (422, &json!("CONSENT_WITHDRAWN")));
    cast.everybody()
}

async fn a_consent_refuses_what_it_does_not_cover(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, family, .. } = &cast;
    let other_writer = family.hire("coordinator").await;
    let consent = cast.consent(town, &[nursery]).await;
    let mut later = town.consent_paper(writer, &[nursery], ORDINARY);
    (later["first_day"], later["last_day"]) = (json!(town.day(10)), json!(town.day(90)));
    let later = site.record_consent(&later).await.at("/id");
    let mut of_a_case = town.consent_paper(writer, &[nursery], ORDINARY);
    of_a_case["case"] = json!("0192f000-0000-7000-8000-0000000000c1");
    let of_a_case = site.record_consent(&of_a_case).await.at("/id");
    let mut no = town.consent_paper(writer, &[nursery], ORDINARY);
    no["decision"] = json!("refused");
    let no = site.record_consent(&no).await.at("/id");
    let theirs =
        family.record_consent(&town.consent_paper(&other_writer, &[nursery], ORDINARY)).await.at("/id");
    let plain = town.introduction(writer, &consent, &[nursery]);
    let with = |consent: &str| {
        let mut paper = plain.clone();
        paper["legs"][0]["basis"]["consent"] = json!(consent);
        paper
    };
    let mut another_case = with(&of_a_case);
    another_case["case"] = json!("0192f000-0000-7000-8000-0000000000c2");
    let before = town.rows().await;
    for (paper, code) in [
        (town.introduction(writer, &consent, &[family]), "CONSENT_PARTY"),
        (with(&later), "CONSENT_NOT_YET"),
        (another_case, "CONSENT_SUBJECT"),
        (with(&no), "CONSENT_MISSING"),
        (with(&theirs), "CONSENT_MISSING"),
        (with("0192f000-0000-7000-8000-00000000dead"), "CONSENT_MISSING"),
    ] {
        let refused = site.submit(&paper).await;
        assert_eq!((refused.code(), &refused.json()["code"]), (422, &json!(code)), "{}", refused.text());
    }
    assert_eq!(town.rows().await, before, "nothing is stored of what is refused");
    town.advance(Duration::from_secs(91 * 86_400));
    let refused = site.submit(&plain).await;
    assert_eq!(refused.json()["code"], "CONSENT_EXPIRED");
    cast.everybody()
}

/// The law, what is wrong and what to do come back with the refusal; the ground for acting alone opens the way.
async fn one_parent_alone_is_refused_where_custody_is_joint(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let mut paper = town.consent_paper(writer, &[nursery], ORDINARY);
    paper["act"] = json!("consultation");
    paper["custody"] = json!({"kind": "joint_after_divorce", "other_custodian": "objects"});
    let objected = site.record_consent(&paper).await.at("/id");
    let before = town.rows().await;
    let refused = site.submit(&town.introduction(writer, &objected, &[nursery])).await;
    let problem = refused.json();
    assert_eq!((refused.code(), refused.problem()), (422, "disclosure-refused".to_owned()));
    assert_eq!(problem["errors"][0]["pointer"], "/legs/0/basis", "{problem}");
    assert_eq!(problem["code"], "CONSENT_CUSTODY");
    assert_eq!(problem["law"], "民法 第818条・第824条の2");
    assert!(problem["mend"].as_str().unwrap().contains("もう一人の親権者の同意"), "{problem}");
    assert_eq!(payload(problem["signed"].as_str().unwrap())["code"], "CONSENT_CUSTODY");
    assert_eq!(town.rows().await, before, "nothing is stored of what is refused");

    paper["custody"]["ground"] = json!("daily");
    let refused = site.record_consent(&paper).await;
    assert_eq!((refused.code(), &refused.json()["errors"][0]["pointer"]), (422, &json!("/custody/reason")));
    paper["custody"]["reason"] = json!("週に一度の相談のみ");
    let daily = site.record_consent(&paper).await.at("/id");
    let sent = site.submit(&town.introduction(writer, &daily, &[nursery])).await.value();
    let opened = nursery.open(sent["legs"][0]["delivery"].as_str().unwrap(), clerk).await.good();
    assert!(!opened.text().contains("週に一度"), "the reason is the sender's own");
    assert_eq!(site.consent(&daily).await.value()["custody"]["reason"], "週に一度の相談のみ");

    paper["act"] = json!("change_of_residence");
    let moving = site.record_consent(&paper).await.at("/id");
    let refused = site.submit(&town.introduction(writer, &moving, &[nursery])).await;
    assert_eq!(refused.json()["code"], "CONSENT_CUSTODY", "a change of residence is never daily");
    for (custody, pointer) in [
        (Value::Null, "/custody"),
        (json!({"kind": "joint_married"}), "/custody/other_custodian"),
        (json!({"kind": "shared"}), "/custody/kind"),
    ] {
        let mut paper = town.consent_paper(writer, &[nursery], ORDINARY);
        match custody {
            Value::Null => drop(paper.as_object_mut().unwrap().remove("custody")),
            custody => (paper["custody"], paper["act"]) = (custody, json!("therapy")),
        }
        let refused = site.record_consent(&paper).await;
        assert_eq!((refused.code(), &refused.json()["errors"][0]["pointer"]), (422, &json!(pointer)));
    }
    cast.everybody()
}

/// The mother consents for herself and the child, the father for himself; what the grandmother refused stays away.
async fn people_decide_line_by_line(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let mut paper = town.consent_paper(writer, &[nursery], ORDINARY);
    let others =
        [json!({"ref": "father", "role": "guardian"}), json!({"ref": "grandmother", "role": "cohabitant"})];
    paper["subjects"].as_array_mut().unwrap().extend(others.clone());
    paper["lines"] = json!([
        {"subject": "father", "giver": {"subject": "father", "name": {"given": "聡"}}, "capacity": "SELF"},
        {"subject": "grandmother", "giver": {"subject": "grandmother"}, "capacity": "SELF", "decision": "refused"},
        {"subject": "child-1", "opinion": {"view": "against", "text": "いきたくない"}},
    ]);
    let consent = site.record_consent(&paper).await.at("/id");
    let mut referral = town.introduction(writer, &consent, &[nursery]);
    referral["subjects"].as_array_mut().unwrap().extend(others);
    referral["content"]["contact"] = json!([
        {"subject": "father", "phone": "045-111-1111"}, {"subject": "grandmother", "phone": "045-222-2222"}
    ]);
    let sent = site.submit(&referral).await.value();
    let leg = site.leg(sent["legs"][0]["id"].as_str().unwrap()).await;
    assert_eq!(
        leg["withheld"],
        json!([{"section": "contact", "subject": "grandmother", "why": "W_OTHER_PERSON"}]),
        "{leg}"
    );
    let opened = nursery.open(sent["legs"][0]["delivery"].as_str().unwrap(), clerk).await.good();
    assert!(opened.text().contains("045-111-1111") && !opened.text().contains("045-222-2222"));
    assert!(!opened.text().contains("いきたくない"));
    assert_eq!(site.consent(&consent).await.value()["lines"][2]["opinion"]["text"], "いきたくない");
    cast.everybody()
}

/// The file stays with the agency; its digest is signed, and each step is linked to the one before.
async fn evidence_is_signed_by_its_digest_alone(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, .. } = &cast;
    let digest = tsunagu::vault::sha256(b"a scan of the signed form").to_string();
    let mut paper = town.consent_paper(writer, &[nursery], ORDINARY);
    paper["method"] = json!("paper");
    let refused = site.record_consent(&paper).await;
    assert_eq!((refused.code(), &refused.json()["errors"][0]["pointer"]), (422, &json!("/evidence")));
    paper["evidence"] = json!([{"digest": digest, "kind": "signed_paper", "pages": 2}]);
    let mut named = paper.clone();
    named["evidence"][0]["file"] = json!("同意書_山辺.pdf");
    assert_eq!(site.record_consent(&named).await.code(), 422, "no file name is taken");
    let recorded = site.record_consent(&paper).await.value();
    let consent = recorded["id"].as_str().unwrap();
    let first = payload(recorded["signed"].as_str().unwrap());
    assert_eq!(Schema::ConsentStatement.check(&first), Ok(()), "{first}");
    assert_eq!((&first["evidence"], &first["consent"]), (&json!([digest]), &json!(consent)));
    assert_eq!((&first["state"], &first["by"], first.get("prev")), (&json!("active"), &json!(writer), None));

    let ended = site.withdraw(consent, writer).await.value();
    let second = payload(ended["signed"].as_str().unwrap());
    let link = tsunagu::vault::sha256(recorded["signed"].as_str().unwrap().as_bytes());
    assert_eq!((&second["prev"], &second["state"]), (&json!(link), &json!("withdrawn")));
    assert_eq!(second["sealed"], first["sealed"], "the record itself is what it was");
    let seen = site.consent(consent).await.value();
    assert_eq!(seen["statements"], json!([recorded["signed"], ended["signed"]]));
    assert_eq!(seen["evidence"][0]["pages"], 2);
    let jwks = Jwks::parse(&town.jwks().await).unwrap();
    for statement in seen["statements"].as_array().unwrap() {
        assert!(verify_jws(&jwks, statement.as_str().unwrap(), Typ::Consent).is_ok());
        assert!(verify_jws(&jwks, statement.as_str().unwrap(), Typ::Refusal).is_err());
    }
    cast.everybody()
}

/// A family reads what is asked before anybody asks; printing records no consent, and every print is on record.
async fn a_form_is_printed_before_and_after(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, family, .. } = &cast;
    let paper = town.consent_paper(writer, &[nursery, family], ORDINARY);
    let mut before = form_paper(paper.clone());
    before["giver"]["name"] = json!({"family": "<b>山辺</b>", "given": "\"澪\"&"});
    before["interpreter"] = json!("<script>alert(1)</script>");
    let rows = town.rows().await;
    let form = site.post("/v1/consent-forms?lang=easy", &before).await.good();
    let html = form.text();
    assert_eq!(form.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = form.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert_eq!(
        (form.header("cache-control"), form.header("content-language")),
        (Some("no-store"), Some("ja"))
    );
    assert!(html.contains("<ruby>") && !html.contains("<script") && !html.contains("<b>"), "{html}");
    assert!(html.contains("&#60;b&#62;山辺&#60;/b&#62; &#34;澪&#34;&#38;"), "{html}");
    let mut changed = town.rows().await;
    *changed.get_mut("audit").unwrap() -= 1;
    assert_eq!(changed, rows, "one audit row, and no consent");

    let consent = site.record_consent(&paper).await.at("/id");
    let path = format!("/v1/consents/{consent}/form");
    let directory = async |one: &Agency| site.get(&format!("/v1/agencies/{}", one.id)).await.at("/name");
    for (language, says) in
        [("ja", "同意はいつでも取りやめられます"), ("easy", "やめることが"), ("en", "You may say no")]
    {
        let printed = site.get(&format!("{path}?lang={language}")).await.good();
        let html = printed.text();
        assert!(html.contains(says) && html.contains(&consent), "{html}");
        for one in [site, nursery, family] {
            assert!(html.contains(&directory(one).await), "every agency by its name");
        }
    }
    assert_eq!(site.get(&path).await.good().text(), site.get(&format!("{path}?lang=ja")).await.good().text());
    let wrong = site.get(&format!("{path}?lang=fr")).await;
    assert_eq!((wrong.code(), wrong.problem()), (400, "bad-query".to_owned()));
    assert_eq!(nursery.get(&path).await.code(), 404, "a recipient does not see whom else it names");
    before["recipients"] = json!(["0192f000-0000-7000-8000-00000000dead"]);
    let unknown = site.post("/v1/consent-forms", &before).await;
    assert_eq!((unknown.code(), &unknown.json()["errors"][0]["pointer"]), (422, &json!("/recipients")));
    cast.everybody()
}

/// The opening is either before the withdrawal or after it: what was opened shows an R3 before the end, what was
/// refused shows none.
async fn a_withdrawal_races_an_opening(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let mut opened = 0;
    for pair in 0..PAIRS {
        let sent = cast.send(town, &[nursery]).await;
        let (leg, delivery) = &sent.legs[0];
        let (open, end) = tokio::join!(
            pause(pair, nursery.open(delivery, clerk)),
            withdraw_at_once(site, &sent.consent, writer)
        );
        assert_eq!(end.code(), 200, "nothing stands in the way of a withdrawal: {}", end.text());
        let ladder = nursery.ladder(leg).await;
        match open.code() {
            200 => assert_eq!(ladder, ["R0", "R1", "R2", "R3", "closed"], "pair {pair}"),
            403 => assert_eq!(ladder, ["R0", "R1", "closed"], "pair {pair}"),
            other => panic!("pair {pair}: {other} {}", open.text()),
        }
        opened += usize::from(open.code() == 200);
        assert_eq!(nursery.open(delivery, clerk).await.code(), 403, "afterwards nobody opens it");
        assert_eq!(site.leg(leg).await["state"], "withdrawn");
    }
    println!("of {PAIRS} openings {opened} came before the withdrawal");
    cast.everybody()
}

/// A referral is either sent before the withdrawal, and ended by it, or refused.
async fn a_withdrawal_races_a_submission(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, family, .. } = &cast;
    let mut accepted = 0;
    for pair in 0..PAIRS {
        let consent = cast.consent(town, &[nursery, family]).await;
        let paper = town.introduction(writer, &consent, &[nursery, family]);
        let (sent, end) =
            tokio::join!(site.submit(&paper), pause(pair, withdraw_at_once(site, &consent, writer)));
        assert_eq!(end.code(), 200, "nothing stands in the way of a withdrawal: {}", end.text());
        match sent.code() {
            201 => {
                for place in 0..2 {
                    let leg = sent.at(&format!("/legs/{place}/id"));
                    assert_eq!(site.leg(&leg).await["state"], "withdrawn", "pair {pair}");
                }
                accepted += 1;
            }
            422 => assert_eq!(sent.json()["code"], "CONSENT_WITHDRAWN", "pair {pair}"),
            other => panic!("pair {pair}: {other} {}", sent.text()),
        }
    }
    println!("of {PAIRS} submissions {accepted} came before the withdrawal");
    assert!(nursery.inbox("waiting").await.is_empty() && family.inbox("waiting").await.is_empty());
    cast.everybody()
}

async fn a_refused_or_damaged_consent_is_told_by_the_member(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let good = town.consent_paper(writer, &[nursery], ORDINARY);
    let before = town.rows().await;
    type Change = (&'static str, Value);
    let changes: [Change; 6] = [
        ("/first_day", json!("2026-02-30")),
        ("/last_day", json!("2020-01-01")),
        ("/recorded_by", json!(clerk)),
        ("/sections/0", json!("everything")),
        ("/giver/capacity", json!("GRANDMOTHER")),
        ("/subjects/0/birth_date", json!("2023-13")),
    ];
    for (pointer, value) in changes {
        let mut paper = good.clone();
        *paper.pointer_mut(pointer).unwrap() = value;
        let refused = site.record_consent(&paper).await;
        let problem = refused.json();
        assert_eq!(refused.code(), 422, "{pointer}: {problem}");
        let pointers: Vec<_> =
            problem["errors"].as_array().unwrap().iter().map(|one| &one["pointer"]).collect();
        assert!(pointers.contains(&&json!(pointer)), "{pointer}: {problem}");
        assert!(!refused.text().contains("山辺"), "{problem}");
    }
    assert_eq!(town.rows().await, before);
    cast.everybody()
}

/// Withdraws a consent nobody has changed yet, with a single request.
async fn withdraw_at_once(site: &Agency, consent: &str, by: &str) -> crate::support::town::Reply {
    let body = json!({"by": by, "method": "oral"});
    site.post_at(1, &format!("/v1/consents/{consent}/withdraw"), &body).await
}

/// Gives the other of two that race a head start, a little longer each time.
async fn pause<T>(pair: usize, then: impl Future<Output = T>) -> T {
    tokio::time::sleep(Duration::from_micros(pair as u64 * 400)).await;
    then.await
}
