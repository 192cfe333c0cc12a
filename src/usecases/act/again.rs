//! The answer to an act that is asked for again.

use serde_json::{Map, Value};

use super::{
    super::{Caller, Context, opened::damaged, recall},
    answer_of,
};
use crate::{
    domain::{ids::LegId, leg::LegAction, problem::Problem, receipt::ReceiptLevel},
    ledger::receipt::ReceiptRow,
};

/// The answer again, from the stored event and the receipt that proves it.
pub(in crate::usecases) async fn answer_again(
    context: &Context,
    caller: &Caller,
    id: LegId,
    seq: i64,
    by: &Value,
) -> Result<String, Problem> {
    // Who acted then may have left by now; the answer is the same for ever.
    let scope = caller.scope().and(by.as_str().and_then(|person| person.parse().ok()));
    let leg = context.ledger.leg(scope, id).await?.ok_or_else(damaged)?;
    let event = context.ledger.leg_event(id, seq).await?.ok_or_else(damaged)?;
    let told = |level: &str, jws: &str| answer_of(id, seq, event.to_state, level, jws);
    let more = match event.kind == LegAction::Recall.code() {
        true => recall::told_again(context, caller, id).await?,
        false => Map::new(),
    };
    let whole = |mut answer: Map<String, Value>, mut more| {
        answer.append(&mut more);
        Value::Object(answer).to_string()
    };
    if let Some(jws) = &event.jws {
        return Ok(whole(told("event", jws), more));
    }
    let receipts = context.ledger.receipts(&leg).await?;
    let proves = |row: &&ReceiptRow| {
        matches!(row.level, ReceiptLevel::R4 | ReceiptLevel::Closed) && row.at == event.at
    };
    let row = receipts.iter().find(proves).ok_or_else(damaged)?;
    Ok(whole(told(row.level.code(), &row.jws), more))
}
