//! Disclosure requests (開示請求), for privacy officers.

use actix_web::{HttpRequest, HttpResponse, web::Path};

use crate::{
    domain::{
        access_request::AccessState,
        ids::AccessRequestId,
        problem::{Problem, ProblemKind},
    },
    usecases::{Caller, access_request, schema::Schema, subject_export},
    web::{
        caller::{context, named_staff},
        command::Posted,
        pages,
        problem::{created, done, ok, printed, versioned},
        query::{BEFORE, LIMIT, Parameter, Query},
    },
};

const STATE: Parameter =
    Parameter::new("state", "開示請求の状態のコード", "a code of the list of states of a disclosure request");

/// POST /v1/disclosure-requests
pub async fn receive(request: HttpRequest, posted: Posted) -> Result<HttpResponse, Problem> {
    let route = "POST /v1/disclosure-requests".to_owned();
    let (caller, command) = posted.command(Schema::AccessRequest, route)?;
    access_request::receive(&context(&request), &caller, &command).await.map(created)
}

/// GET /v1/disclosure-requests
pub async fn list(request: HttpRequest, caller: Caller) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &[&STATE, &BEFORE, &LIMIT])?;
    let state = query.get(&STATE)?.unwrap_or(AccessState::Received);
    let (before, limit) = (query.get(&BEFORE)?, query.get(&LIMIT)?.unwrap_or_default());
    let staff = named_staff(&request);
    access_request::list(&context(&request), &caller, staff.as_deref(), state, before, limit).await.map(ok)
}

/// GET /v1/disclosure-requests/{id}
pub async fn read(request: HttpRequest, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: AccessRequestId = id.parse()?;
    let staff = named_staff(&request);
    access_request::read(&context(&request), &caller, id, staff.as_deref()).await.map(versioned)
}

/// POST /v1/disclosure-requests/{id}/steps
pub async fn step(
    request: HttpRequest,
    mut posted: Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: AccessRequestId = id.parse()?;
    let version = posted.version()?;
    let route = format!("POST /v1/disclosure-requests/{id}/steps @{version}");
    let (caller, command) = posted.command(Schema::AccessRequestStep, route)?;
    access_request::step(&context(&request), &caller, id, version, &command).await.map(done)
}

/// GET /v1/disclosure-requests/{id}/preparation
pub async fn preparation(
    request: HttpRequest,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: AccessRequestId = id.parse()?;
    let staff = named_staff(&request);
    subject_export::preparation(&context(&request), &caller, id, staff.as_deref()).await.map(ok)
}

/// GET /v1/disclosure-requests/{id}/export
pub async fn export(request: HttpRequest, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: AccessRequestId = id.parse()?;
    let staff = named_staff(&request);
    let document = subject_export::export(&context(&request), &caller, id, staff.as_deref()).await?;
    Ok(ok(document.to_string()))
}

/// GET /v1/disclosure-requests/{id}/export/page
pub async fn page(request: HttpRequest, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: AccessRequestId = id.parse()?;
    let staff = named_staff(&request);
    let document = subject_export::export(&context(&request), &caller, id, staff.as_deref()).await?;
    let html = pages::subject_export::page(&document).map_err(|error| {
        tracing::error!(%error, "the page of an export could not be written");
        Problem::new(ProblemKind::Internal)
    })?;
    Ok(printed(html, &pages::print::POLICY, "ja"))
}
