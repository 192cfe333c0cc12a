//! Break-glass (緊急閲覧), for the agency that opened and the one that sent.

use actix_web::{HttpRequest, HttpResponse, web::Path};

use crate::{
    domain::{ids::BreakGlassId, problem::Problem},
    ledger::leg::Side,
    usecases::{Caller, break_glass, schema::Schema},
    web::{
        caller::{context, named_staff},
        command::Posted,
        problem::{created, done, ok, versioned},
        query::{BEFORE, LIMIT, Parameter, Query},
    },
};

const SIDE: Parameter = Parameter::new("side", "sender または recipient", "sender or recipient");

/// POST /v1/break-glass
pub async fn break_it(request: HttpRequest, posted: Posted) -> Result<HttpResponse, Problem> {
    let (caller, command) = posted.command(Schema::BreakGlass, "POST /v1/break-glass".to_owned())?;
    break_glass::break_it(&context(&request), &caller, &command).await.map(created)
}

/// GET /v1/break-glass
pub async fn list(request: HttpRequest, caller: Caller) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &[&SIDE, &BEFORE, &LIMIT])?;
    let side = query.get(&SIDE)?.unwrap_or(Side::Sender);
    let (before, limit) = (query.get(&BEFORE)?, query.get(&LIMIT)?.unwrap_or_default());
    break_glass::list(&context(&request), &caller, side, before, limit).await.map(ok)
}

/// GET /v1/break-glass/{id}
pub async fn read(request: HttpRequest, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: BreakGlassId = id.parse()?;
    let staff = named_staff(&request);
    break_glass::read(&context(&request), &caller, id, staff.as_deref()).await.map(versioned)
}

/// POST /v1/break-glass/{id}/review
pub async fn review(
    request: HttpRequest,
    mut posted: Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: BreakGlassId = id.parse()?;
    let version = posted.version()?;
    let route = format!("POST /v1/break-glass/{id}/review @{version}");
    let (caller, command) = posted.command(Schema::BreakGlassReview, route)?;
    break_glass::review(&context(&request), &caller, id, version, &command).await.map(done)
}
