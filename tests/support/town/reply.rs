//! What came back over HTTP, and the record of everything that did.

use std::sync::{Arc, Mutex};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::Value;

/// One answer, whole.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }

    pub fn code(&self) -> u16 {
        self.status.as_u16()
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the hub answers in UTF-8")
    }

    /// The document; null where there is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// This answer, which must be a success.
    #[track_caller]
    pub fn good(self) -> Self {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text());
        self
    }

    /// The document of a success.
    #[track_caller]
    pub fn value(self) -> Value {
        self.good().json()
    }

    /// A text at a JSON pointer of a success.
    #[track_caller]
    pub fn at(&self, pointer: &str) -> String {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text());
        let value = self.json();
        let found = value.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("{pointer} in {value}")).to_owned()
    }

    /// The last part of a problem's type, such as `not-found`.
    #[track_caller]
    pub fn problem(&self) -> String {
        let value = self.json();
        let kind = value["type"].as_str().and_then(|urn| urn.strip_prefix("urn:tsunagu:problem:"));
        kind.unwrap_or_else(|| panic!("{} is no problem: {value}", self.status)).to_owned()
    }

    /// The body, and after it the payload of every JWS in it: what the answer says, folded up or not.
    pub fn unfolded(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.body).into_owned();
        let payloads: Vec<String> = text.split('"').filter_map(payload).collect();
        for payload in payloads {
            text.push('\n');
            text.push_str(&payload);
        }
        text
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// What a compact JWS says.
pub fn payload(jws: &str) -> Option<String> {
    let mut parts = jws.split('.');
    let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

/// One request with its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The id of the agency that asked; empty for nobody.
    pub caller: String,
    pub method: String,
    pub url: String,
    pub reply: Reply,
}

/// Everything that was asked and answered, in order.
#[derive(Clone, Debug, Default)]
pub struct Traffic(Arc<Mutex<Vec<Exchange>>>);

impl Traffic {
    pub fn push(&self, exchange: Exchange) {
        self.0.lock().unwrap().push(exchange);
    }

    /// What was recorded so far.
    pub fn all(&self) -> Vec<Exchange> {
        self.0.lock().unwrap().clone()
    }
}
