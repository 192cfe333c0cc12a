//! Who looked at what, and on which ground.

use actix_web::{HttpRequest, HttpResponse, web::Path};
use jiff::civil::Date;

use crate::{
    domain::{
        ids::{LegId, ReferralId, StaffId},
        problem::Problem,
    },
    usecases::{
        Caller,
        accesses::{self, Asked},
    },
    web::{
        caller::{context, named_staff},
        problem::ok,
        query::{BEFORE, LIMIT, Parameter, Query},
    },
};

const STAFF: Parameter = Parameter::new("staff", "職員のID", "the id of a member of staff");
const SUBJECT: Parameter = Parameter::new(
    "subject",
    "記録のID（英数字と - : で、200字以内）",
    "the id of a record (letters, digits, - and :, at most 200)",
);
const DAY: Parameter = Parameter::new("day", "日付（例：2026-10-15）", "a day such as 2026-10-15");

/// GET /v1/referrals/{id}/accesses
pub async fn of_referral(
    request: HttpRequest,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: ReferralId = id.parse()?;
    let query = Query::read(&request, &[&BEFORE, &LIMIT])?;
    let (before, limit) = (query.get(&BEFORE)?, query.get(&LIMIT)?.unwrap_or_default());
    let staff = named_staff(&request);
    accesses::of_referral(&context(&request), &caller, id, staff.as_deref(), before, limit).await.map(ok)
}

/// GET /v1/audit
pub async fn own(request: HttpRequest, caller: Caller) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &[&STAFF, &SUBJECT, &DAY, &BEFORE, &LIMIT])?;
    let asked = Asked {
        staff: query.get::<StaffId>(&STAFF)?,
        subject: query.get::<Subject>(&SUBJECT)?.map(|subject| subject.0),
        day: query.get::<Date>(&DAY)?,
        before: query.get(&BEFORE)?,
        limit: query.get(&LIMIT)?.unwrap_or_default(),
    };
    accesses::own(&context(&request), &caller, named_staff(&request).as_deref(), &asked).await.map(ok)
}

/// GET /v1/legs/{id}/grounds
pub async fn grounds(
    request: HttpRequest,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: LegId = id.parse()?;
    let staff = named_staff(&request);
    accesses::grounds(&context(&request), &caller, id, staff.as_deref()).await.map(ok)
}

/// What an audit entry may be about: ids and codes.
struct Subject(String);

impl std::str::FromStr for Subject {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':');
        let good = (1..=200).contains(&text.len()) && text.bytes().all(plain);
        good.then(|| Self(text.to_owned())).ok_or(())
    }
}
