//! The hub as an agency's own system meets it: over HTTP, with the agency's own token and by no other way.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::{
    super::{Said, Stopped},
    cast::Member,
};

/// An answer that takes longer will not come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client of one hub.
pub(super) struct Api {
    http: reqwest::Client,
    hub: String,
}

/// What came back, byte for byte.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub text: String,
    /// Whether the hub says that this request was answered before.
    pub replayed: bool,
}

impl Answer {
    /// The document, or null where there is none.
    pub fn document(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The code of a refusal.
    pub fn code(&self) -> String {
        self.document()["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// What a request brings besides its path.
#[derive(Default)]
pub(super) struct With<'a> {
    /// `Idempotency-Key`
    pub key: Option<&'a str>,
    /// `If-Match`
    pub version: Option<i64>,
    /// `Tsunagu-Staff`
    pub staff: Option<String>,
    pub body: Option<&'a Value>,
}

impl Api {
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn new(hub: String) -> Result<Self, Stopped> {
        // A proxy of the user's would be asked for 127.0.0.1, which it cannot reach.
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .build()
            .map_err(|error| broken(&error))?;
        Ok(Self { http, hub })
    }

    pub fn hub(&self) -> &str {
        &self.hub
    }

    /// A fresh access token by client credentials.
    ///
    /// # Errors
    /// The hub gave none.
    pub async fn token(&self, member: &Member) -> Result<String, Stopped> {
        let id = member.id.to_string();
        // The secret is base64url and the id a UUID: neither needs escaping in a form.
        let form =
            format!("grant_type=client_credentials&client_id={id}&client_secret={}", member.secret.reveal());
        let request = self.http.post(format!("{}/v1/token", self.hub)).body(form);
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        let answer = send(request).await?;
        match answer.document()["access_token"].as_str() {
            Some(token) if answer.status == 200 => Ok(token.to_owned()),
            _ => Err(unexpected("POST /v1/token", &answer)),
        }
    }

    /// What anybody may read.
    ///
    /// # Errors
    /// Anything but 200.
    pub async fn public(&self, path: &str) -> Result<Answer, Stopped> {
        let answer = send(self.http.get(format!("{}{path}", self.hub))).await?;
        if answer.status == 200 { Ok(answer) } else { Err(unexpected(path, &answer)) }
    }

    /// Asks in a member's name; every status is an answer.
    ///
    /// # Errors
    /// The hub does not answer.
    pub async fn ask(
        &self,
        member: &Member,
        method: Method,
        path: &str,
        with: With<'_>,
    ) -> Result<Answer, Stopped> {
        let mut request = self.http.request(method, format!("{}{path}", self.hub)).bearer_auth(&member.token);
        if let Some(key) = with.key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(version) = with.version {
            request = request.header("If-Match", format!("\"{version}\""));
        }
        if let Some(staff) = with.staff {
            request = request.header("Tsunagu-Staff", staff);
        }
        if let Some(body) = with.body {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        send(request).await
    }

    /// A document that the hub must give.
    ///
    /// # Errors
    /// Anything but 200.
    pub async fn read(&self, member: &Member, path: &str) -> Result<Value, Stopped> {
        let answer = self.ask(member, Method::GET, path, With::default()).await?;
        if answer.status == 200 { Ok(answer.document()) } else { Err(unexpected(path, &answer)) }
    }

    /// A change that the hub must make.
    ///
    /// # Errors
    /// Anything but 200, 201 or 204.
    pub async fn change(
        &self,
        member: &Member,
        method: Method,
        path: &str,
        with: With<'_>,
    ) -> Result<Answer, Stopped> {
        let answer = self.ask(member, method, path, with).await?;
        if matches!(answer.status, 200 | 201 | 204) { Ok(answer) } else { Err(unexpected(path, &answer)) }
    }
}

async fn send(request: RequestBuilder) -> Result<Answer, Stopped> {
    let response = request.send().await.map_err(|error| broken(&error))?;
    let status = response.status().as_u16();
    let replayed = response.headers().contains_key("Idempotency-Replayed");
    let text = response.text().await.map_err(|error| broken(&error))?;
    Ok(Answer { status, text, replayed })
}

fn broken(error: &reqwest::Error) -> Stopped {
    Stopped::failed(Said::new(
        format!("ハブと通信できません: {error}"),
        format!("the hub cannot be reached: {error}"),
    ))
}

/// An answer the demo did not count on: told whole, since every problem says what to do.
pub(super) fn unexpected(asked: &str, answer: &Answer) -> Stopped {
    let (status, text) = (answer.status, &answer.text);
    Stopped::failed(Said::new(
        format!("{asked} への応答が期待と違います（{status}）: {text}"),
        format!("{asked} was answered unexpectedly ({status}): {text}"),
    ))
}
