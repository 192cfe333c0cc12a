//! Protections.

use actix_web::{HttpRequest, HttpResponse, web::Path};

use crate::{
    domain::{
        ids::{CaseId, ProtectionId, ReferralId},
        problem::Problem,
        protection::record::Place,
    },
    usecases::{
        Caller,
        protect::{self, Change},
        protection,
        schema::Schema,
    },
    web::{
        caller::{context, named_staff},
        command::Posted,
        problem::{created, done, ok, versioned},
        query::{BEFORE, LIMIT, Parameter, Query},
    },
};

const CASE: Parameter = Parameter::new("case", "相談ケースのID", "the id of a case");
const REFERRAL: Parameter = Parameter::new("referral", "紹介・連絡のID", "the id of a referral");

/// POST /v1/protections
pub async fn record(request: HttpRequest, posted: Posted) -> Result<HttpResponse, Problem> {
    let (caller, command) = posted.command(Schema::Protection, "POST /v1/protections".to_owned())?;
    protect::record(&context(&request), &caller, &command).await.map(created)
}

/// GET /v1/protections
pub async fn list(request: HttpRequest, caller: Caller) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &[&CASE, &REFERRAL, &BEFORE, &LIMIT])?;
    let case = query.get::<CaseId>(&CASE)?.map(Place::Case);
    let of = case.or(query.get::<ReferralId>(&REFERRAL)?.map(Place::Referral));
    let (before, limit) = (query.get(&BEFORE)?, query.get(&LIMIT)?.unwrap_or_default());
    protection::list(&context(&request), &caller, of, before, limit).await.map(ok)
}

/// GET /v1/protections/{id}
pub async fn read(request: HttpRequest, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: ProtectionId = id.parse()?;
    let staff = named_staff(&request);
    protection::read(&context(&request), &caller, id, staff.as_deref()).await.map(versioned)
}

/// POST /v1/protections/{id}/change
pub async fn change(request: HttpRequest, posted: Posted, id: Path<String>) -> Result<HttpResponse, Problem> {
    step(&request, posted, &id, Change::Terms).await
}

/// POST /v1/protections/{id}/release
pub async fn release(
    request: HttpRequest,
    posted: Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    step(&request, posted, &id, Change::Release).await
}

/// POST /v1/protections/{id}/unlock
pub async fn unlock(request: HttpRequest, posted: Posted, id: Path<String>) -> Result<HttpResponse, Problem> {
    step(&request, posted, &id, Change::Unlock).await
}

/// POST /v1/protections/{id}/approve
pub async fn approve(
    request: HttpRequest,
    posted: Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    step(&request, posted, &id, Change::Approve).await
}

async fn step(
    request: &HttpRequest,
    mut posted: Posted,
    id: &str,
    change: Change,
) -> Result<HttpResponse, Problem> {
    let id: ProtectionId = id.parse()?;
    let version = posted.version()?;
    let (verb, schema) = match change {
        Change::Terms => ("change", Schema::ProtectionChange),
        Change::Release => ("release", Schema::ProtectionRelease),
        Change::Unlock => ("unlock", Schema::ProtectionUnlock),
        Change::Approve => ("approve", Schema::ProtectionApprove),
    };
    let (caller, command) = posted.command(schema, format!("POST /v1/protections/{id}/{verb} @{version}"))?;
    protect::step(&context(request), &caller, id, version, change, &command).await.map(done)
}
