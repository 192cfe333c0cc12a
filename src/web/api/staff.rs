//! The caller's own staff.

use actix_web::{HttpRequest, HttpResponse};

use crate::{
    domain::problem::Problem,
    usecases::{Caller, register, schema::Schema},
    web::{
        caller::context,
        command::Posted,
        problem::{created, ok},
        query::{AFTER, LIMIT, Query},
    },
};

/// POST /v1/staff
pub async fn register(request: HttpRequest, posted: Posted) -> Result<HttpResponse, Problem> {
    let (caller, command) = posted.command(Schema::Staff, "POST /v1/staff".to_owned())?;
    register::register_staff(&context(&request), &caller, &command).await.map(created)
}

/// GET /v1/staff
pub async fn list(request: HttpRequest, caller: Caller) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &[&AFTER, &LIMIT])?;
    let (after, limit) = (query.get(&AFTER)?, query.get(&LIMIT)?.unwrap_or_default());
    register::staff_list(&context(&request), &caller, after, limit).await.map(ok)
}
