//! Consultation records, for the agency whose staff noted them.

use actix_web::{HttpRequest, HttpResponse, web::Path};
use jiff::{Span, civil::Date};

use crate::{
    domain::{consent::day_in_japan, ids::ConsultationId, problem::Problem},
    usecases::{
        Caller,
        consultation::{self, Asked},
        schema::Schema,
    },
    web::{
        caller::{context, named_staff},
        command::Posted,
        problem::{created, ok},
        query::{BEFORE, LIMIT, Parameter, Query},
    },
};

const FROM: Parameter =
    Parameter::new("from", "最初の日（例 2026-11-01）", "the first day, such as 2026-11-01");
const TO: Parameter = Parameter::new("to", "最後の日（例 2026-11-30）", "the last day, such as 2026-11-30");

/// POST /v1/consultations
pub async fn record(request: HttpRequest, posted: Posted) -> Result<HttpResponse, Problem> {
    let (caller, command) = posted.command(Schema::Consultation, "POST /v1/consultations".to_owned())?;
    consultation::record(&context(&request), &caller, &command).await.map(created)
}

/// GET /v1/consultations
pub async fn list(request: HttpRequest, caller: Caller) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &[&FROM, &TO, &BEFORE, &LIMIT])?;
    let context = context(&request);
    let to = query.get::<Date>(&TO)?.unwrap_or_else(|| day_in_japan(context.clock.now()));
    let asked = Asked {
        // A month, if nothing else is asked.
        from: query.get(&FROM)?.unwrap_or_else(|| to.saturating_sub(Span::new().days(30))),
        to,
        before: query.get(&BEFORE)?,
        limit: query.get(&LIMIT)?.unwrap_or_default(),
    };
    let staff = named_staff(&request);
    consultation::list(&context, &caller, staff.as_deref(), &asked).await.map(ok)
}

/// GET /v1/consultations/{id}
pub async fn read(request: HttpRequest, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: ConsultationId = id.parse()?;
    let staff = named_staff(&request);
    consultation::read(&context(&request), &caller, id, staff.as_deref()).await.map(ok)
}

/// POST /v1/consultations/{id}/case
pub async fn open_case(
    request: HttpRequest,
    posted: Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: ConsultationId = id.parse()?;
    let (caller, command) = posted.command(Schema::Case, format!("POST /v1/consultations/{id}/case"))?;
    consultation::open_case(&context(&request), &caller, id, &command).await.map(created)
}
