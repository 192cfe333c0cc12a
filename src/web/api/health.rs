//! What anybody may ask: whether the hub lives, whether it can accept, its keys, its description.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::web::{caller::context, openapi, problem, server::Connected};

/// A database that takes longer to say that it is there is not there for a referral either.
const ANSWER: Duration = Duration::from_secs(2);

/// The state of one part. Words only: a number here would tell anybody how busy the agencies are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Ok,
    /// Referrals are accepted; something waits longer than it should.
    Degraded,
    /// Nothing can be accepted.
    Down,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }
}

/// `GET /healthz`: the process answers.
pub async fn alive() -> HttpResponse {
    problem::ok(report(State::Ok, &[]))
}

/// `GET /readyz`: whether a referral sent now would be accepted. A broker that is away only delays doorbells.
pub async fn ready(request: HttpRequest) -> HttpResponse {
    let context = context(&request);
    let database = match timeout(ANSWER, context.ledger.ping()).await {
        Ok(Ok(())) => State::Ok,
        Ok(Err(_)) | Err(_) => State::Down,
    };
    let connected = request.app_data::<Connected>().expect("invariant: server.rs installs it");
    let transport = if connected.now() { State::Ok } else { State::Degraded };
    let (waiting, room) = context.ledger.pressure();
    let writes = if waiting * 2 < room { State::Ok } else { State::Degraded };
    let checks = [("database", database), ("transport", transport), ("waiting", writes)];
    let worst = checks.iter().map(|(_, state)| *state).max().unwrap_or(State::Ok);
    problem::readiness(worst != State::Down, report(worst, &checks))
}

fn report(state: State, checks: &[(&str, State)]) -> String {
    let checks: Vec<Value> =
        checks.iter().map(|(name, state)| json!({ "name": name, "status": state.word() })).collect();
    json!({ "status": state.word(), "version": env!("CARGO_PKG_VERSION"), "checks": checks }).to_string()
}

/// `GET /openapi.json`
pub async fn openapi() -> HttpResponse {
    problem::ok(openapi::TEXT.clone())
}

/// `GET /.well-known/jwks.json`
pub async fn jwks(request: HttpRequest) -> HttpResponse {
    problem::ok(context(&request).vault.jwks().to_string())
}
