//! The caller's own staff.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web::Path};

use crate::{
    domain::{ids::StaffId, problem::Problem},
    usecases::{
        Caller, register,
        schema::Schema,
        sign_in::{self, Credentials},
    },
    web::{
        caller::context,
        command::Posted,
        passwords,
        problem::{created, no_content, ok},
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

/// PUT /v1/staff/{id}/sign-in
pub async fn set_sign_in(
    request: HttpRequest,
    posted: Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: StaffId = id.parse()?;
    let document = posted.document(Schema::SignIn)?;
    let text = |member: &str| document[member].as_str().unwrap_or_default();
    let credentials = Credentials::parse(text("login"), text("password"))?;
    let context = context(&request);
    let shared = Arc::clone(&context);
    let sealed = passwords::run(&request, move || credentials.seal(&shared.vault)).await??;
    sign_in::set(&context, &posted.caller, id, &sealed).await.map(ok)
}

/// DELETE /v1/staff/{id}/sign-in
pub async fn remove_sign_in(
    request: HttpRequest,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: StaffId = id.parse()?;
    sign_in::remove(&context(&request), &caller, id).await.map(|()| no_content())
}
