//! Cases, for the agency that keeps them.

use actix_web::{HttpRequest, HttpResponse, web::Path};

use crate::{
    domain::{
        case::CaseState,
        ids::{CaseId, StaffId},
        problem::Problem,
    },
    usecases::{
        Caller,
        case::{
            keep::{self, Change},
            look,
        },
        schema::Schema,
    },
    web::{
        caller::{context, named_staff},
        command::Posted,
        problem::{created, done, ok, versioned},
        query::{BEFORE, LIMIT, Parameter, Query},
    },
};

const STATE: Parameter = Parameter::new("state", "open か closed", "open or closed");
const STAFF: Parameter = Parameter::new("staff", "担当・副担当の職員のID", "the id of a member of staff");
const VERSION: Parameter = Parameter::new("version", "版の番号", "the number of a version");

/// POST /v1/cases
pub async fn open(request: HttpRequest, posted: Posted) -> Result<HttpResponse, Problem> {
    let (caller, command) = posted.command(Schema::Case, "POST /v1/cases".to_owned())?;
    keep::open(&context(&request), &caller, &command).await.map(created)
}

/// GET /v1/cases
pub async fn list(request: HttpRequest, caller: Caller) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &[&STATE, &STAFF, &BEFORE, &LIMIT])?;
    let state = query.get(&STATE)?.unwrap_or(CaseState::Open);
    let staff = query.get::<StaffId>(&STAFF)?;
    let (before, limit) = (query.get(&BEFORE)?, query.get(&LIMIT)?.unwrap_or_default());
    look::list(&context(&request), &caller, state, staff, before, limit).await.map(ok)
}

/// GET /v1/cases/{id}
pub async fn read(request: HttpRequest, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &[&VERSION])?;
    let id: CaseId = id.parse()?;
    let version = query.get(&VERSION)?;
    let staff = named_staff(&request);
    look::read(&context(&request), &caller, id, staff.as_deref(), version).await.map(versioned)
}

/// GET /v1/cases/{id}/plans
pub async fn plans(request: HttpRequest, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &[&BEFORE, &LIMIT])?;
    let id: CaseId = id.parse()?;
    let (before, limit) = (query.get(&BEFORE)?, query.get(&LIMIT)?.unwrap_or_default());
    let staff = named_staff(&request);
    look::plans(&context(&request), &caller, id, staff.as_deref(), before, limit).await.map(ok)
}

/// GET /v1/cases/{id}/entries
pub async fn entries(
    request: HttpRequest,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &[&BEFORE, &LIMIT])?;
    let id: CaseId = id.parse()?;
    let (before, limit) = (query.get(&BEFORE)?, query.get(&LIMIT)?.unwrap_or_default());
    let staff = named_staff(&request);
    look::entries(&context(&request), &caller, id, staff.as_deref(), before, limit).await.map(ok)
}

/// POST /v1/cases/{id}/entries
pub async fn add_entry(
    request: HttpRequest,
    posted: Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: CaseId = id.parse()?;
    let (caller, command) = posted.command(Schema::CaseEntry, format!("POST /v1/cases/{id}/entries"))?;
    keep::add_entry(&context(&request), &caller, id, &command).await.map(created)
}

/// POST /v1/cases/{id}/change
pub async fn change(request: HttpRequest, posted: Posted, id: Path<String>) -> Result<HttpResponse, Problem> {
    step(&request, posted, &id, Change::Household).await
}

/// POST /v1/cases/{id}/plan
pub async fn plan(request: HttpRequest, posted: Posted, id: Path<String>) -> Result<HttpResponse, Problem> {
    step(&request, posted, &id, Change::Plan).await
}

/// POST /v1/cases/{id}/close
pub async fn close(request: HttpRequest, posted: Posted, id: Path<String>) -> Result<HttpResponse, Problem> {
    step(&request, posted, &id, Change::Close).await
}

/// POST /v1/cases/{id}/reopen
pub async fn reopen(request: HttpRequest, posted: Posted, id: Path<String>) -> Result<HttpResponse, Problem> {
    step(&request, posted, &id, Change::Reopen).await
}

async fn step(
    request: &HttpRequest,
    mut posted: Posted,
    id: &str,
    change: Change,
) -> Result<HttpResponse, Problem> {
    let id: CaseId = id.parse()?;
    let version = posted.version()?;
    let (verb, schema) = match change {
        Change::Household => ("change", Schema::CaseChange),
        Change::Plan => ("plan", Schema::CasePlan),
        Change::Close => ("close", Schema::CaseClose),
        Change::Reopen => ("reopen", Schema::CaseReopen),
    };
    let (caller, command) = posted.command(schema, format!("POST /v1/cases/{id}/{verb} @{version}"))?;
    keep::step(&context(request), &caller, id, version, change, &command).await.map(done)
}
