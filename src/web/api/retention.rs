//! What must be kept, and what is erased.

use actix_web::{HttpRequest, HttpResponse, web::Path};

use crate::{
    domain::{
        ids::{HoldId, LegId, ReferralId},
        problem::Problem,
    },
    usecases::{Caller, erase, hold, schema::Schema},
    web::{
        caller::{context, named_staff},
        command::Posted,
        problem::{created, done, ok},
        query::{LIMIT, Query},
    },
};

/// GET /v1/referrals/{id}/retention
pub async fn read(request: HttpRequest, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: ReferralId = id.parse()?;
    let staff = named_staff(&request);
    erase::retention(&context(&request), &caller, id, staff.as_deref()).await.map(ok)
}

/// POST /v1/referrals/{id}/erase
pub async fn erase(request: HttpRequest, posted: Posted, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: ReferralId = id.parse()?;
    let (caller, command) = posted.command(Schema::Erase, format!("POST /v1/referrals/{id}/erase"))?;
    erase::erase(&context(&request), &caller, id, &command).await.map(done)
}

/// POST /v1/legs/{id}/holds
pub async fn hold(request: HttpRequest, posted: Posted, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: LegId = id.parse()?;
    let (caller, command) = posted.command(Schema::Hold, format!("POST /v1/legs/{id}/holds"))?;
    hold::place(&context(&request), &caller, id, &command).await.map(created)
}

/// GET /v1/legs/{id}/holds
pub async fn holds(request: HttpRequest, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: LegId = id.parse()?;
    let query = Query::read(&request, &[&LIMIT])?;
    let (staff, limit) = (named_staff(&request), query.get(&LIMIT)?.unwrap_or_default());
    hold::list(&context(&request), &caller, id, staff.as_deref(), limit).await.map(ok)
}

/// POST /v1/holds/{id}/lift
pub async fn lift(request: HttpRequest, posted: Posted, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: HoldId = id.parse()?;
    let (caller, command) = posted.command(Schema::HoldLift, format!("POST /v1/holds/{id}/lift"))?;
    hold::lift(&context(&request), &caller, id, &command).await.map(done)
}
