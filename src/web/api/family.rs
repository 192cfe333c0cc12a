//! The family's own view, as a document and as a page to print.

use actix_web::{HttpRequest, HttpResponse, web::Path};

use crate::{
    domain::{
        family_view::Places,
        fault::Text,
        ids::{CaseId, ReferralId},
        language::FormLanguage,
        problem::{Problem, ProblemKind},
    },
    usecases::{
        Caller,
        family::{self, Asked, FamilyOf, FamilyView},
    },
    web::{
        api::consent::LANG,
        caller::{context, named_staff},
        pages,
        problem::{ok, printed},
        query::{Parameter, Query},
    },
};

const VIEWER: Parameter = Parameter::new(
    "viewer",
    "目の前にいる人の符号（mother など）",
    "the handle of the person who sits there, such as mother",
);
const TAKE_HOME: Parameter = Parameter::new("take_home", "safe、unsafe のいずれか", "one of safe, unsafe");
const PLACES: Parameter = Parameter::new("places", "left_out、shown のいずれか", "one of left_out, shown");

/// GET /v1/cases/{id}/family
pub async fn of_case(
    request: HttpRequest,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: CaseId = id.parse()?;
    let query = Query::read(&request, &[&VIEWER, &TAKE_HOME, &PLACES])?;
    document(&view(&request, &caller, FamilyOf::Case(id), &query).await?)
}

/// GET /v1/referrals/{id}/family
pub async fn of_referral(
    request: HttpRequest,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: ReferralId = id.parse()?;
    let query = Query::read(&request, &[&VIEWER, &TAKE_HOME, &PLACES])?;
    document(&view(&request, &caller, FamilyOf::Referral(id), &query).await?)
}

/// GET /v1/cases/{id}/family/page
pub async fn page_of_case(
    request: HttpRequest,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: CaseId = id.parse()?;
    page(&request, &caller, FamilyOf::Case(id)).await
}

/// GET /v1/referrals/{id}/family/page
pub async fn page_of_referral(
    request: HttpRequest,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: ReferralId = id.parse()?;
    page(&request, &caller, FamilyOf::Referral(id)).await
}

async fn page(request: &HttpRequest, caller: &Caller, of: FamilyOf) -> Result<HttpResponse, Problem> {
    let query = Query::read(request, &[&VIEWER, &TAKE_HOME, &PLACES, &LANG])?;
    let language = query.get(&LANG)?.unwrap_or(FormLanguage::Japanese);
    let view = view(request, caller, of, &query).await?;
    let html = pages::family::page(&view, language).map_err(|error| {
        tracing::error!(%error, "the page of a family could not be written");
        Problem::new(ProblemKind::Internal)
    })?;
    let speaks = if language == FormLanguage::English { "en" } else { "ja" };
    Ok(printed(html, &pages::print::POLICY, speaks))
}

async fn view(
    request: &HttpRequest,
    caller: &Caller,
    of: FamilyOf,
    query: &Query,
) -> Result<FamilyView, Problem> {
    let viewer = query.get(&VIEWER)?.ok_or_else(|| {
        Problem::new(ProblemKind::BadQuery).detail(Text::new(
            "viewer に、目の前にいる人の符号を書いてください。",
            "Say in viewer who sits there: what is shown depends on it.",
        ))
    })?;
    let places = query.get(&PLACES)?.unwrap_or(Places::LeftOut);
    let asked = Asked { of, viewer, take_home: query.get(&TAKE_HOME)?, places };
    family::view(&context(request), caller, &asked, named_staff(request).as_deref()).await
}

fn document(view: &FamilyView) -> Result<HttpResponse, Problem> {
    let text = serde_json::to_string(view).map_err(|_| Problem::new(ProblemKind::Internal))?;
    Ok(ok(text))
}
