//! What hangs on a case, who sees it, and what is left of it where nobody should look.

use serde_json::json;
use tsunagu::{
    domain::agency::AgencyKind,
    ledger::{Scope, audit::AuditAction},
};

use super::{
    household, look, open, plan, seen, step,
    support::{
        cast::{Cast, Sent},
        ending::column,
        town::{Agency, ORDINARY, Town},
    },
    talk,
};

/// A referral, a consent and a protection that name an id, before and after a case is opened under it.
pub async fn what_names_a_case_hangs_on_it_from_then_on(town: &mut Town) -> Vec<Agency> {
    const CASE: &str = "0192f000-0000-4000-8000-0000000000c1";
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, family, .. } = &cast;
    let mut paper = town.consent_paper(writer, &[nursery, family], ORDINARY);
    paper["case"] = json!(CASE);
    let consent = site.record_consent(&paper).await.at("/id");
    let send = async |to: &[&Agency]| {
        let mut referral = town.introduction(writer, &consent, to);
        referral["case"] = json!(CASE);
        Sent::read(&site.submit(&referral).await.value())
    };
    let early = send(&[nursery]).await;
    assert_eq!(look(site, &format!("/v1/cases/{CASE}"), writer).await.code(), 404, "an id is no case yet");
    let mut paper = household(writer);
    paper["id"] = json!(CASE);
    assert_eq!(site.post("/v1/cases", &paper).await.at("/id"), CASE);
    let twice = site.post("/v1/cases", &paper).await;
    assert_eq!((twice.code(), &twice.json()["errors"][0]["code"]), (409, &json!("case_there")));
    let late = send(&[family]).await;
    let protection = json!({
        "by": writer, "case": CASE, "hidden_from": [{ "municipality": "011002" }], "ground": "支援措置",
    });
    let protection = site.post("/v1/protections", &protection).await.at("/id");
    nursery.open(&early.legs[0].1, clerk).await.good();

    let now = seen(site, CASE, writer).await;
    let legs = now["legs"].as_array().unwrap();
    let found: Vec<_> = legs.iter().map(|leg| leg["id"].as_str().unwrap()).collect();
    assert_eq!(found, [late.legs[0].0.as_str(), early.legs[0].0.as_str()]);
    let rungs: Vec<_> = legs[1]["ladder"].as_array().unwrap().iter().map(|one| &one["level"]).collect();
    assert_eq!(rungs, ["R0", "R1", "R2", "R3"]);
    assert_eq!((&legs[1]["state"], &legs[0]["state"]), (&json!("received"), &json!("requested")));
    assert_eq!(legs[1]["referral"], early.referral.as_str());
    assert_eq!(
        (&now["consents"][0]["id"], &now["consents"][0]["state"]),
        (&json!(consent), &json!("active"))
    );
    assert_eq!(
        (&now["protections"][0]["id"], &now["protections"][0]["in_force"]),
        (&json!(protection), &json!(true))
    );
    site.withdraw(&consent, writer).await.good();
    let now = seen(site, CASE, writer).await;
    assert_eq!(now["legs"][0]["state"], "withdrawn");
    assert_ne!(now["consents"][0]["state"], "active");

    // The same id at another agency is another case, and nothing of this one.
    assert_eq!(look(nursery, &format!("/v1/cases/{CASE}"), clerk).await.code(), 404);
    let mut theirs = household(clerk);
    theirs["id"] = json!(CASE);
    assert_eq!(nursery.post("/v1/cases", &theirs).await.code(), 201);
    let theirs = seen(nursery, CASE, clerk).await;
    for what in ["legs", "consents", "protections"] {
        assert_eq!(theirs[what], json!([]), "{what}");
    }
    cast.everybody()
}

pub async fn a_colleagues_notice_stays_out_of_the_thread(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let (site, writer) = (&cast.site, &cast.writer);
    let (colleague, boss) = (site.hire("coordinator").await, site.hire("supervisor").await);
    let centre = town.agency(AgencyKind::FamilyCentre).await;
    let case = open(site, writer).await;
    let mut notice = town.notice(writer, &centre);
    notice["case"] = json!(case);
    let leg = site.submit(&notice).await.at("/legs/0/id");
    assert_eq!(seen(site, &case, writer).await["legs"][0]["id"], leg.as_str());
    let before = seen(site, &case, &colleague).await;
    assert_eq!(before["legs"], json!([]));
    for staff in [&colleague, &boss] {
        let shown = look(site, &format!("/v1/cases/{case}"), staff).await;
        assert!(!shown.text().contains(&leg) && !shown.text().contains("TSUKOKU"), "{}", shown.text());
    }
    assert_eq!(seen(site, &case, &colleague).await, before, "nothing of the case moves with a notice");
    let mut everybody = cast.everybody();
    everybody.push(centre);
    everybody
}

