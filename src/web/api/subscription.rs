//! By which channels the caller wants to be told.

use actix_web::{HttpRequest, HttpResponse};

use crate::{
    domain::problem::Problem,
    ledger::subscription::Channel,
    usecases::{Caller, schema::Schema, subscribe},
    web::{
        caller::context,
        command::Posted,
        problem::{no_content, ok},
    },
};

/// GET /v1/subscriptions
pub async fn list(request: HttpRequest, caller: Caller) -> Result<HttpResponse, Problem> {
    subscribe::list(&context(&request), &caller).await.map(ok)
}

/// PUT /v1/subscriptions/amqp
pub async fn amqp(request: HttpRequest, posted: Posted) -> Result<HttpResponse, Problem> {
    let document = posted.document(Schema::SubscriptionAmqp)?;
    subscribe::set_amqp(&context(&request), &posted.caller, &document).await.map(ok)
}

/// PUT /v1/subscriptions/mail
pub async fn mail(request: HttpRequest, posted: Posted) -> Result<HttpResponse, Problem> {
    let document = posted.document(Schema::SubscriptionMail)?;
    subscribe::set_mail(&context(&request), &posted.caller, &document).await.map(ok)
}

/// DELETE /v1/subscriptions/amqp
pub async fn end_amqp(request: HttpRequest, caller: Caller) -> Result<HttpResponse, Problem> {
    subscribe::end(&context(&request), &caller, Channel::Amqp).await.map(|()| no_content())
}

/// DELETE /v1/subscriptions/mail
pub async fn end_mail(request: HttpRequest, caller: Caller) -> Result<HttpResponse, Problem> {
    subscribe::end(&context(&request), &caller, Channel::Mail).await.map(|()| no_content())
}
