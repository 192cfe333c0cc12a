//! What is written at an act: the members its row requires, each of its own list.

use serde_json::Value;

use crate::{
    domain::{
        answer::{DeclineReason, DeclinedBy, DiscontinueReason, HoldReason, Outcome},
        field_error::FieldError,
        holding::Disposal,
        incident::RecallReason,
        leg::{Field, LegAction, LegState, Transition},
        problem::Problem,
    },
    usecases::consent::field_problem,
};

/// The details of an act: sealed whole, and the code of its reason, which the receipt names.
pub(super) struct Details {
    pub sealed: Value,
    pub reason: Option<&'static str>,
}

/// The members that the act needs, each of its own list; what it does not need is kept as a note would be.
pub(super) fn details(row: &Transition, document: &Value) -> Result<Details, Problem> {
    let missing = row.missing(|field| !document[member(field)].is_null());
    let mut faults: Vec<FieldError> = missing.iter().map(|field| lacking(*field)).collect();
    let reason = reason(row, document, &mut faults);
    if !faults.is_empty() {
        return Err(field_problem(faults));
    }
    let mut sealed = document.as_object().cloned().unwrap_or_default();
    sealed.remove("by");
    if row.action == LegAction::Recall {
        // Why it was sent by mistake is the sender's own affair: it stands in the incident, not in what both read.
        sealed.clear();
    }
    Ok(Details { sealed: Value::Object(sealed), reason })
}

/// The reason or outcome, parsed by the list its act uses.
fn reason(row: &Transition, document: &Value, faults: &mut Vec<FieldError>) -> Option<&'static str> {
    let declines = row.to == Some(LegState::Declined);
    let mut one = |name: &'static str, code: Option<&'static str>| {
        if code.is_none() && document[name].is_string() {
            faults.push(FieldError::new(
                format!("/{name}"),
                "unknown_code",
                "コード表にないコードです。この操作のコード表から選んでください。",
                "Not a code of the list this act uses.",
            ));
        }
        code
    };
    let text = |name: &str| document[name].as_str().unwrap_or_default();
    match row.action {
        _ if declines => {
            one("declined_by", text("declined_by").parse().ok().map(DeclinedBy::code));
            one("reason", text("reason").parse().ok().map(DeclineReason::code))
        }
        LegAction::Hold => one("reason", text("reason").parse().ok().map(HoldReason::code)),
        LegAction::Discontinue => one("reason", text("reason").parse().ok().map(DiscontinueReason::code)),
        LegAction::Recall => {
            one("reason", text("reason").parse().ok().map(RecallReason::code));
            None
        }
        LegAction::ConfirmDisposal => one("disposal", text("disposal").parse().ok().map(Disposal::code)),
        LegAction::Complete => one("outcome", text("outcome").parse().ok().map(Outcome::code)),
        _ => None,
    }
}

/// The member of the body that carries a field.
pub(in crate::usecases) const fn member(field: Field) -> &'static str {
    match field {
        Field::By => "declined_by",
        other => other.code(),
    }
}

pub(in crate::usecases) fn lacking(field: Field) -> FieldError {
    FieldError::new(
        format!("/{}", member(field)),
        "required",
        "この操作に必要な項目です。書き足してください。",
        "This act needs this member; add it.",
    )
}
