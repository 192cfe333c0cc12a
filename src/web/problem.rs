//! Answers as HTTP: problems and successes. This is the only file that knows a status code.

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError,
    http::{
        StatusCode,
        header::{
            ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, ETAG,
            HeaderName, HeaderValue, LINK, LOCATION, PRAGMA, REFERRER_POLICY, RETRY_AFTER, SET_COOKIE, VARY,
            WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
        },
    },
};
use serde::Serialize;
use serde_json::json;

use crate::{
    domain::{
        fault::Text,
        problem::{Problem, ProblemKind},
    },
    usecases::{Answer, read::Seen},
};

/// Says that nothing was done (RFC 7240 §3).
const APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Says that an answer is the stored one of an earlier, equal request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// 200 with a JSON document.
pub fn ok(text: String) -> HttpResponse {
    document(StatusCode::OK, text)
}

/// 200 with a text to print.
pub fn plain(text: String) -> HttpResponse {
    HttpResponse::build(StatusCode::OK)
        .insert_header((CACHE_CONTROL, "no-store"))
        .content_type("text/plain; charset=utf-8")
        .body(text)
}

/// 201 with what was made, now or when this request came first.
pub fn created(answer: Answer) -> HttpResponse {
    keyed(StatusCode::CREATED, answer)
}

/// 200 with what was done, now or when this request came first.
pub fn done(answer: Answer) -> HttpResponse {
    keyed(StatusCode::OK, answer)
}

/// 200 with what would happen; nothing did.
pub fn rehearsed(text: String) -> HttpResponse {
    let mut response = ok(text);
    response.headers_mut().insert(APPLIED, HeaderValue::from_static("dry-run"));
    response
}

fn keyed(status: StatusCode, answer: Answer) -> HttpResponse {
    let mut response = document(status, answer.text);
    if answer.replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// 200 with a resource and its version, which a change sends back as `If-Match`.
pub fn versioned(seen: Seen) -> HttpResponse {
    let mut response = ok(seen.text);
    // A number between quotes is always a valid header.
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", seen.version)) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// 204: done, and there is nothing to say.
pub fn no_content() -> HttpResponse {
    HttpResponse::build(StatusCode::NO_CONTENT).insert_header((CACHE_CONTROL, "no-store")).finish()
}

/// 200 with a form to print, under a policy of its own that says what a browser may do with it.
pub fn printed(html: String, policy: &str, language: &'static str) -> HttpResponse {
    HttpResponse::build(StatusCode::OK)
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((CONTENT_LANGUAGE, language))
        .content_type("text/html; charset=utf-8")
        .body(html)
}

/// 200 with a sheet to save, and where the next page of it is.
pub fn sheet(body: Vec<u8>, next: Option<String>) -> HttpResponse {
    let mut answer = HttpResponse::build(StatusCode::OK);
    answer
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"provision-records.csv\""))
        .content_type("text/csv; charset=utf-8");
    if let Some(next) = next {
        answer.insert_header((LINK, next));
    }
    answer.body(body)
}

/// What is answered belongs to its caller, so no cache on the way may keep it.
fn document(status: StatusCode, text: String) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((CACHE_CONTROL, "no-store"))
        .content_type("application/json")
        .body(text)
}

/// What a page may load: its style sheet, and nothing else from anywhere. It sends forms to this hub only.
const PAGE_POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// 200 with a page.
pub fn page(language: &'static str, html: String) -> HttpResponse {
    in_html(HttpResponse::build(StatusCode::OK), language, html)
}

/// The page of a sign-in that did not succeed, for whatever reason.
pub fn page_with_refusal(language: &'static str, html: String) -> HttpResponse {
    in_html(HttpResponse::build(status(ProblemKind::Forbidden)), language, html)
}

