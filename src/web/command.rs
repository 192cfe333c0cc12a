//! What a changing request brings: its key, its version, its body. Read once, bounded, before any work.

use std::{future::Future, pin::Pin};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    error::PayloadError,
    http::header::{CONTENT_TYPE, IF_MATCH},
    web::Bytes,
};
use serde_json::Value;

use super::caller::{context, header, prefers_dry_run};
use crate::{
    domain::problem::{Problem, ProblemKind},
    usecases::{Caller, Command, json_door, schema::Schema},
};

/// A change by an agency's system, not yet checked against its schema.
pub struct Posted {
    pub caller: Caller,
    key: Option<Result<String, Problem>>,
    version: Option<Result<i64, Problem>>,
    body: Bytes,
    limits: json_door::Limits,
    /// Whether only what would happen is asked for (`Prefer: dry-run`).
    pub dry_run: bool,
}

impl FromRequest for Posted {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limits =
            json_door::Limits { bytes: context(request).settings.body_limit, ..json_door::Limits::default() };
        let caller = Caller::from_request(request, payload);
        let media = media_type(request);
        let key = header(request, "Idempotency-Key").map(idempotency_key);
        let version = header(request, IF_MATCH.as_str()).map(|text| if_match(&text));
        let dry_run = prefers_dry_run(request);
        let body = Bytes::from_request(request, payload);
        Box::pin(async move {
            // Who asks comes first: nobody else learns anything about how requests are read.
            let caller = caller.await?;
            media?;
            let body = body.await.map_err(|error| match error.as_error::<PayloadError>() {
                Some(PayloadError::Overflow) => {
                    json_door::Refusal::from(json_door::Cause::TooLarge { limit: limits.bytes }).into()
                }
                _ => Problem::new(ProblemKind::MalformedJson),
            })?;
            Ok(Self { caller, key, version, body, limits, dry_run })
        })
    }
}

impl Posted {
    /// The body as a document of `schema`.
    pub fn document(&self, schema: Schema) -> Result<Value, Problem> {
        let value = json_door::read(&self.body, self.limits)?;
        schema.check(&value).map_err(Problem::schema_violation)?;
        Ok(value)
    }

    /// The version the caller has read.
    pub fn version(&mut self) -> Result<i64, Problem> {
        self.version.take().unwrap_or_else(|| Err(Problem::new(ProblemKind::VersionMissing)))
    }

    /// The command of a dry run: nothing will be remembered of it, so it needs no key.
    pub fn rehearsal(self, schema: Schema) -> Result<(Caller, Command), Problem> {
        let document = self.document(schema)?;
        Ok((self.caller, Command { key: String::new(), route: String::new(), body: Vec::new(), document }))
    }

    /// The whole command. `route` and `about` tell which request the key was used for.
    pub fn command(mut self, schema: Schema, route: String) -> Result<(Caller, Command), Problem> {
        let key = self.key.take().unwrap_or_else(|| Err(Problem::new(ProblemKind::KeyMissing)))?;
        let document = self.document(schema)?;
        Ok((self.caller, Command { key, route, body: self.body.to_vec(), document }))
    }
}

fn media_type(request: &HttpRequest) -> Result<(), Problem> {
    let text = header(request, CONTENT_TYPE.as_str()).unwrap_or_default().to_ascii_lowercase();
    let mut parts = text.split(';').map(str::trim);
    let json = parts.next() == Some("application/json");
    // RFC 8259 knows no charset; saying UTF-8 is harmless, saying another is a mistake worth telling.
    let charset = parts.find_map(|part| part.strip_prefix("charset=")).map(|name| name.trim_matches('"'));
    match (json, charset) {
        (true, None | Some("utf-8")) => Ok(()),
        (true, Some(_)) => Err(Problem::new(ProblemKind::WrongEncoding)),
        (false, _) => Err(Problem::new(ProblemKind::UnsupportedMediaType)),
    }
}

fn idempotency_key(text: String) -> Result<String, Problem> {
    let good = (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    if good { Ok(text) } else { Err(Problem::new(ProblemKind::KeyInvalid)) }
}

/// `If-Match: "7"`: the strong ETag this hub gave out, and only one.
fn if_match(text: &str) -> Result<i64, Problem> {
    text.strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| Problem::new(ProblemKind::VersionStale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_short_and_plain() {
        assert!(idempotency_key("a-1_B.2".to_owned()).is_ok());
        assert!(idempotency_key(String::new()).is_err());
        assert!(idempotency_key("x".repeat(129)).is_err());
        assert!(idempotency_key("山".to_owned()).is_err());
        assert!(idempotency_key("a b".to_owned()).is_err());
    }

    #[test]
    fn only_a_strong_tag_of_this_hub_matches() {
        assert_eq!(if_match("\"7\"").unwrap(), 7);
        for bad in ["7", "W/\"7\"", "*", "\"x\"", "\"7\", \"8\""] {
            assert!(if_match(bad).is_err(), "{bad}");
        }
    }
}
