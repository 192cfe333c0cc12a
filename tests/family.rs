//! The family's own view told as stories, over HTTP and on both engines: each person reads what is theirs, and nothing
//! betrays what was passed on by law.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is the point")]

mod support;

use serde_json::{Value, json};
use support::{
    cast::{Cast, Sent},
    stories::stories,
    town::{Agency, Reply, TSURUMI, Town},
};
use tsunagu::domain::agency::AgencyKind;

stories! {
    each_person_reads_what_is_theirs,
    what_became_of_the_copies_is_told,
    what_rests_on_law_leaves_no_trace,
    a_protected_family_is_asked_first_and_no_place_is_named,
    one_handle_for_two_people_shows_nobody_anothers,
}

const CASE: &str = "0192f000-0000-7000-8000-0000000000f1";

async fn look(agency: &Agency, path: &str, staff: &str) -> Reply {
    agency.send(agency.request("GET", path).await.header("tsunagu-staff", staff)).await
}

/// A case with a mother who decides for herself and her child, and a father who decides for himself.
async fn send(town: &Town, cast: &Cast, to: &[&Agency]) -> Sent {
    let sections = ["identity", "contact", "needs", "narrative", "health"];
    let mut consent = town.consent_paper(&cast.writer, to, &sections);
    consent["subjects"].as_array_mut().unwrap().push(json!({"ref": "father", "role": "guardian"}));
    consent["lines"] = json!([{
        "subject": "father", "giver": {"subject": "father", "name": {"family": "山辺", "given": "太郎"}},
        "capacity": "SELF", "decision": "given",
    }]);
    let consent = cast.site.record_consent(&consent).await.at("/id");
    let mut paper = town.introduction(&cast.writer, &consent, to);
    paper["case"] = json!(CASE);
    paper["subjects"].as_array_mut().unwrap().push(json!({"ref": "father", "role": "guardian"}));
    paper["content"]["health"] = json!([{"subject": "father", "summary": "通院中", "text": "詳しい病歴"}]);
    paper["approved_by"] = json!(cast.site.hire("supervisor").await);
    for leg in paper["legs"].as_array_mut().unwrap() {
        leg["sections"] = json!(sections);
    }
    let answer = cast.site.submit(&paper).await.value();
    Sent { consent, ..Sent::read(&answer) }
}

fn view_path(viewer: &str) -> String {
    format!("/v1/cases/{CASE}/family?viewer={viewer}")
}

fn page_path(viewer: &str, language: &str) -> String {
    format!("/v1/cases/{CASE}/family/page?viewer={viewer}&lang={language}")
}

