//! After a withdrawal, a person decides anew whether a law allows what the consent no longer does. Nothing falls back
//! by itself, and nothing is sent by the decision: whoever finds a ground sends a new referral on it.

use serde_json::{Value, json};

use super::{
    ALLOWED, Answer, Caller, Command, Context,
    consent::field_problem,
    idempotency::{Pointer, Prepared, once},
    jst, not_found,
    opened::{damaged, data_key},
    read::present,
};
use crate::{
    domain::{
        basis::{Basis, BasisCode, Lane as BasisLane},
        field_error::FieldError,
        ids::{AgencyId, ConsentId},
        problem::{Problem, ProblemKind},
    },
    ledger::{
        Lane, Step, Write,
        audit::AuditAction,
        consent::{ConsentRow, HoldConsent},
        statutory::{DecideStatutory, StatutoryRow, StatutoryState},
    },
    vault::seal::Slot,
};

fn slot(owner: AgencyId, id: ConsentId) -> Slot<'static> {
    Slot { table: "statutory_decision", owner, object: id.uuid(), part: "body", seq: 1 }
}

/// Records the decision of a named person, with its reason.
///
/// # Errors
/// Not found for everybody but the agency that keeps the consent; stale; no decision that is due; a basis that is
/// missing or is no law.
pub async fn decide(
    context: &Context,
    caller: &Caller,
    id: ConsentId,
    version: i64,
    command: &Command,
) -> Result<Answer, Problem> {
    once(context, caller, command, async || {
        let row = context.ledger.consent(caller.scope(), id).await?.ok_or_else(not_found)?;
        let document = &command.document;
        let staff = caller.staff(context, &document["by"], "/by").await?;
        let due = context.ledger.statutory(id).await?.filter(|due| due.state == StatutoryState::Due);
        let Some(due) = due else {
            return Err(Problem::illegal_transition(row.state.code(), Vec::new()));
        };
        if row.version != version {
            return Err(Problem::new(ProblemKind::VersionStale));
        }
        let basis = basis(document)?;
        let key = data_key(context, row.data_key, row.owner).await?;
        let reason = document["reason"].as_str().unwrap_or_default();
        let now = context.clock.now();
        let decided = StatutoryRow {
            state: if basis.is_some() { StatutoryState::Basis } else { StatutoryState::None },
            basis,
            body: Some(key.seal(&slot(row.owner, id), reason.as_bytes())?),
            staff: Some(staff.id),
            decided_at: Some(now),
            ..due
        };
        let text = answer(&decided);
        let mut write = Write { lane: Lane::Urgent, ..Write::default() };
        write.steps.push(Step::HoldConsent(HoldConsent { id, version }));
        write.steps.push(Step::DecideStatutory(Box::new(DecideStatutory(decided))));
        write.rows.audits.push(caller.audit(context, Some(staff.id), AuditAction::Consent, id, ALLOWED));
        Ok(Prepared { write, pointer: Pointer::Statutory(id), text })
    })
    .await
}

/// The law the person names, where the decision is that there is one.
fn basis(document: &Value) -> Result<Option<BasisCode>, Problem> {
    let named = document["basis"].as_str();
    if document["decision"] == StatutoryState::None.code() && named.is_none() {
        return Ok(None);
    }
    let code: Option<BasisCode> = named.map(str::parse).transpose()?;
    let law = code.filter(|code| Basis::of(*code).lane != BasisLane::Consent);
    match law {
        Some(code) if document["decision"] == StatutoryState::Basis.code() => Ok(Some(code)),
        _ => Err(field_problem(vec![FieldError::new(
            "/basis",
            "required",
            "根拠があると判断したときだけ、法令の根拠コード（同意を除く）を書いてください。",
            "Name the basis in law, no consent, where the decision is that there is one; and only then.",
        )])),
    }
}

/// What the decision made, which never changes.
fn answer(row: &StatutoryRow) -> String {
    let mut answer = json!({
        "id": row.consent, "decision": row.state, "by": row.staff, "at": row.decided_at.map(jst),
    });
    if let Some(basis) = row.basis {
        answer["basis"] = json!(basis);
    }
    answer.to_string()
}

/// The answer again, from the stored decision.
pub(super) async fn answer_again(
    context: &Context,
    caller: &Caller,
    id: ConsentId,
) -> Result<String, Problem> {
    context.ledger.consent(caller.scope(), id).await?.ok_or_else(damaged)?;
    Ok(answer(&context.ledger.statutory(id).await?.ok_or_else(damaged)?))
}

/// The open task, or the decision with its reason, for the agency that keeps the consent.
pub(super) async fn seen(context: &Context, row: &ConsentRow) -> Result<Option<Value>, Problem> {
    let Some(found) = context.ledger.statutory(row.id).await? else { return Ok(None) };
    let reason = match &found.body {
        Some(sealed) => {
            let key = data_key(context, row.data_key, row.owner).await?;
            Some(String::from_utf8(key.open(&slot(row.owner, row.id), sealed)?).map_err(|_| damaged())?)
        }
        None => None,
    };
    Ok(Some(present(json!({
        "state": found.state, "label": found.state.label_ja(), "due_since": jst(found.due_since),
        "basis": found.basis, "by": found.staff, "at": found.decided_at.map(jst), "reason": reason,
    }))))
}
