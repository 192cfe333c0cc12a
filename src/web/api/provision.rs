//! Records of provision to third parties, for the agency that has to keep them.

use actix_web::{HttpRequest, HttpResponse};
use jiff::civil::Date;

use crate::{
    domain::{
        consent::day_in_japan,
        problem::Problem,
        provision::{ProvisionSide, RecordFormat},
    },
    usecases::{
        Caller,
        provision::{Asked, records},
    },
    web::{
        caller::context,
        problem::{ok, sheet},
        query::{AFTER, LIMIT, Parameter, Query},
    },
};

const SIDE: Parameter = Parameter::new("side", "provided か received", "provided or received");
const FROM: Parameter =
    Parameter::new("from", "最初の日（例 2026-04-01）", "the first day, such as 2026-04-01");
const TO: Parameter = Parameter::new("to", "最後の日（例 2027-03-31）", "the last day, such as 2027-03-31");
const FORMAT: Parameter = Parameter::new("format", "json か csv", "json or csv");

/// GET /v1/provision-records
pub async fn list(request: HttpRequest, caller: Caller) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &[&SIDE, &FROM, &TO, &FORMAT, &AFTER, &LIMIT])?;
    let context = context(&request);
    let today = day_in_japan(context.clock.now());
    let asked = Asked {
        side: query.get(&SIDE)?.unwrap_or(ProvisionSide::Provided),
        // As long as the records have to be kept, if nothing else is asked.
        from: query.get::<Date>(&FROM)?.unwrap_or_else(|| today.saturating_sub(jiff::Span::new().years(3))),
        to: query.get(&TO)?.unwrap_or(today),
        after: query.get(&AFTER)?,
        limit: query.get(&LIMIT)?.unwrap_or_default(),
    };
    let format = query.get(&FORMAT)?.unwrap_or(RecordFormat::Json);
    let records = records(&context, &caller, &asked).await?;
    match format {
        RecordFormat::Json => Ok(ok(records.json())),
        RecordFormat::Csv => {
            let next = records.next().map(|after| {
                let Asked { side, from, to, .. } = asked;
                format!("</v1/provision-records?side={side}&from={from}&to={to}&format=csv&after={after}>; rel=\"next\"")
            });
            Ok(sheet(records.csv()?, next))
        }
    }
}
