//! A consent that does not carry the disclosure: expired, withdrawn, of somebody else, to somebody else.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Engine, Expected, ORDINARY, Scene, with};

const DAY: u64 = 86_400;

#[tokio::test]
async fn a_consent_that_does_not_carry_the_disclosure_refuses_it_with_law_and_mend() {
    for engine in Engine::BOTH {
        let Some(scene) = Scene::new(engine).await else { continue };
        let case = "0192f000-0000-4000-8000-00000000ca5e";
        let paper = scene.consent_paper();
        let recorded = async |document: Value| scene.site.record_consent(&document).await.at("/id");
        let withdrawn = recorded(paper.clone()).await;
        scene.site.withdraw(&withdrawn, &scene.writer).await.good();
        let foreign = {
            let clerk = scene.other.hire("coordinator").await;
            let theirs = scene.town.consent_paper(&clerk, &[&scene.nursery], ORDINARY);
            scene.other.record_consent(&theirs).await.at("/id")
        };
        let elsewhere = scene.town.consent_paper(&scene.writer, &[&scene.other], ORDINARY);
        let consents = [
            ("withdrawn", withdrawn, "CONSENT_WITHDRAWN"),
            ("refused", recorded(with(&paper, "/decision", json!("refused"))).await, "CONSENT_MISSING"),
            (
                "not begun",
                recorded(with(&paper, "/first_day", json!(scene.town.day(1)))).await,
                "CONSENT_NOT_YET",
            ),
            ("for another recipient", recorded(elsewhere).await, "CONSENT_PARTY"),
            (
                "for another purpose",
                recorded(with(&paper, "/purpose", json!("MONITOR"))).await,
                "CONSENT_PURPOSE",
            ),
            ("of another case", recorded(with(&paper, "/case", json!(case))).await, "CONSENT_SUBJECT"),
            ("of another agency", foreign, "CONSENT_MISSING"),
            ("missing", "0192f000-0000-4000-8000-00000000dead".to_owned(), "CONSENT_MISSING"),
        ];
        for (name, consent, code) in &consents {
            refuse(&scene, name, with(&scene.referral(), "/legs/0/basis/consent", json!(consent)), code)
                .await;
        }
        // The refs are the same in every household; birth dates that cannot be one person's are not.
        let mut family = scene.referral();
        family["subjects"][0]["birth_date"] = json!("2020-01");
        family["subjects"][1]["birth_date"] = json!("1985");
        family["content"]["identity"][0]["birth_date"] = json!("2020-01-05");
        refuse(&scene, "of another family", family, "CONSENT_SUBJECT").await;
        let none = json!({ "code": "CONSENT" });
        refuse(&scene, "none named", with(&scene.referral(), "/legs/0/basis", none), "CONSENT_MISSING").await;
        let unknown = json!({ "code": "HIMITSU" });
        refuse(&scene, "unknown basis", with(&scene.referral(), "/legs/0/basis", unknown), "BASIS_UNKNOWN")
            .await;
        let mut bare = scene.referral();
        bare["legs"][0].as_object_mut().unwrap().remove("basis");
        refuse(&scene, "no basis", bare, "NO_BASIS").await;
        scene.town.advance(Duration::from_secs(91 * DAY));
        refuse(&scene, "expired", scene.referral(), "CONSENT_EXPIRED").await;
    }
}

async fn refuse(scene: &Scene, name: &str, referral: Value, code: &str) {
    let request = scene.post(&scene.site, "/v1/referrals", &referral).await;
    let expected = Expected::new(422, "disclosure-refused").at("/legs/0/basis").code(code);
    let told = scene.refused(name, &scene.site, request, &expected).await.json();
    assert!(told["law"].as_str().is_some_and(|law| law.contains('法')), "{name}: {told}");
    let signed = super::support::town::payload(told["signed"].as_str().unwrap()).unwrap();
    assert!(signed.contains(code), "{name}: {signed}");
}

/// The last day of a consent ends at midnight in Japan.
#[tokio::test]
async fn a_consent_carries_to_the_end_of_its_last_day() {
    let scene = Scene::embedded().await;
    let paper = with(&scene.consent_paper(), "/last_day", json!(scene.town.day(0)));
    let consent = scene.site.record_consent(&paper).await.at("/id");
    let referral = with(&scene.referral(), "/legs/0/basis/consent", json!(consent));
    scene.site.submit(&referral).await.good();
    let midnight = {
        let now = jiff::tz::Offset::constant(9).to_datetime(scene.town.clock.now());
        let passed =
            now.time().hour() as u64 * 3600 + now.time().minute() as u64 * 60 + now.time().second() as u64;
        DAY - passed
    };
    scene.town.advance(Duration::from_secs(midnight));
    refuse(&scene, "the day after", referral, "CONSENT_EXPIRED").await;
}

#[tokio::test]
async fn a_withdrawal_needs_the_version_that_was_read_and_happens_once() {
    let scene = Scene::embedded().await;
    let path = format!("/v1/consents/{}/withdraw", scene.consent);
    let body = json!({ "by": scene.writer, "method": "oral" });
    let bare =
        scene.site.request("POST", &path).await.header("idempotency-key", super::fresh_key()).json(&body);
    scene.refused("no If-Match", &scene.site, bare, &Expected::new(428, "version-missing")).await;
    for tag in ["\"2\"", "\"0\"", "1", "W/\"1\"", "*", "\"1\", \"2\"", "\"x\"", ""] {
        let request = scene.site.request("POST", &path).await.header("idempotency-key", super::fresh_key());
        let request = request.header("if-match", tag).json(&body);
        scene
            .refused(&format!("If-Match: {tag}"), &scene.site, request, &Expected::new(412, "version-stale"))
            .await;
    }
    scene.site.withdraw(&scene.consent, &scene.writer).await.good();
    let again = scene.site.request("POST", &path).await.header("idempotency-key", super::fresh_key());
    let again = again.header("if-match", "\"2\"").json(&body);
    scene.refused("twice", &scene.site, again, &Expected::new(409, "illegal-transition")).await;
}
