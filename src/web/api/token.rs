//! `POST /v1/token`: OAuth 2.0 client credentials (RFC 6749 §4.4).
//!
//! Faults of the grant are answered in the form of RFC 6749 §5.2, which every OAuth client reads; what has nothing
//! to do with the grant, such as a body that is too large or a hub that is busy, is a problem document as everywhere.

use actix_web::{
    HttpRequest, HttpResponse,
    error::UrlencodedError,
    http::header::{AUTHORIZATION, PRAGMA},
    web::{Form, Query},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;

use crate::{
    domain::problem::{Problem, ProblemKind},
    usecases::authenticate,
    web::{
        caller::{context, prefers_dry_run},
        problem::{self, TokenFault},
    },
};

/// The parameters of the request. Others are ignored (RFC 6749 §3.2); one that is there twice is a fault.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Grant {
    grant_type: String,
    client_id: String,
    client_secret: String,
    scope: String,
}

/// Who asks, by which way.
#[derive(Debug, PartialEq, Eq)]
struct Client {
    id: String,
    secret: String,
    basic: bool,
}

pub async fn issue(
    request: HttpRequest,
    form: Result<Form<Grant>, actix_web::Error>,
) -> Result<HttpResponse, Problem> {
    if prefers_dry_run(&request) {
        return Err(Problem::new(ProblemKind::NoDryRun));
    }
    let grant = match form {
        Ok(Form(grant)) => grant,
        Err(error) => {
            return match error.as_error::<UrlencodedError>() {
                Some(UrlencodedError::Overflow { .. }) => Err(Problem::new(ProblemKind::TooLarge)),
                _ => Ok(TokenFault::InvalidRequest.answer()),
            };
        }
    };
    let client = match client(&request, grant) {
        Ok(client) => client,
        Err(fault) => return Ok(fault.answer()),
    };
    match authenticate::token(&context(&request), &client.id, &client.secret).await {
        Ok(token) => {
            let mut answer = problem::ok(token);
            answer
                .headers_mut()
                .insert(PRAGMA, actix_web::http::header::HeaderValue::from_static("no-cache"));
            Ok(answer)
        }
        Err(problem) if problem.kind == ProblemKind::Unauthorised => {
            Ok(TokenFault::InvalidClient { basic: client.basic }.answer())
        }
        Err(problem) => Err(problem),
    }
}

/// The client of a well-formed request: by HTTP Basic or by the form, never by both (RFC 6749 §2.3).
fn client(request: &HttpRequest, grant: Grant) -> Result<Client, TokenFault> {
    match grant.grant_type.as_str() {
        "client_credentials" => {}
        "" => return Err(TokenFault::InvalidRequest),
        _ => return Err(TokenFault::UnsupportedGrantType),
    }
    if !grant.scope.is_empty() {
        return Err(TokenFault::InvalidScope);
    }
    let mut headers = request.headers().get_all(AUTHORIZATION);
    match (headers.next(), headers.next()) {
        (None, _) if grant.client_id.is_empty() || grant.client_secret.is_empty() => {
            Err(TokenFault::InvalidClient { basic: false })
        }
        (None, _) => Ok(Client { id: grant.client_id, secret: grant.client_secret, basic: false }),
        (Some(header), None) if grant.client_secret.is_empty() => {
            let client = header.to_str().ok().and_then(basic);
            let client = client.ok_or(TokenFault::InvalidClient { basic: true })?;
            // The id may be said again, as long as it is the same.
            let same = grant.client_id.is_empty() || grant.client_id == client.id;
            if same { Ok(client) } else { Err(TokenFault::InvalidRequest) }
        }
        (Some(_), _) => Err(TokenFault::InvalidRequest),
    }
}

/// `Basic base64(id:secret)`, both parts form-encoded before (RFC 6749 §2.3.1).
fn basic(header: &str) -> Option<Client> {
    let (scheme, credentials) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let credentials = String::from_utf8(BASE64_STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = credentials.split_once(':')?;
    // What is form-encoded is read by the reader of forms.
    let form = format!("client_id={id}&client_secret={secret}");
    let Query(Grant { client_id, client_secret, .. }) = Query::from_query(&form).ok()?;
    Some(Client { id: client_id, secret: client_secret, basic: true })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    const GRANT: &str = "client_credentials";

    fn grant(grant_type: &str, id: &str, secret: &str) -> Grant {
        Grant {
            grant_type: grant_type.to_owned(),
            client_id: id.to_owned(),
            client_secret: secret.to_owned(),
            scope: String::new(),
        }
    }

    fn with_basic(text: &str, grant: Grant) -> Result<Client, TokenFault> {
        let header = format!("Basic {}", BASE64_STANDARD.encode(text));
        client(&TestRequest::default().insert_header((AUTHORIZATION, header)).to_http_request(), grant)
    }

    fn in_form(grant: Grant) -> Result<Client, TokenFault> {
        client(&TestRequest::default().to_http_request(), grant)
    }

    #[test]
    fn a_client_names_itself_one_way() {
        let by_form = in_form(grant(GRANT, "a", "s")).unwrap();
        assert_eq!(by_form, Client { id: "a".to_owned(), secret: "s".to_owned(), basic: false });
        let by_header = with_basic("a:s", grant(GRANT, "", "")).unwrap();
        assert_eq!(by_header, Client { basic: true, ..by_form });
        assert!(with_basic("a:s", grant(GRANT, "a", "")).is_ok());
        assert_eq!(with_basic("a:s", grant(GRANT, "b", "")), Err(TokenFault::InvalidRequest));
        assert_eq!(with_basic("a:s", grant(GRANT, "a", "s")), Err(TokenFault::InvalidRequest));
        assert_eq!(in_form(grant(GRANT, "a", "")), Err(TokenFault::InvalidClient { basic: false }));
        assert_eq!(
            with_basic("no colon", grant(GRANT, "", "")),
            Err(TokenFault::InvalidClient { basic: true })
        );
    }

    #[test]
    fn basic_credentials_are_form_encoded() {
        let client = with_basic("a%2Db:s%26client_id%3Dx+y", grant(GRANT, "", "")).unwrap();
        assert_eq!((client.id.as_str(), client.secret.as_str()), ("a-b", "s&client_id=x y"));
        assert!(with_basic("a:s&client_id=b", grant(GRANT, "", "")).is_err(), "a second id is smuggled in");
    }

    #[test]
    fn only_one_grant_and_no_scope() {
        assert_eq!(in_form(grant("", "a", "s")), Err(TokenFault::InvalidRequest));
        assert_eq!(in_form(grant("password", "a", "s")), Err(TokenFault::UnsupportedGrantType));
        let scoped = Grant { scope: "all".to_owned(), ..grant(GRANT, "a", "s") };
        assert_eq!(in_form(scoped), Err(TokenFault::InvalidScope));
    }
}
