//! Agencies and services.

use actix_web::{HttpRequest, HttpResponse, web::Path};

use crate::{
    domain::{
        ids::{AgencyId, ServiceId},
        problem::Problem,
        service::AgeClass,
    },
    usecases::{
        Caller,
        directory::{self, ServiceQuery},
    },
    web::{
        caller::context,
        problem::ok,
        query::{AFTER, LIMIT, Parameter, Query},
    },
};

const AGENCY_KIND: Parameter =
    Parameter::new("kind", "機関種別のコード", "a code of the list of agency kinds");
const SERVICE_KIND: Parameter =
    Parameter::new("kind", "サービス種別のコード", "a code of the list of service kinds");
const WARD: Parameter = Parameter::new(
    "ward",
    "全国地方公共団体コード（6桁、または検査数字のない5桁）",
    "a municipality code of 6 digits, or 5 without the check digit",
);
const AGE: Parameter = Parameter::new("age", "0から5までの歳児クラス", "an age class from 0 to 5");

/// GET /v1/agencies
pub async fn agencies(request: HttpRequest, _: Caller) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &[&AGENCY_KIND, &AFTER, &LIMIT])?;
    let (kind, after) = (query.get(&AGENCY_KIND)?, query.get(&AFTER)?);
    let limit = query.get(&LIMIT)?.unwrap_or_default();
    directory::agencies(&context(&request), kind, after, limit).await.map(ok)
}

/// GET /v1/agencies/{id}
pub async fn agency(request: HttpRequest, _: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: AgencyId = id.parse()?;
    directory::agency(&context(&request), id).await.map(ok)
}

/// GET /v1/services
pub async fn services(request: HttpRequest, _: Caller) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &[&WARD, &SERVICE_KIND, &AGE, &AFTER, &LIMIT])?;
    let query = ServiceQuery {
        ward: query.get(&WARD)?,
        kind: query.get(&SERVICE_KIND)?,
        age: query.get::<AgeClass>(&AGE)?,
        after: query.get(&AFTER)?,
        limit: query.get(&LIMIT)?.unwrap_or_default(),
    };
    directory::services(&context(&request), &query).await.map(ok)
}

/// GET /v1/services/{id}
pub async fn service(request: HttpRequest, _: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: ServiceId = id.parse()?;
    directory::service(&context(&request), id).await.map(ok)
}