async fn each_person_reads_what_is_theirs(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let sent = send(town, &cast, &[nursery]).await;
    let mothers = look(site, &view_path("mother"), writer).await.value();
    let holder = &mothers["holders"][0];
    assert_eq!(mothers["holders"].as_array().unwrap().len(), 1);
    assert_eq!((&holder["kind"], &holder["purpose"]), (&json!("hoikusho"), &json!("SHOKAI")), "{holder}");
    let told = |holder: &Value| -> Vec<String> {
        let people = holder["people"].as_array().unwrap().iter();
        people
            .flat_map(|person| {
                let who = person["subject"].as_str().unwrap_or("household").to_owned();
                let sections = person["sections"].as_array().unwrap().clone();
                sections.into_iter().map(move |one| format!("{who} {} {}", one["section"], one["fields"]))
            })
            .collect()
    };
    assert_eq!(
        told(holder),
        [
            r#"household "needs" ["codes"]"#,
            r#"household "narrative" ["summary"]"#,
            r#"child-1 "identity" ["birth_date","name"]"#,
            r#"mother "contact" ["phone"]"#,
        ],
        "the summary alone was sent to a facility"
    );
    assert_eq!(holder["people"][1]["decided_by"], "viewer");
    assert_eq!((&holder["copy"], &holder["answer"]), (&json!("unopened"), &json!("none")));
    assert_eq!(
        (&holder["consent"]["id"], &holder["consent"]["last_day"]),
        (&json!(sent.consent), &json!(town.day(90)))
    );
    let fathers = look(site, &view_path("father"), writer).await.value();
    assert_eq!(told(&fathers["holders"][0]), [r#"father "health" ["summary","text"]"#]);
    let childs = look(site, &view_path("child-1"), writer).await.value();
    assert_eq!(childs["holders"][0]["people"][0]["decided_by"], json!({"capacity": "PARENT"}));

    nursery.open(&sent.legs[0].1, clerk).await.good();
    nursery.act(&sent.legs[0].0, "waitlist", &json!({"by": clerk, "review_on": town.day(30)})).await.good();
    for (viewer, theirs, others) in
        [("mother", "電話番号", "健康、病気"), ("father", "健康、病気", "電話番号")]
    {
        let page = look(site, &page_path(viewer, "ja"), writer).await.good();
        let text = page.text();
        assert!(text.contains(theirs) && !text.contains(others), "{viewer}: {text}");
        assert!(text.contains("開かれました") && text.contains("空きを待つ"), "{text}");
        for value in ["山辺", "澪", "045-000-0000", "通院中", "詳しい", "短時間の預かり"] {
            assert!(!text.contains(value), "no value is printed: {value} in {text}");
        }
    }
    refused_alike(&cast, &sent.referral).await;
    cast.everybody()
}

/// Who has no business here, and what is not there, get the same answer.
async fn refused_alike(cast: &Cast, referral: &str) {
    let Cast { site, writer, nursery, clerk, .. } = cast;
    assert_eq!(site.get(&view_path("mother")).await.problem(), "forbidden", "nobody looks without a name");
    let here = format!("/v1/referrals/{referral}/family?viewer=mother");
    look(site, &here, writer).await.good();
    let missing =
        look(site, "/v1/cases/0192f000-0000-7000-8000-00000000dead/family?viewer=mother", writer).await;
    for reply in [
        look(nursery, &view_path("mother"), clerk).await,
        look(nursery, &here, clerk).await,
        look(site, &view_path("grandmother"), writer).await,
    ] {
        assert_eq!((reply.code(), reply.text()), (404, missing.text()));
    }
    assert_eq!(look(site, &format!("/v1/cases/{CASE}/family"), writer).await.problem(), "bad-query");
}

async fn what_became_of_the_copies_is_told(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, clerk, family, carer } = &cast;
    let sent = send(town, &cast, &[nursery, family]).await;
    nursery.open(&sent.legs[0].1, clerk).await.good();
    family.open(&sent.legs[1].1, carer).await.good();
    site.withdraw(&sent.consent, writer).await.good();
    let kept = json!({"by": clerk, "disposal": "kept_by_law", "article": "児童福祉法施行規則 第1条"});
    nursery.act(&sent.legs[0].0, "confirm_disposal", &kept).await.good();
    let view = look(site, &view_path("mother"), writer).await.value();
    let [first, second] = view["holders"].as_array().unwrap().as_slice() else { panic!("{view}") };
    assert_eq!(first["disposal"]["state"], "kept_by_law");
    assert_eq!(first["disposal"]["article"], "児童福祉法施行規則 第1条");
    assert_eq!((&first["copy"], &first["answer"]), (&json!("shut"), &json!("withdrawn")));
    assert_eq!(second["disposal"]["state"], "asked", "who has not answered has not deleted");
    assert_eq!(second["consent"]["withdrawn_on"], town.day(0));
    town.advance(std::time::Duration::from_secs(14 * 86_400));
    let page = look(site, &page_path("mother", "ja"), writer).await.good();
    assert!(page.text().contains("期限を過ぎましたが、まだ答えがありません"), "{}", page.text());
    assert!(page.text().contains("法律で保存が決められているため"));
    cast.everybody()
}

/// Everything a family can read of its case, in every form.
async fn everything(site: &Agency, writer: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for viewer in ["mother", "father", "child-1"] {
        texts.push(look(site, &view_path(viewer), writer).await.good().text().to_owned());
        for language in ["ja", "easy", "en"] {
            texts.push(look(site, &page_path(viewer, language), writer).await.good().text().to_owned());
        }
    }
    texts
}

async fn what_rests_on_law_leaves_no_trace(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, .. } = &cast;
    let centre = town.agency(AgencyKind::FamilyCentre).await;
    let notice = |case: &str| {
        let mut paper = town.notice(writer, &centre);
        paper["case"] = json!(case);
        paper["subjects"].as_array_mut().unwrap().push(json!({"ref": "mother", "role": "guardian"}));
        paper
    };
    let provision = json!({
        "type": "JOHO_TEIKYO", "urgency": "U2", "written_by": writer, "case": CASE,
        "subjects": [{"ref": "child-1", "role": "child"}, {"ref": "mother", "role": "guardian"}],
        "content": {
            "identity": [{"subject": "child-1", "name": {"given": "澪"}}, {"subject": "mother", "name": {"given": "花"}}],
            "narrative": [{"subject": "mother", "summary": "要約", "text": "詳しい経過"}],
        },
        "legs": [{
            "recipient": centre.id, "sections": ["identity", "narrative"],
            "basis": {
                "code": "YOSHIEN_21_10_5", "case_class": "yoshien", "present_municipality": TSURUMI,
                "consent_sought": "refused", "consent_sought_reason": "断られた。", "grounds": "頼れる人がいない。",
            },
        }],
    });
    // In whichever order things happen: before, between and after what the family agreed to.
    let only_by_law = "0192f000-0000-7000-8000-0000000000f2";
    site.submit(&notice(only_by_law)).await.good();
    site.submit(&notice(CASE)).await.good();
    let missing = "0192f000-0000-7000-8000-00000000dead";
    let nothing =
        async |case: &str| look(site, &format!("/v1/cases/{case}/family?viewer=mother"), writer).await;
    let (by_law, unknown) = (nothing(only_by_law).await, nothing(missing).await);
    assert_eq!((by_law.code(), by_law.text()), (404, unknown.text()), "a case with notices alone is none");
    assert_eq!(nothing(CASE).await.text(), unknown.text());
    let sent = send(town, &cast, &[nursery]).await;
    let before = everything(site, writer).await;
    site.submit(&notice(CASE)).await.good();
    let statutory = site.submit(&provision).await.good();
    assert_eq!(everything(site, writer).await, before, "byte for byte");
    let second = send(town, &cast, &[&cast.family]).await;
    let after = everything(site, writer).await;
    site.submit(&notice(CASE)).await.good();
    assert_eq!(everything(site, writer).await, after);
    for text in after {
        for hidden in ["通告", "児童福祉法", "YOSHIEN", "TSUKOKU", &centre.id, &statutory.at("/id")] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
    }
    let one = format!("/v1/referrals/{}/family?viewer=mother", statutory.at("/id"));
    assert_eq!(look(site, &one, writer).await.text(), unknown.text());
    assert_eq!([sent.legs.len(), second.legs.len()], [1, 1]);
    let mut everybody = cast.everybody();
    everybody.push(centre);
    everybody
}