pub async fn to_another_agency_there_is_no_case(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let case = open(site, writer).await;
    let noted = site.post("/v1/consultations", &talk(writer)).await.at("/id");
    let missing = "0192f000-0000-4000-8000-00000000dead";
    for (own, absent) in [
        (format!("/v1/cases/{case}"), format!("/v1/cases/{missing}")),
        (format!("/v1/cases/{case}/entries"), format!("/v1/cases/{missing}/entries")),
        (format!("/v1/cases/{case}/plans"), format!("/v1/cases/{missing}/plans")),
        (format!("/v1/consultations/{noted}"), format!("/v1/consultations/{missing}")),
    ] {
        let (foreign, nowhere) = (look(nursery, &own, clerk).await, look(nursery, &absent, clerk).await);
        assert_eq!((foreign.code(), foreign.text()), (404, nowhere.text()), "{own}");
        assert_eq!(look(site, &own, clerk).await.code(), 403, "staff of another agency look at nothing");
        assert_eq!(site.get(&own).await.code(), 403, "nobody is named");
    }
    let mut change = household(clerk);
    change["responsible"] = json!(clerk);
    let entry = json!({ "by": clerk, "at": town.time(-1), "text": "来所" });
    for (verb, body) in [
        ("change", change),
        ("plan", plan(clerk, "復職")),
        ("close", json!({ "by": clerk, "outcome": "CLOSED" })),
        ("reopen", json!({ "by": clerk, "reason": "再相談" })),
        ("entries", entry),
    ] {
        assert_eq!(step(nursery, 1, &case, verb, &body).await.code(), 404, "{verb}");
    }
    let opened = nursery.post(&format!("/v1/consultations/{noted}/case"), &household(clerk)).await;
    assert_eq!(opened.code(), 404);
    assert_eq!(nursery.get("/v1/cases").await.value()["items"], json!([]));
    assert_eq!(nursery.get(&format!("/v1/cases?staff={writer}")).await.value()["items"], json!([]));
    assert_eq!(look(nursery, "/v1/consultations", clerk).await.value()["items"], json!([]));
    assert_eq!(seen(site, &case, writer).await["version"], 1);
    cast.everybody()
}

pub async fn every_look_is_on_record_before_it_is_answered(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let (site, writer) = (&cast.site, &cast.writer);
    let reader = site.hire("assistant").await;
    let case = open(site, writer).await;
    let noted = site.post("/v1/consultations", &talk(writer)).await.at("/id");
    for path in ["", "/entries", "/plans", "?version=1"] {
        look(site, &format!("/v1/cases/{case}{path}"), &reader).await.good();
    }
    look(site, &format!("/v1/consultations/{noted}"), &reader).await.good();
    let (from, to) = (town.day(-1), town.day(0));
    look(site, &format!("/v1/consultations?from={from}&to={to}"), &reader).await.good();
    let (context, scope) = (town.context(), Scope::of(site.id.parse().unwrap()));
    let looks = async |subject: &str, action: AuditAction| {
        let rows = context.ledger.audit_of(scope, subject, 99).await.unwrap();
        rows.iter().filter(|row| row.action == action && row.staff == reader.parse().ok()).count()
    };
    assert_eq!(looks(&case, AuditAction::ReadCase).await, 4);
    assert_eq!(looks(&noted, AuditAction::ReadConsultation).await, 1);
    assert_eq!(looks(&format!("consultations:{from}:{to}"), AuditAction::ReadConsultation).await, 1);
    let before = town.rows().await["audit"];
    site.get("/v1/cases").await.good();
    assert_eq!(town.rows().await["audit"], before, "a list of ids is no look at anybody");
    cast.everybody()
}

/// What the tables hold in clear, column by column: no word of the household, of its class or of what it needs.
pub async fn nothing_of_a_household_stands_in_the_ledger(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let (site, writer) = (&cast.site, &cast.writer);
    let noted = site.post("/v1/consultations", &talk(writer)).await.at("/id");
    let mut paper = household(writer);
    paper["class"] = json!("yohogo");
    paper["members"][0]["name"] = json!({ "family": "鶯谷" });
    let case = site.post(&format!("/v1/consultations/{noted}/case"), &paper).await.at("/id");
    step(site, 1, &case, "plan", &plan(writer, "復職の準備")).await.good();
    let entry = json!({ "by": writer, "at": town.time(-5), "text": "鶯谷さん来所" });
    site.post(&format!("/v1/cases/{case}/entries"), &entry).await.good();
    let close = json!({ "by": writer, "outcome": "NO_CONTACT", "note": "連絡つかず" });
    step(site, 2, &case, "close", &close).await.good();
    let url = town.config.ledger.url.expose();
    let mut seen = 0;
    for sql in [
        "SELECT owner || id || state || responsible || COALESCE(deputy, '') || data_key FROM case_record",
        "SELECT owner || case_id || CAST(version AS TEXT) FROM case_version",
        "SELECT owner || case_id || staff FROM case_plan",
        "SELECT id || owner || case_id || staff || COALESCE(corrects, '') FROM case_entry",
        "SELECT id || owner || staff || COALESCE(case_id, '') || data_key FROM consultation",
        "SELECT route || answer FROM idempotency",
        "SELECT action || subject || decision FROM audit",
    ] {
        for row in column(url, sql).await {
            seen += 1;
            for word in
                ["yohogo", "鶯谷", "RESPITE", "OUTREACH", "CONTINUES", "NO_CONTACT", "guardian", "復職"]
            {
                assert!(!row.contains(word), "{word} in {row}");
            }
        }
    }
    assert!(seen > 12, "{seen} rows were looked through");
    cast.everybody()
}
