//! Arrangements: councils, contracts, joint uses, stated purposes.

use actix_web::{HttpRequest, HttpResponse, web::Path};

use crate::{
    domain::{
        ids::{AgencyId, ArrangementId, EntryId},
        problem::Problem,
    },
    usecases::{
        Caller,
        arrangement::{self, change, look, register},
        schema::Schema,
    },
    web::{
        caller::{context, named_staff},
        command::Posted,
        problem::{created, done, ok, versioned},
        query::{AFTER, BEFORE, LIMIT, Parameter, Query},
    },
};

const VERSION: Parameter =
    Parameter::new("version", "受領証が示す版の番号", "the number of a version, as receipts cite it");

/// POST /v1/arrangements
pub async fn record(request: HttpRequest, posted: Posted) -> Result<HttpResponse, Problem> {
    let (caller, command) = posted.command(Schema::Arrangement, "POST /v1/arrangements".to_owned())?;
    arrangement::record(&context(&request), &caller, &command).await.map(created)
}

/// GET /v1/arrangements
pub async fn list(request: HttpRequest, caller: Caller) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &[&BEFORE, &LIMIT])?;
    let (before, limit) = (query.get(&BEFORE)?, query.get(&LIMIT)?.unwrap_or_default());
    look::list(&context(&request), &caller, before, limit).await.map(ok)
}

/// GET /v1/arrangements/{id}
pub async fn read(request: HttpRequest, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &[&VERSION])?;
    let id: ArrangementId = id.parse()?;
    let version = query.get(&VERSION)?;
    look::one(&context(&request), &caller, id, version).await.map(versioned)
}

/// POST /v1/arrangements/{id}/members
pub async fn add_member(
    request: HttpRequest,
    mut posted: Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: ArrangementId = id.parse()?;
    let version = posted.version()?;
    let route = format!("POST /v1/arrangements/{id}/members @{version}");
    let (caller, command) = posted.command(Schema::ArrangementMember, route)?;
    change::add_member(&context(&request), &caller, id, version, &command).await.map(done)
}

/// POST /v1/arrangements/{id}/members/{agency}/end
pub async fn end_member(
    request: HttpRequest,
    mut posted: Posted,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let id: ArrangementId = path.0.parse()?;
    let agency: AgencyId = path.1.parse()?;
    let version = posted.version()?;
    let route = format!("POST /v1/arrangements/{id}/members/{agency}/end @{version}");
    let (caller, command) = posted.command(Schema::ArrangementEnd, route)?;
    change::end_member(&context(&request), &caller, id, agency, version, &command).await.map(done)
}

/// POST /v1/arrangements/{id}/end
pub async fn end(
    request: HttpRequest,
    mut posted: Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: ArrangementId = id.parse()?;
    let version = posted.version()?;
    let route = format!("POST /v1/arrangements/{id}/end @{version}");
    let (caller, command) = posted.command(Schema::ArrangementEnd, route)?;
    change::end(&context(&request), &caller, id, version, &command).await.map(done)
}

/// GET /v1/arrangements/{id}/cases
pub async fn register(
    request: HttpRequest,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &[&AFTER, &LIMIT])?;
    let id: ArrangementId = id.parse()?;
    let (after, limit) = (query.get(&AFTER)?, query.get(&LIMIT)?.unwrap_or_default());
    let staff = named_staff(&request);
    register::read(&context(&request), &caller, id, staff.as_deref(), after, limit).await.map(ok)
}

/// POST /v1/arrangements/{id}/cases
pub async fn register_case(
    request: HttpRequest,
    mut posted: Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: ArrangementId = id.parse()?;
    let version = posted.version()?;
    let route = format!("POST /v1/arrangements/{id}/cases @{version}");
    let (caller, command) = posted.command(Schema::ArrangementCase, route)?;
    register::register(&context(&request), &caller, id, version, &command).await.map(done)
}

/// POST /v1/arrangements/{id}/cases/{entry}/end. The entry, and not the case: paths are written down on the way,
/// and the ledger keeps them with the keys of requests.
pub async fn end_case(
    request: HttpRequest,
    mut posted: Posted,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let id: ArrangementId = path.0.parse()?;
    let entry: EntryId = path.1.parse()?;
    let version = posted.version()?;
    let route = format!("POST /v1/arrangements/{id}/cases/{entry}/end @{version}");
    let (caller, command) = posted.command(Schema::ArrangementEnd, route)?;
    register::end(&context(&request), &caller, id, entry, version, &command).await.map(done)
}