async fn a_protected_family_is_asked_first_and_no_place_is_named(town: &mut Town) -> Vec<Agency> {
    let mut cast = Cast::of(town).await;
    cast.nursery = town.agency_named(AgencyKind::Nursery, "白百合通り保育園").await;
    cast.clerk = cast.nursery.hire("agency_staff").await;
    let Cast { site, writer, nursery, clerk, .. } = &cast;
    let sent = send(town, &cast, &[nursery]).await;
    let open = look(site, &page_path("mother", "ja"), writer).await.good();
    assert!(open.text().contains("白百合通り保育園"));
    nursery.open(&sent.legs[0].1, clerk).await.good();
    let terms = json!({"by": writer, "case": CASE, "hidden_from": [{"municipality": "011002"}], "ground": "支援措置"});
    site.post("/v1/protections", &terms).await.good();
    let first = look(site, &view_path("mother"), writer).await.value();
    assert_eq!((&first["ask_take_home"], &first["holders"]), (&json!(true), &json!([])));
    for language in ["ja", "easy", "en"] {
        let asked = look(site, &page_path("mother", language), writer).await.good();
        assert!(!asked.text().contains("<table") && !asked.text().contains("白百合"), "{}", asked.text());
    }
    let asked = look(site, &page_path("mother", "ja"), writer).await.good();
    assert!(asked.text().contains("この紙を持ち帰っても安全ですか"));
    for answer in ["safe", "unsafe"] {
        for language in ["ja", "easy", "en"] {
            let path = format!("{}&take_home={answer}", page_path("mother", language));
            let page = look(site, &path, writer).await.good();
            let text = page.text();
            for place in ["白百合", &name_of(site).await, TSURUMI, "支援措置"] {
                assert!(!text.contains(place), "{place} in {text}");
            }
            assert!(text.contains("<table"), "{text}");
        }
        let page = look(site, &format!("{}&take_home={answer}", page_path("mother", "ja")), writer).await;
        assert_eq!(page.text().contains("持ち帰らないでください"), answer == "unsafe");
    }
    let shown = format!("{}&take_home=unsafe&places=shown", page_path("mother", "ja"));
    assert!(
        look(site, &shown, writer).await.good().text().contains("白百合通り保育園"),
        "she may ask for it"
    );
    town.by_hand("DELETE FROM protection_version".to_owned()).await;
    let unreadable = look(site, &shown, writer).await.good();
    assert!(!unreadable.text().contains("白百合"), "of a record that does not open nobody knows");
    cast.everybody()
}

async fn name_of(agency: &Agency) -> String {
    agency.get(&format!("/v1/agencies/{}", agency.id)).await.at("/name")
}

async fn one_handle_for_two_people_shows_nobody_anothers(town: &mut Town) -> Vec<Agency> {
    let cast = Cast::of(town).await;
    let Cast { site, writer, nursery, .. } = &cast;
    send(town, &cast, &[nursery]).await;
    let consent = {
        let mut paper = town.consent_paper(writer, &[nursery], &["identity"]);
        paper["subjects"][0]["birth_date"] = json!("2019-01");
        site.record_consent(&paper).await.at("/id")
    };
    let mut other = town.introduction(writer, &consent, &[nursery]);
    other["case"] = json!(CASE);
    other["subjects"][0]["birth_date"] = json!("2019-01");
    other["content"] = json!({"identity": [{"subject": "child-1", "name": {"given": "兄"}}]});
    other["legs"][0]["sections"] = json!(["identity"]);
    let sent = Sent::read(&site.submit(&other).await.value());
    let reply = look(site, &view_path("child-1"), writer).await;
    assert_eq!(reply.problem(), "bad-query", "two children by one handle: {}", reply.text());
    look(site, &view_path("mother"), writer).await.good();
    look(site, &format!("/v1/referrals/{}/family?viewer=child-1", sent.referral), writer).await.good();
    cast.everybody()
}
