//! The HTTP server: what every request meets before and after its handler.
//!
//! One line is logged per request: id, method, route, status, duration. Never logged: the path as sent, a query
//! string, a header, a body.

use std::{io, net::TcpListener, sync::Arc, time::Duration};

use actix_web::{
    App, Error, HttpServer,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::{DefaultHeaders, Next, from_fn},
    web::{Data, FormConfig, PathConfig, PayloadConfig, QueryConfig},
};
use tokio::time::{Instant, timeout};
use tracing::Instrument;
use uuid::Uuid;

use super::{caller::context, passwords::Turns};
use crate::{
    domain::problem::{Problem, ProblemKind},
    usecases::Context,
};

pub use actix_web::dev::Server;

/// The id under which a request stands in the log, told to the caller for when there is something to ask about.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How long a client may take to send a request's head.
const HEAD: Duration = Duration::from_secs(10);
/// How long one request may take in all, the sending of its body included: a body that trickles in must not
/// hold a connection for ever.
const REQUEST: Duration = Duration::from_secs(60);
/// How long an idle connection is kept for the next request.
const IDLE: Duration = Duration::from_secs(30);
/// Connections per worker. What is beyond them waits in the listener's backlog.
const CONNECTIONS: usize = 4096;
/// A form holds a client's id and secret, nothing longer.
const FORM: usize = 8 * 1024;

/// Whether doorbells can be rung at present. By what, is not the web's affair.
#[derive(Clone)]
pub struct Connected(Arc<dyn Fn() -> bool + Send + Sync>);

impl Connected {
    pub fn new(ask: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    pub fn now(&self) -> bool {
        (self.0)()
    }
}

/// What bounds the server besides the constants of this file and the body limit.
#[derive(Clone, Copy)]
pub struct Limits {
    /// Worker threads; 0 means one per CPU.
    pub workers: usize,
    /// What running requests are given when the server stops.
    pub shutdown_seconds: u64,
}

/// Makes the server; it serves when it is polled. It takes no signals: who runs it stops it.
///
/// # Errors
/// The listener cannot be used.
pub fn serve(
    listener: TcpListener,
    context: &Arc<Context>,
    connected: Connected,
    limits: Limits,
) -> io::Result<Server> {
    let context = Arc::clone(context);
    let turns = Turns::default();
    let mut server = HttpServer::new(move || {
        App::new()
            .app_data(Data::from(Arc::clone(&context)))
            .app_data(connected.clone())
            .app_data(turns.clone())
            .app_data(PayloadConfig::new(context.settings.body_limit))
            .app_data(FormConfig::default().limit(FORM))
            .app_data(PathConfig::default().error_handler(|_, _| Problem::new(ProblemKind::BadId).into()))
            .app_data(QueryConfig::default().error_handler(|_, _| Problem::new(ProblemKind::BadQuery).into()))
            .wrap(from_fn(watch))
            .wrap(security_headers())
            .configure(super::configure)
    })
    .client_request_timeout(HEAD)
    .keep_alive(IDLE)
    .max_connections(CONNECTIONS)
    .shutdown_timeout(limits.shutdown_seconds)
    .disable_signals();
    if limits.workers > 0 {
        server = server.workers(limits.workers);
    }
    Ok(server.listen(listener)?.run())
}

/// What every answer says unless it says something else: nothing may be kept, guessed, embedded or passed on.
fn security_headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((CACHE_CONTROL, "no-store"))
        .add((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((REFERRER_POLICY, "no-referrer"))
        .add((CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"))
}

/// Gives a request its id, its time and its line in the log.
async fn watch<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let began = Instant::now();
    let id: Uuid = context(request.request()).clock.new_random_id();
    let method = method(request.method());
    let span = tracing::info_span!("request", %id);
    let answered = timeout(REQUEST, next.call(request).instrument(span.clone())).await;
    let _entered = span.enter();
    let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let Ok(answered) = answered else {
        tracing::warn!(method, ms, "a request was given up");
        let reading = matches!(method, "GET" | "HEAD");
        let kind = if reading { ProblemKind::Unavailable } else { ProblemKind::OutcomeUnknown };
        return Err(Problem::new(kind).into());
    };
    let mut answer = answered?;
    let route = answer.request().match_pattern().unwrap_or_else(|| "unknown".to_owned());
    tracing::info!(method, route, status = answer.status().as_u16(), ms, "answered");
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        answer.headers_mut().insert(REQUEST_ID, id);
    }
    Ok(answer)
}

/// A method by a name of this program: a client may call its own as it likes, and names are for logs.
fn method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        "PATCH" => "PATCH",
        _ => "other",
    }
}
