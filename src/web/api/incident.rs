//! Incidents, for supervisors and privacy officers of the agency that sent.

use actix_web::{HttpRequest, HttpResponse, web::Path};

use crate::{
    domain::{ids::IncidentId, incident::IncidentState, problem::Problem},
    usecases::{Caller, incident, schema::Schema},
    web::{
        caller::{context, named_staff},
        command::Posted,
        problem::{done, ok, plain, versioned},
        query::{BEFORE, LIMIT, Parameter, Query},
    },
};

const STATE: Parameter =
    Parameter::new("state", "事案の状態のコード", "a code of the list of incident states");

/// GET /v1/incidents
pub async fn list(request: HttpRequest, caller: Caller) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &[&STATE, &BEFORE, &LIMIT])?;
    let state = query.get(&STATE)?.unwrap_or(IncidentState::Open);
    let (before, limit) = (query.get(&BEFORE)?, query.get(&LIMIT)?.unwrap_or_default());
    let staff = named_staff(&request);
    incident::incidents(&context(&request), &caller, staff.as_deref(), state, before, limit).await.map(ok)
}

/// GET /v1/incidents/{id}
pub async fn read(request: HttpRequest, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: IncidentId = id.parse()?;
    let staff = named_staff(&request);
    incident::incident(&context(&request), &caller, id, staff.as_deref()).await.map(versioned)
}

/// GET /v1/incidents/{id}/report
pub async fn report(request: HttpRequest, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: IncidentId = id.parse()?;
    let staff = named_staff(&request);
    incident::report(&context(&request), &caller, id, staff.as_deref()).await.map(plain)
}

/// POST /v1/incidents/{id}/close
pub async fn close(
    request: HttpRequest,
    mut posted: Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: IncidentId = id.parse()?;
    let version = posted.version()?;
    let route = format!("POST /v1/incidents/{id}/close @{version}");
    let (caller, command) = posted.command(Schema::IncidentClose, route)?;
    incident::close(&context(&request), &caller, id, version, &command).await.map(done)
}
