//! The values of the form that a family reads and signs: before a consent is given, or of one on record.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    ALLOWED, Caller, Command, Context, audited,
    consent::{document, field_problem, record_of},
    not_found,
    schema::pointer,
};
use crate::{
    domain::{
        agency::AgencyKind,
        basis_state::ConsentState,
        consent::{ConsentRecord, Opinion, day_in_japan},
        fault::{Fault, Text},
        field_rules,
        ids::{AgencyId, ConsentId},
        problem::Problem,
        subject::SubjectRef,
    },
    ledger::{agency::AgencyRow, audit::AuditAction},
};

/// What a form shows. It holds names, so it has no `Debug`.
pub struct Form {
    pub number: Option<ConsentId>,
    pub record: ConsentRecord,
    pub sender: Party,
    pub recipients: Vec<Party>,
    /// What was decided, if it was.
    pub given: Option<bool>,
    pub giver: Option<String>,
    pub own_words: BTreeMap<SubjectRef, OwnWords>,
    pub interpreter: Option<String>,
    pub witness: Option<String>,
    pub desk: String,
}

/// An agency as the directory knows it.
pub struct Party {
    pub name: String,
    pub kind: AgencyKind,
}

/// What a line of its own says of a person.
pub struct OwnWords {
    pub giver: Option<String>,
    pub view: Option<Opinion>,
}

/// The form of a consent the caller keeps. The look is on record before anything leaves.
///
/// # Errors
/// Not found for everybody but its keeper.
pub async fn of_record(context: &Context, caller: &Caller, id: ConsentId) -> Result<Form, Problem> {
    let row = context.ledger.consent(caller.scope(), id).await?.ok_or_else(not_found)?;
    let document = document(context, &row).await?;
    let record = record_of(&document, &row)?;
    let form = form(context, caller, &document, record).await?;
    let audit = caller.audit(context, None, AuditAction::Read, format!("consent-form:{id}"), ALLOWED);
    audited(context, audit).await?;
    let given = Some(document["decision"] != "refused");
    Ok(Form { number: Some(id), given, ..form })
}

/// The form of a consent that is still to be asked for. Nothing is stored but that it was printed, and for whom.
///
/// # Errors
/// Faults of the document; staff who are not the caller's own.
pub async fn before(context: &Context, caller: &Caller, command: &Command) -> Result<Form, Problem> {
    let now = context.clock.now();
    let record = draft(&command.document, caller.id(), now)?;
    let staff = caller.staff(context, &command.document["recorded_by"], "/recorded_by").await?;
    let form = form(context, caller, &command.document, record).await?;
    let audit = caller.audit(context, Some(staff.id), AuditAction::Read, "consent-form", ALLOWED);
    audited(context, audit).await?;
    Ok(form)
}

/// Reads what a form needs as a consent that is not decided on yet.
fn draft(document: &Value, caller: AgencyId, now: Timestamp) -> Result<ConsentRecord, Problem> {
    let mut whole = document.clone();
    whole["decision"] = json!("given");
    whole["method"] = json!("paper");
    let mut faults = name_faults(document);
    match ConsentRecord::parse(&whole, ConsentId::new(uuid::Uuid::nil()), caller, day_in_japan(now)) {
        Ok(record) if faults.is_empty() => Ok(ConsentRecord { state: ConsentState::Proposed, ..record }),
        Ok(_) => Err(field_problem(faults)),
        Err(found) => {
            faults.extend(found);
            Err(field_problem(faults))
        }
    }
}

/// Faults of the names in a consent's document.
pub(super) fn name_faults(document: &Value) -> Vec<crate::domain::field_error::FieldError> {
    let mut faults = Vec::new();
    field_rules::name_faults(&document["giver"]["name"], "/giver/name", &mut faults);
    for (index, line) in document["lines"].as_array().into_iter().flatten().enumerate() {
        field_rules::name_faults(&line["giver"]["name"], &format!("/lines/{index}/giver/name"), &mut faults);
    }
    faults
}

async fn form(
    context: &Context,
    caller: &Caller,
    document: &Value,
    record: ConsentRecord,
) -> Result<Form, Problem> {
    let sender = match record.sender == caller.id() {
        true => caller.agency.clone(),
        false => context.ledger.agency(record.sender).await?.ok_or_else(|| unknown("/sender"))?,
    };
    let mut recipients = Vec::with_capacity(record.recipients.len());
    for some in record.recipients.chunks(16) {
        let rows = context.ledger.agencies_by_id(some).await?;
        for id in some {
            let row = rows.iter().find(|row| row.id == *id).ok_or_else(|| unknown("/recipients"))?;
            recipients.push(party(row));
        }
    }
    let text = |member: &str| document[member].as_str().map(str::to_owned);
    Ok(Form {
        number: None,
        sender: party(&sender),
        recipients,
        given: None,
        giver: full_name(&document["giver"]["name"]),
        own_words: own_words(document),
        interpreter: text("interpreter"),
        witness: text("witness"),
        desk: context.settings.complaints_desk.clone(),
        record,
    })
}

fn party(row: &AgencyRow) -> Party {
    Party { name: row.name.clone(), kind: row.kind }
}

fn own_words(document: &Value) -> BTreeMap<SubjectRef, OwnWords> {
    let lines = document["lines"].as_array().into_iter().flatten();
    let own = |line: &Value| {
        let words = OwnWords {
            giver: full_name(&line["giver"]["name"]),
            view: line["opinion"]["view"].as_str().and_then(|text| text.parse().ok()),
        };
        Some((line["subject"].as_str()?.parse().ok()?, words))
    };
    lines.filter_map(own).collect()
}

/// Family and given name, as far as they are known.
pub(super) fn full_name(name: &Value) -> Option<String> {
    let parts = ["family", "given"].map(|part| name[part].as_str().unwrap_or_default());
    let whole = parts.join(" ");
    let whole = whole.trim();
    (!whole.is_empty()).then(|| whole.to_owned())
}

fn unknown(at: &str) -> Problem {
    Problem::schema_violation(vec![Fault {
        pointer: pointer(at),
        code: "agency_unknown",
        message: Text::new(
            "登録されている機関のIDを書いてください。",
            "Name agencies by the ids of the directory.",
        ),
    }])
}
