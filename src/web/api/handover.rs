//! Hand-over addresses.

use actix_web::{HttpRequest, HttpResponse, web::Path};

use crate::{
    domain::{ids::HandoverId, problem::Problem},
    usecases::{Caller, handover, schema::Schema},
    web::{
        caller::context,
        command::Posted,
        problem::{created, done, ok, versioned},
        query::{BEFORE, LIMIT, Query},
    },
};

/// POST /v1/handovers
pub async fn give(request: HttpRequest, posted: Posted) -> Result<HttpResponse, Problem> {
    let (caller, command) = posted.command(Schema::Handover, "POST /v1/handovers".to_owned())?;
    handover::give(&context(&request), &caller, &command).await.map(created)
}

/// GET /v1/handovers
pub async fn list(request: HttpRequest, caller: Caller) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &[&BEFORE, &LIMIT])?;
    let (before, limit) = (query.get(&BEFORE)?, query.get(&LIMIT)?.unwrap_or_default());
    handover::list(&context(&request), &caller, before, limit).await.map(ok)
}

/// GET /v1/handovers/{id}
pub async fn read(request: HttpRequest, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: HandoverId = id.parse()?;
    handover::read(&context(&request), &caller, id).await.map(versioned)
}

/// POST /v1/handovers/{id}/revoke
pub async fn revoke(
    request: HttpRequest,
    mut posted: Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: HandoverId = id.parse()?;
    let version = posted.version()?;
    let route = format!("POST /v1/handovers/{id}/revoke @{version}");
    let (caller, command) = posted.command(Schema::HandoverRevoke, route)?;
    handover::revoke(&context(&request), &caller, id, version, &command).await.map(done)
}
