//! The consents a party keeps: one as it was recorded and as it stands, and the list of them.

use serde_json::{Value, json};

use super::{Seen, looked};
use crate::{
    domain::{basis_state::ConsentState, ids::ConsentId, problem::Problem},
    ledger::consent::ConsentRow,
    usecases::{
        Caller, Context,
        consent::document,
        holding, jst, not_found,
        page::{Limit, page},
        statutory,
    },
};

/// A consent the caller keeps, as it was recorded and as it stands.
///
/// # Errors
/// Not found for everybody else.
pub async fn consent(
    context: &Context,
    caller: &Caller,
    id: ConsentId,
    staff: Option<&str>,
) -> Result<Seen, Problem> {
    let row = context.ledger.consent(caller.scope(), id).await?.ok_or_else(not_found)?;
    let mut view = document(context, &row).await?;
    let events = context.ledger.consent_events(&row).await?;
    if view.get("sender").is_none() {
        view["sender"] = json!(row.owner);
    }
    for (name, value) in consent_summary(&row).as_object().into_iter().flatten() {
        view[name] = value.clone();
    }
    view["statements"] = events.iter().filter_map(|event| event.jws.as_deref()).collect();
    view["recorded_at"] = json!(events.first().map(|event| jst(event.at)));
    if let Some(event) = events.iter().find(|event| event.state == ConsentState::Withdrawn) {
        view["withdrawn_at"] = json!(jst(event.at));
        view["propagation"] = holding::propagation(context, caller, &row).await?;
        let decision = statutory::seen(context, &row).await?;
        view["decision_due"] = json!(decision.as_ref().is_some_and(|one| one["state"] == "due"));
        if let Some(decision) = decision {
            view["statutory_decision"] = decision;
        }
    }
    looked(context, caller, staff, id).await?;
    Ok(Seen { version: row.version, text: view.to_string() })
}

pub(in crate::usecases) fn consent_summary(row: &ConsentRow) -> Value {
    json!({
        "id": row.id, "version": row.version, "state": row.state, "purpose": row.purpose,
        "changed_at": jst(row.changed_at),
    })
}

/// The consents the caller keeps, newest first.
pub async fn consents(
    context: &Context,
    caller: &Caller,
    before: Option<ConsentId>,
    limit: Limit,
) -> Result<String, Problem> {
    let mut rows = context.ledger.consents(caller.scope(), before, limit.rows()).await?;
    let more = limit.cut(&mut rows);
    let items = rows.iter().map(consent_summary).collect();
    Ok(page(items, rows.last().filter(|_| more).map(|row| row.id.to_string())))
}
