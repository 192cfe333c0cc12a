//! Problems as HTTP answers, held to their schema.

use actix_web::body::MessageBody;
use serde_json::Value;

use super::*;
use crate::usecases::schema::Schema;

fn answer(problem: &Problem) -> (HttpResponse<()>, Value) {
    let (head, body) = problem.error_response().into_parts();
    (head, serde_json::from_slice(&body.try_into_bytes().unwrap()).unwrap())
}

#[test]
fn every_kind_is_answered_as_an_error_that_says_what_to_do() {
    for kind in ProblemKind::ALL {
        let (head, body) = answer(&Problem::new(*kind));
        assert!(head.status().is_client_error() || head.status().is_server_error(), "{kind:?}");
        assert_eq!(body["status"], head.status().as_u16());
        assert_eq!(body["type"], kind.urn());
        assert_eq!(body["mend"], kind.mend().ja);
        assert_eq!(Schema::Problem.check(&body), Ok(()), "{kind:?}");
        assert_eq!(head.headers().get("content-type").unwrap(), MEDIA_TYPE);
        assert_eq!(head.headers().get("content-language").unwrap(), "ja, en");
        let unavailable = head.status() == StatusCode::SERVICE_UNAVAILABLE;
        assert!(!unavailable || head.headers().contains_key("retry-after"), "{kind:?}");
    }
}

#[test]
fn a_problem_with_everything_in_it_follows_its_schema() {
    let faults = Schema::Referral.check(&serde_json::json!({"type": 1, "legs": [{}]})).unwrap_err();
    let mut problem = Problem::illegal_transition("declined", vec!["note"])
        .law("個人情報の保護に関する法律27条1項")
        .code("CONSENT_PARTY")
        .mend(Text::new("同意を取り直してください。", "Obtain a consent that names the recipient."))
        .faults(faults)
        .signed("e30.e30.AA".into());
    problem.kind = ProblemKind::DisclosureRefused;
    let (_, body) = answer(&problem);
    assert_eq!(Schema::Problem.check(&body), Ok(()));
    let members = [
        "allowed",
        "code",
        "detail",
        "detail_en",
        "errors",
        "law",
        "mend",
        "mend_en",
        "signed",
        "state",
        "status",
        "title",
        "title_en",
        "type",
    ];
    assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), members);
}

#[test]
fn an_occurrence_may_know_better_when_to_try_again() {
    let (head, _) = answer(&Problem::new(ProblemKind::Busy).retry_after(30));
    assert_eq!(head.headers().get("retry-after").unwrap(), "30");
    let (head, _) = answer(&Problem::new(ProblemKind::Unauthorised));
    assert_eq!(head.headers().get("www-authenticate").unwrap(), "Bearer");
}
