//! The inbox and the copies in it, for their recipient.

use actix_web::{HttpRequest, HttpResponse, web::Path};

use crate::{
    domain::{delivery::DeliveryState, holding::HoldingCause, ids::DeliveryId, problem::Problem},
    usecases::{Caller, holding, open, read, relation, schema::Schema, take},
    web::{
        caller::{context, named_staff},
        command::Posted,
        problem::{created, done, ok},
        query::{AFTER, LIMIT, Parameter, Query},
    },
};

const STATE: Parameter =
    Parameter::new("state", "送達の状態のコード", "a code of the list of delivery states");

/// What is asked of a holder, instead of what was sent to it.
const KIND: Parameter = Parameter::new(
    "kind",
    "withdrawal（同意の撤回）またはrecall（誤送信の回収）",
    "withdrawal (of a consent) or recall (of what was sent by mistake)",
);

/// GET /v1/inbox
pub async fn inbox(request: HttpRequest, caller: Caller) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &[&STATE, &KIND, &AFTER, &LIMIT])?;
    let state = query.get(&STATE)?.unwrap_or(DeliveryState::Waiting);
    let (after, limit) = (query.get(&AFTER)?, query.get(&LIMIT)?.unwrap_or_default());
    if let Some(cause) = query.get::<HoldingCause>(&KIND)? {
        return holding::requests(&context(&request), &caller, cause, after, limit).await.map(ok);
    }
    read::inbox(&context(&request), &caller, state, after, limit).await.map(ok)
}

/// GET /v1/deliveries/{id}, in the name of the staff that the header Tsunagu-Staff names
pub async fn open(request: HttpRequest, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: DeliveryId = id.parse()?;
    let staff = named_staff(&request);
    open::open(&context(&request), &caller, id, staff.as_deref()).await.map(ok)
}

/// POST /v1/deliveries/{id}/relations
pub async fn declare(
    request: HttpRequest,
    posted: Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: DeliveryId = id.parse()?;
    let (caller, command) =
        posted.command(Schema::Relation, format!("POST /v1/deliveries/{id}/relations"))?;
    relation::declare(&context(&request), &caller, id, &command).await.map(created)
}

/// GET /v1/deliveries/{id}/relations
pub async fn relations(
    request: HttpRequest,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: DeliveryId = id.parse()?;
    let staff = named_staff(&request);
    relation::list(&context(&request), &caller, id, staff.as_deref()).await.map(ok)
}

/// POST /v1/deliveries/{id}/ack
pub async fn ack(request: HttpRequest, posted: Posted, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: DeliveryId = id.parse()?;
    let (caller, command) = posted.command(Schema::Ack, format!("POST /v1/deliveries/{id}/ack"))?;
    take::take(&context(&request), &caller, id, &command).await.map(done)
}
