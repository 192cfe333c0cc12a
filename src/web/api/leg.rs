//! Legs, for their two parties.

use actix_web::{HttpRequest, HttpResponse, web::Path};

use crate::{
    domain::{
        ids::LegId,
        leg::{LegAction, LegState},
        problem::Problem,
    },
    ledger::leg::Side,
    usecases::{Caller, act, read, schema::Schema},
    web::{
        caller::{context, named_staff},
        command::Posted,
        problem::{done, ok, rehearsed, versioned},
        query::{BEFORE, LIMIT, Parameter, Query},
    },
};

const SIDE: Parameter = Parameter::new("side", "sender または recipient", "sender or recipient");
const STATE: Parameter = Parameter::new("state", "宛先の状態のコード", "a code of the list of leg states");

/// GET /v1/legs
pub async fn list(request: HttpRequest, caller: Caller) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &[&SIDE, &STATE, &BEFORE, &LIMIT])?;
    let side = query.get(&SIDE)?.unwrap_or(Side::Sender);
    let state = query.get(&STATE)?.unwrap_or(LegState::Requested);
    let (before, limit) = (query.get(&BEFORE)?, query.get(&LIMIT)?.unwrap_or_default());
    let context = context(&request);
    let caller = caller.asking_for(&context, named_staff(&request).as_deref()).await?;
    read::legs(&context, &caller, side, state, before, limit).await.map(ok)
}

/// GET /v1/legs/{id}
pub async fn read(request: HttpRequest, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: LegId = id.parse()?;
    let context = context(&request);
    let caller = caller.asking_for(&context, named_staff(&request).as_deref()).await?;
    read::leg(&context, &caller, id).await.map(versioned)
}

/// GET /v1/legs/{id}/available-actions
pub async fn available(
    request: HttpRequest,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: LegId = id.parse()?;
    let (context, staff) = (context(&request), named_staff(&request));
    let caller = caller.asking_for(&context, staff.as_deref()).await?;
    read::available_actions(&context, &caller, id, staff.as_deref()).await.map(ok)
}

/// GET /v1/legs/{id}/receipts
pub async fn receipts(
    request: HttpRequest,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: LegId = id.parse()?;
    let context = context(&request);
    let caller = caller.asking_for(&context, named_staff(&request).as_deref()).await?;
    read::evidence(&context, &caller, id).await.map(ok)
}

/// POST /v1/legs/{id}/actions/{action}
pub async fn act(
    request: HttpRequest,
    mut posted: Posted,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let id: LegId = path.0.parse()?;
    let action: LegAction = path.1.parse()?;
    let version = posted.version()?;
    if posted.dry_run {
        let (caller, command) = posted.rehearsal(Schema::LegAction)?;
        let context = context(&request);
        return act::rehearse(&context, &caller, id, action, version, &command).await.map(rehearsed);
    }
    let route = format!("POST /v1/legs/{id}/actions/{action} @{version}");
    let (caller, command) = posted.command(Schema::LegAction, route)?;
    act::act(&context(&request), &caller, id, action, version, &command).await.map(done)
}