/// A problem as a page, with the status it has as a document.
pub fn refused_page(problem: &Problem, language: &'static str, html: String) -> HttpResponse {
    let mut answer = HttpResponse::build(status(problem.kind));
    if let Some(seconds) = problem.retry_after.or(retry_after(problem.kind)) {
        answer.insert_header((RETRY_AFTER, seconds));
    }
    in_html(answer, language, html)
}

fn in_html(mut answer: HttpResponseBuilder, language: &'static str, html: String) -> HttpResponse {
    answer
        .insert_header((CONTENT_LANGUAGE, language))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_SECURITY_POLICY, PAGE_POLICY))
        // With "no-referrer" a browser would hide from us, too, from where a form was sent.
        .insert_header((REFERRER_POLICY, "same-origin"))
        .insert_header((VARY, "Accept-Language, Cookie"))
        .content_type("text/html; charset=utf-8")
        .body(html)
}

/// 303: what was asked for stands there, to be fetched with GET.
pub fn see_other(path: &str) -> HttpResponse {
    HttpResponse::build(StatusCode::SEE_OTHER)
        .insert_header((LOCATION, path))
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish()
}

/// 303, with a cookie to keep or to forget.
pub fn see_other_with_cookie(path: &str, cookie: &str) -> HttpResponse {
    HttpResponse::build(StatusCode::SEE_OTHER)
        .insert_header((LOCATION, path))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((SET_COOKIE, cookie))
        .finish()
}

/// 200 with a style sheet whose name changes with it.
pub fn style(text: &'static str) -> HttpResponse {
    HttpResponse::build(StatusCode::OK)
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .content_type("text/css; charset=utf-8")
        .body(text)
}

/// The media type of a problem document (RFC 9457 §3).
pub const MEDIA_TYPE: &str = "application/problem+json";

