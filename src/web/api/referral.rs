//! Referrals of the caller's own.

use actix_web::{HttpRequest, HttpResponse, web::Path};

use crate::{
    domain::{
        fault::Text,
        ids::ReferralId,
        problem::{Problem, ProblemKind},
    },
    ledger::referral::ReferralFilter,
    usecases::{Caller, notice, preview, read, schema::Schema, submit},
    web::{
        caller::{context, named_staff},
        command::Posted,
        problem::{created, done, ok, rehearsed, versioned},
        query::{BEFORE, LIMIT, Parameter, Query},
    },
};

const KIND: Parameter = Parameter::new("type", "種別のコード", "a code of the list of referral types");
const LEG_STATE: Parameter =
    Parameter::new("leg_state", "宛先の状態のコード", "a code of the list of leg states");

/// POST /v1/referrals
pub async fn submit(request: HttpRequest, posted: Posted) -> Result<HttpResponse, Problem> {
    if posted.dry_run {
        let (caller, command) = posted.rehearsal(Schema::Referral)?;
        return preview::preview(&context(&request), &caller, &command.document).await.map(rehearsed);
    }
    let (caller, command) = posted.command(Schema::Referral, "POST /v1/referrals".to_owned())?;
    submit::submit(&context(&request), &caller, &command).await.map(created)
}

/// GET /v1/referrals
pub async fn list(request: HttpRequest, caller: Caller) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &[&KIND, &LEG_STATE, &BEFORE, &LIMIT])?;
    let filter = match (query.get(&KIND)?, query.get(&LEG_STATE)?) {
        (None, None) => ReferralFilter::All,
        (Some(kind), None) => ReferralFilter::OfKind(kind),
        (None, Some(state)) => ReferralFilter::WithLegIn(state),
        (Some(_), Some(_)) => return Err(one_filter()),
    };
    let (before, limit) = (query.get(&BEFORE)?, query.get(&LIMIT)?.unwrap_or_default());
    let context = context(&request);
    let caller = caller.asking_for(&context, named_staff(&request).as_deref()).await?;
    read::referrals(&context, &caller, filter, before, limit).await.map(ok)
}

fn one_filter() -> Problem {
    Problem::new(ProblemKind::BadQuery).detail(Text::new(
        "type と leg_state は、どちらか一方だけを指定してください。",
        "Give type or leg_state, not both.",
    ))
}

/// GET /v1/referrals/{id}
pub async fn read(request: HttpRequest, caller: Caller, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: ReferralId = id.parse()?;
    let context = context(&request);
    let caller = caller.asking_for(&context, named_staff(&request).as_deref()).await?;
    read::referral(&context, &caller, id).await.map(versioned)
}

/// POST /v1/referrals/{id}/readers
pub async fn name_readers(
    request: HttpRequest,
    posted: Posted,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: ReferralId = id.parse()?;
    let (caller, command) = posted.command(Schema::Readers, format!("POST /v1/referrals/{id}/readers"))?;
    notice::name_readers(&context(&request), &caller, id, &command).await.map(done)
}
