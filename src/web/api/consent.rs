//! Consents.

use actix_web::{HttpRequest, HttpResponse, web::Path};

use crate::{
    domain::{
        ids::ConsentId,
        language::FormLanguage,
        problem::{Problem, ProblemKind},
    },
    usecases::{
        Caller, consent,
        consent_form::{self, Form},
        read,
        schema::Schema,
        statutory, withdraw,
    },
    web::{
        caller::{context, named_staff},
        command::Posted,
        pages,
        problem::{created, done, ok, printed, rehearsed, versioned},
        query::{BEFORE, LIMIT, Parameter, Query},
    },
};

/// POST /v1/consents
pub async fn record(request: HttpRequest, posted: Posted) -> Result<HttpResponse, Problem> {
    if posted.dry_run {
        let (caller, command) = posted.rehearsal(Schema::Consent)?;
        return consent::rehearse(&context(&request), &caller, &command).await.map(rehearsed);
    }
    let (caller, command) = posted.command(Schema::Consent, "POST /v1/consents".to_owned())?;
    consent::record(&context(&request), &caller, &command).await.map(created)
}

/// GET /v1/consents
pub async fn list(request: HttpRequest, caller: Caller) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &[&BEFORE, &LIMIT])?;
    let (before, limit) = (query.get(&BEFORE)?, query.get(&LIMIT)?.unwrap_or_default());
    read::consents(&context(&request), &caller, before, limit).await.map(ok)
}

/// GET /v1/consents/{id}
pub async fn read(request: HttpRequest, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: ConsentId = id.parse()?;
    let staff = named_staff(&request);
    read::consent(&context(&request), &caller, id, staff.as_deref()).await.map(versioned)
}

pub(super) const LANG: Parameter = Parameter::new("lang", "ja、easy、en のいずれか", "one of ja, easy, en");

/// GET /v1/consents/{id}/form
pub async fn form(request: HttpRequest, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: ConsentId = id.parse()?;
    let language = language(&request)?;
    print(&consent_form::of_record(&context(&request), &caller, id).await?, language)
}

/// POST /v1/consent-forms
pub async fn form_before(request: HttpRequest, posted: Posted) -> Result<HttpResponse, Problem> {
    let (caller, command) = posted.command(Schema::ConsentForm, "POST /v1/consent-forms".to_owned())?;
    let language = language(&request)?;
    print(&consent_form::before(&context(&request), &caller, &command).await?, language)
}

fn language(request: &HttpRequest) -> Result<FormLanguage, Problem> {
    Ok(Query::read(request, &[&LANG])?.get(&LANG)?.unwrap_or(FormLanguage::Japanese))
}

fn print(form: &Form, language: FormLanguage) -> Result<HttpResponse, Problem> {
    let html = pages::consent_form::page(form, language).map_err(|error| {
        tracing::error!(%error, "a form could not be written");
        Problem::new(ProblemKind::Internal)
    })?;
    let speaks = if language == FormLanguage::English { "en" } else { "ja" };
    Ok(printed(html, &pages::print::POLICY, speaks))
}

/// POST /v1/consents/{id}/withdraw
pub async fn withdraw(
    request: HttpRequest,
    mut posted: Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: ConsentId = id.parse()?;
    let version = posted.version()?;
    if posted.dry_run {
        let (caller, command) = posted.rehearsal(Schema::Withdraw)?;
        return withdraw::rehearse(&context(&request), &caller, id, version, &command).await.map(rehearsed);
    }
    let (caller, command) =
        posted.command(Schema::Withdraw, format!("POST /v1/consents/{id}/withdraw @{version}"))?;
    withdraw::withdraw(&context(&request), &caller, id, version, &command).await.map(done)
}

/// POST /v1/consents/{id}/statutory-decision
pub async fn statutory(
    request: HttpRequest,
    mut posted: Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: ConsentId = id.parse()?;
    let version = posted.version()?;
    let route = format!("POST /v1/consents/{id}/statutory-decision @{version}");
    let (caller, command) = posted.command(Schema::StatutoryDecision, route)?;
    statutory::decide(&context(&request), &caller, id, version, &command).await.map(done)
}