/// The HTTP status of a kind of problem.
pub const fn status(kind: ProblemKind) -> StatusCode {
    use ProblemKind as K;
    match kind {
        K::MalformedJson
        | K::WrongEncoding
        | K::TooDeep
        | K::BadId
        | K::BadQuery
        | K::KeyMissing
        | K::KeyInvalid
        | K::NoDryRun => StatusCode::BAD_REQUEST,
        K::Unauthorised => StatusCode::UNAUTHORIZED,
        K::Forbidden | K::OpeningRefused | K::BreakGlassRefused => StatusCode::FORBIDDEN,
        K::NotFound => StatusCode::NOT_FOUND,
        K::Shredded => StatusCode::GONE,
        K::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        K::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
        K::StillRunning
        | K::IllegalTransition
        | K::AlreadyThere
        | K::ChannelUnavailable
        | K::RetentionHold => StatusCode::CONFLICT,
        K::VersionStale | K::PreviewDiffers => StatusCode::PRECONDITION_FAILED,
        K::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        K::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        K::SchemaViolation
        | K::UnknownCode
        | K::ImpossibleDate
        | K::KeyReused
        | K::DisclosureRefused
        | K::ConfirmationNeeded => StatusCode::UNPROCESSABLE_ENTITY,
        K::VersionMissing => StatusCode::PRECONDITION_REQUIRED,
        K::Busy | K::OutcomeUnknown | K::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        K::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Seconds to wait before trying again, where trying again is the right thing to do.
pub const fn retry_after(kind: ProblemKind) -> Option<u32> {
    match kind {
        ProblemKind::StillRunning | ProblemKind::Busy | ProblemKind::OutcomeUnknown => Some(1),
        ProblemKind::Unavailable => Some(5),
        _ => None,
    }
}

/// How ready the hub is, as JSON; 503 keeps a balancer from sending requests here.
pub fn readiness(ready: bool, text: String) -> HttpResponse {
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    document(status, text)
}

/// A path that is not in the table.
pub async fn no_such_path() -> Result<HttpResponse, Problem> {
    let mend = Text::new(
        "URLを確かめてください。APIの説明は /openapi.json にあります。",
        "Check the URL; /openapi.json describes the API.",
    );
    Err(Problem::new(ProblemKind::NotFound).mend(mend))
}

/// A path of the table with a method that it has not (RFC 9110 §15.5.6).
pub async fn method_not_allowed(request: HttpRequest) -> HttpResponse {
    let pattern = request.match_pattern().unwrap_or_default();
    let methods = super::TABLE.iter().filter(|row| row.path == pattern).map(|row| row.method);
    let mut answer = HttpResponse::build(status(ProblemKind::MethodNotAllowed));
    answer.insert_header((ALLOW, methods.collect::<Vec<_>>().join(", ")));
    fill(answer, &Problem::new(ProblemKind::MethodNotAllowed))
}

/// What a token endpoint says in the form of RFC 6749 §5.2, which OAuth clients read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFault {
    InvalidRequest,
    InvalidClient {
        /// The client tried HTTP Basic, so it is told that this is the way.
        basic: bool,
    },
    UnsupportedGrantType,
    InvalidScope,
}

impl TokenFault {
    /// The code, and what is wrong in English (RFC 6749 allows ASCII only) and in Japanese.
    const fn texts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::InvalidRequest => (
                "invalid_request",
                "Send a form with grant_type=client_credentials, and the client id and secret once: by HTTP Basic or in the form",
                "grant_type=client_credentials を含むフォームを送り、機関のIDとシークレットは HTTP Basic かフォームのどちらか一方で、1回だけ渡してください。",
            ),
            Self::InvalidClient { .. } => (
                "invalid_client",
                "The client id or its secret is not right, or the agency is not active",
                "機関のIDかシークレットが正しくないか、機関が有効ではありません。",
            ),
            Self::UnsupportedGrantType => (
                "unsupported_grant_type",
                "Only client_credentials is supported",
                "grant_type は client_credentials だけが使えます。",
            ),
            Self::InvalidScope => (
                "invalid_scope",
                "There are no scopes; leave the parameter out",
                "scope はありません。指定しないでください。",
            ),
        }
    }

    pub fn answer(self) -> HttpResponse {
        let status = match self {
            Self::InvalidClient { .. } => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        let mut answer = HttpResponse::build(status);
        answer.insert_header((CACHE_CONTROL, "no-store")).insert_header((PRAGMA, "no-cache"));
        if self == (Self::InvalidClient { basic: true }) {
            answer.insert_header((WWW_AUTHENTICATE, "Basic realm=\"tsunagu\", charset=\"UTF-8\""));
        }
        let (error, english, japanese) = self.texts();
        let body = json!({ "error": error, "error_description": english, "error_description_ja": japanese });
        answer.content_type("application/json").body(body.to_string())
    }
}

/// The problem document with the status that HTTP adds to it.
#[derive(Serialize)]
struct Body<'a> {
    status: u16,
    #[serde(flatten)]
    problem: &'a Problem,
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        status(self.kind)
    }

    fn error_response(&self) -> HttpResponse {
        fill(HttpResponse::build(self.status_code()), self)
    }
}

/// Writes a problem into an answer that has its status.
fn fill(mut answer: HttpResponseBuilder, problem: &Problem) -> HttpResponse {
    // Both languages stand side by side, so the answer does not vary by Accept-Language.
    answer.insert_header((CONTENT_LANGUAGE, "ja, en")).insert_header((CACHE_CONTROL, "no-store"));
    if let Some(seconds) = problem.retry_after.or(retry_after(problem.kind)) {
        answer.insert_header((RETRY_AFTER, seconds));
    }
    if problem.kind == ProblemKind::Unauthorised {
        answer.insert_header((WWW_AUTHENTICATE, "Bearer"));
    }
    answer.content_type(MEDIA_TYPE);
    // A problem holds texts and numbers only; were it unwritable all the same, the status must still go out.
    match serde_json::to_vec(&Body { status: status(problem.kind).as_u16(), problem }) {
        Ok(body) => answer.body(body),
        Err(_) => answer.finish(),
    }
}

#[cfg(test)]
mod tests;
