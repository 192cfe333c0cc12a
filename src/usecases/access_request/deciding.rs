//! What an officer records of a request: where the person was found, and what was decided part by part.

use std::collections::BTreeMap;

use serde_json::Value;

use super::needed;
use crate::{
    domain::{
        access_request::{AccessOutcome, Article, Decision, Found, Origin, Record},
        consent::day_in_japan,
        delivery::DeliveryState,
        field_error::FieldError,
        ids::CaseId,
        problem::Problem,
        subject::SubjectRef,
        subject_export::{Decided, Extent, Part, PartId},
    },
    usecases::{Caller, Context, consent::field_problem, opened::damaged, subject_export::Sources},
};

/// How many referrals of one case are looked through.
const REFERRALS: i64 = 200;
/// In how many records a person may be found.
const RECORDS: usize = 400;

/// In which of the caller's records the person is, as its officer found out: a case means every referral of it that
/// declares the handle.
pub(super) async fn found(
    context: &Context,
    caller: &Caller,
    document: &Value,
) -> Result<Vec<Found>, Problem> {
    needed_list(document)?;
    let (mut all, mut faults) = (Vec::new(), Vec::new());
    for (index, place) in document["found"].as_array().into_iter().flatten().enumerate() {
        let person: SubjectRef =
            place["person"].as_str().unwrap_or_default().parse().map_err(|_| damaged())?;
        let these = records(context, caller, place, &person).await?;
        if these.is_empty() {
            faults.push(FieldError::new(
                format!("/found/{index}"),
                "record_unknown",
                "自機関の記録に、この符号の人がいません。受け取った写しは、先に開いてください。",
                "No record of your own agency has a person by this handle. Open a received copy first.",
            ));
        }
        all.extend(these.into_iter().map(|origin| Found { origin, person: person.clone() }));
    }
    all.sort_unstable();
    all.dedup();
    if all.len() > RECORDS {
        faults.push(FieldError::new(
            "/found",
            "too_many",
            "記録が多すぎます。請求を分けてください。",
            "There are too many records; divide the request.",
        ));
    }
    if faults.is_empty() { Ok(all) } else { Err(field_problem(faults)) }
}

fn needed_list(document: &Value) -> Result<(), Problem> {
    match document["found"].is_array() {
        true => Ok(()),
        false => needed(document, "found").map(drop),
    }
}

async fn records(
    context: &Context,
    caller: &Caller,
    place: &Value,
    person: &SubjectRef,
) -> Result<Vec<Origin>, Problem> {
    let text = |name: &str| place[name].as_str();
    let candidates = match (text("case"), text("referral"), text("delivery")) {
        (Some(case), None, None) => {
            let case: CaseId = case.parse()?;
            let rows = context.ledger.referrals_of_case(caller.scope(), case, REFERRALS).await?;
            rows.iter().map(|row| Origin::Referral(row.id)).collect()
        }
        (None, Some(id), None) => vec![Origin::Referral(id.parse()?)],
        (None, None, Some(id)) => vec![Origin::Delivery(id.parse()?)],
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for origin in candidates {
        if Sources::declares(context, caller, origin, person).await? {
            found.push(origin);
        }
    }
    Ok(found)
}

/// Whether a received copy may be looked through: what nobody has opened yet is opened in the usual way first.
pub(in crate::usecases) const fn was_opened(state: DeliveryState) -> bool {
    matches!(state, DeliveryState::Opened | DeliveryState::Recalled)
}

pub(super) async fn decided(
    context: &Context,
    caller: &Caller,
    record: &Record,
    document: &Value,
) -> Result<Decision, Problem> {
    let outcome: AccessOutcome = needed(document, "outcome")?.parse()?;
    let codes = |name: &str| -> Vec<&str> {
        document[name].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let told = codes("told").into_iter().map(str::parse).collect::<Result<Vec<Article>, _>>()?;
    let parts = decisions(document)?;
    let sources = Sources::load(context, caller, record).await?;
    let wanted: BTreeMap<PartId, Extent> = parts.iter().map(|one| (one.part, one.extent)).collect();
    let selected = sources.select(record.requester, &wanted);
    let mut faults = Vec::new();
    for (index, one) in parts.iter().enumerate() {
        let rule = selected.iter().find(|part| part.id == one.part).map(|part| part.rule);
        if rule.is_none_or(|rule| one.extent > rule.most) {
            faults.push(FieldError::new(
                format!("/parts/{index}/part"),
                "part",
                "この部分は記録にないか、そこまで開示することができません。preparation で確かめてください。",
                "There is no such part, or it cannot be shown that far: see the preparation.",
            ));
        }
    }
    let shown: BTreeMap<PartId, Extent> =
        selected.iter().filter(|part| !part.entries.is_empty()).map(|part| (part.id, part.extent)).collect();
    let withheld = selected.iter().any(Part::is_told);
    if !AccessOutcome::true_of(!shown.is_empty(), withheld).contains(&outcome) {
        faults.push(FieldError::new(
            "/outcome",
            "outcome",
            "選んだ内容と決定が合いません。全部なら full、一部なら partial、知らせてよい不開示部分だけなら refused、ほかは not_held か existence_not_answered です。",
            "The outcome is not true of what is selected: full, partial, refused where all that may be told of is withheld, otherwise not_held or existence_not_answered.",
        ));
    }
    let wants_ground = matches!(outcome, AccessOutcome::Partial | AccessOutcome::Refused);
    if told.is_empty() == wants_ground || told.iter().any(|article| !article.may_be_told()) {
        faults.push(FieldError::new(
            "/told",
            "told",
            "partial と refused には、請求者に示す条項（harm・third_person・task）が必要です。ほかの決定には書けません。",
            "partial and refused need the grounds the requester is told (harm, third_person, task); the others have none.",
        ));
    }
    if !faults.is_empty() {
        return Err(field_problem(faults));
    }
    Ok(Decision { outcome, told, parts, shown, on: day_in_japan(context.clock.now()) })
}

fn decisions(document: &Value) -> Result<Vec<Decided>, Problem> {
    let (mut parts, mut faults) = (Vec::new(), Vec::new());
    for (index, one) in document["parts"].as_array().into_iter().flatten().enumerate() {
        match one["part"].as_str().unwrap_or_default().parse::<PartId>() {
            Ok(part) => parts.push(Decided {
                part,
                extent: one["extent"].as_str().unwrap_or_default().parse()?,
                reason: one["reason"].as_str().unwrap_or_default().to_owned(),
            }),
            Err(_) => faults.push(FieldError::new(
                format!("/parts/{index}/part"),
                "part",
                "部分は、preparation にある part のまま書いてください。",
                "Write a part as the preparation has it.",
            )),
        }
    }
    if faults.is_empty() { Ok(parts) } else { Err(field_problem(faults)) }
}
