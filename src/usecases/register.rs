//! Registers agencies, their client secrets and their staff.
//!
//! Every agency has a data key of its own, under which the names of its staff and its settings are sealed.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    ALLOWED, Answer, Caller, Command, Context,
    idempotency::{self, Pointer as AnswerPointer, Prepared},
    jst, not_found,
    opened::data_key,
    page::{Limit, page},
    schema::Schema,
    second_look,
};
use crate::{
    domain::{
        agency::{AgencyKind, Body},
        corporate_number::CorporateNumber,
        fault::{Fault, Part, Phrase, Pointer, Text},
        ids::{AgencyId, StaffId},
        municipality::MunicipalityCode,
        name_key::SearchKey,
        person_name::{BadName, MAX_NAME_CHARACTERS, NameText},
        problem::{Problem, ProblemKind},
        staff::StaffRole,
    },
    ledger::{
        Rows, Step, Write,
        agency::{AgencyRow, RotateSecret, StaffRow},
        audit::{AuditAction, AuditRow},
        content::DataKeyRow,
    },
    vault::{
        ClientSecret,
        seal::{DataKey, Slot},
    },
};

/// An agency to register.
#[derive(Clone, Debug)]
pub struct NewAgency {
    pub kind: AgencyKind,
    /// The public name of the organisation, on one line.
    pub name: String,
    pub municipality: MunicipalityCode,
    pub corporate_number: Option<CorporateNumber>,
    /// Needed where the kind leaves it open; where the kind settles it, absent or the same.
    pub body: Option<Body>,
    /// The municipality whose work it does under contract.
    pub contractor_of: Option<MunicipalityCode>,
}

/// Registers an agency: makes its data key and its client secret, which is told only here.
///
/// # Errors
/// A name that is no line of text, a body that the kind contradicts or leaves open, or a ledger or key
/// store that did not take it.
pub async fn add_agency(context: &Context, new: NewAgency) -> Result<(AgencyId, ClientSecret), Problem> {
    let body = body_of(new.kind, new.body).map_err(|fault| Problem::schema_violation(vec![fault]))?;
    let id: AgencyId = context.clock.new_id();
    let name = new.name.trim();
    // The directory will answer with this name, so it follows the rules of its answers.
    let shown = json!({ "id": id, "name": name, "kind": new.kind });
    Schema::Agency.check(&shown).map_err(Problem::schema_violation)?;
    let now = context.clock.now();
    let key = context.vault.new_data_key(context.clock.new_id())?;
    let wrapped = context.vault.wrap(&key, id, now)?;
    let (secret, secret_mac) = context.vault.new_client_secret()?;
    let agency = AgencyRow {
        id,
        kind: new.kind,
        name: name.to_owned(),
        municipality: new.municipality,
        corporate_number: new.corporate_number.map(|number| number.to_string()),
        body,
        contractor_of: new.contractor_of,
        active: 1,
        secret_mac,
        data_key: key.id(),
        version: 1,
        created_at: now,
    };
    let wrap = DataKeyRow { id: key.id(), agency: id, kek: wrapped.kek_id, wrapped: wrapped.bytes };
    let rows = Rows {
        name_keys: second_look::name_keys(&agency),
        agencies: vec![agency],
        data_keys: vec![wrap],
        audits: vec![administered(context, id)],
        ..Rows::default()
    };
    context.ledger.write(Write { rows, ..Write::default() }).await?;
    Ok((id, secret))
}

/// Public or private: as the kind says or, where the kind leaves it open, as the agency says.
fn body_of(kind: AgencyKind, stated: Option<Body>) -> Result<Body, Fault> {
    let fault = |message| Fault { pointer: Pointer::ROOT.member("body"), code: "body", message };
    match (kind.body(), stated) {
        (Some(settled), Some(stated)) if settled != stated => Err(fault(
            Text::new(
                "この種別の機関は「{}」として扱います。指定を外してください。",
                "This kind of agency is a {}; leave it out.",
            )
            .put(Part::Phrase(Phrase { ja: settled.label_ja(), en: settled.label_en() })),
        )),
        (Some(body), _) | (None, Some(body)) => Ok(body),
        (None, None) => Err(fault(Text::new(
            "この種別には公的機関も民間もあります。publicかprivateを指定してください。",
            "This kind of agency may be either; say public or private.",
        ))),
    }
}

/// Gives an agency a new client secret. The old one is void at once; tokens it obtained live out their minutes.
///
/// # Errors
/// Not found; or version-stale, if somebody else rotated it meanwhile: one of two new secrets would be void.
pub async fn rotate_secret(context: &Context, agency: AgencyId) -> Result<ClientSecret, Problem> {
    let row = context.ledger.agency(agency).await?.ok_or_else(not_found)?;
    let (secret, secret_mac) = context.vault.new_client_secret()?;
    let rotate = RotateSecret { agency, from_version: row.version, secret_mac };
    let write = Write {
        steps: vec![Step::RotateSecret(rotate)],
        rows: Rows { audits: vec![administered(context, agency)], ..Rows::default() },
        ..Write::default()
    };
    context.ledger.write(write).await?;
    Ok(secret)
}

/// The name of a member of staff, as it is sealed.
#[derive(Debug, Serialize, Deserialize)]
struct StaffName {
    name: NameText,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kana: Option<NameText>,
}

impl StaffName {
    /// Reads the members of a document that has passed its schema.
    fn parse(document: &Value) -> Result<Self, Problem> {
        let read = |member: &'static str| {
            let text = document.get(member).and_then(Value::as_str);
            text.map(|text| NameText::parse(text).map_err(|why| name_fault(member, why))).transpose()
        };
        let (name, kana) = (read("name"), read("kana"));
        match (name, kana) {
            (Ok(Some(name)), Ok(kana)) => Ok(Self { name, kana }),
            (Ok(None), _) => Err(ProblemKind::SchemaViolation.into()),
            (name, kana) => {
                Err(Problem::schema_violation([name.err(), kana.err()].into_iter().flatten().collect()))
            }
        }
    }

    fn slot(agency: AgencyId, staff: StaffId) -> Slot<'static> {
        Slot { table: "staff", owner: agency, object: staff.uuid(), part: "name", seq: 1 }
    }

    fn open(key: &DataKey, row: &StaffRow) -> Result<Self, Problem> {
        let plain = key.open(&Self::slot(row.agency, row.id), &row.name)?;
        serde_json::from_slice(&plain).map_err(|_| ProblemKind::Internal.into())
    }
}

/// Registers a member of the caller's staff (POST /v1/staff).
///
/// # Errors
/// A name that cannot be one, told by place and never by text; or what [`idempotency::once`] answers.
pub async fn register_staff(
    context: &Context,
    caller: &Caller,
    command: &Command,
) -> Result<Answer, Problem> {
    let name = StaffName::parse(&command.document)?;
    let role: StaffRole = command.document["role"].as_str().unwrap_or_default().parse()?;
    let plain = serde_json::to_vec(&name).map_err(|_| ProblemKind::Internal)?;
    idempotency::once(context, caller, command, async || {
        let id: StaffId = context.clock.new_id();
        let key = data_key(context, caller.agency.data_key, caller.id()).await?;
        let row = StaffRow {
            id,
            agency: caller.id(),
            role,
            active: 1,
            name: key.seal(&StaffName::slot(caller.id(), id), &plain)?,
            created_at: context.clock.now(),
        };
        let rows = Rows {
            staff: vec![row],
            audits: vec![caller.audit(context, None, AuditAction::Administer, id, ALLOWED)],
            ..Rows::default()
        };
        Ok(Prepared {
            write: Write { rows, ..Write::default() },
            pointer: AnswerPointer::Staff(id),
            text: staff_answer(id),
        })
    })
    .await
}

/// The answer to a registration: the id under which the agency's system names this person from now on.
pub(super) fn staff_answer(id: StaffId) -> String {
    json!({ "id": id }).to_string()
}

/// The caller's own staff with their names, by keyset (GET /v1/staff).
///
/// # Errors
/// The ledger or the agency's key could not be read.
pub async fn staff_list(
    context: &Context,
    caller: &Caller,
    after: Option<StaffId>,
    limit: Limit,
) -> Result<String, Problem> {
    let mut rows = context.ledger.staff_list(caller.scope(), after, limit.rows()).await?;
    let more = limit.cut(&mut rows);
    let next = rows.last().filter(|_| more).map(|row| row.id.to_string());
    let key = data_key(context, caller.agency.data_key, caller.id()).await?;
    let items: Result<Vec<Value>, Problem> = rows.iter().map(|row| staff_view(&key, row)).collect();
    Ok(page(items?, next))
}

fn staff_view(key: &DataKey, row: &StaffRow) -> Result<Value, Problem> {
    let StaffName { name, kana } = StaffName::open(key, row)?;
    let mut view = json!({
        "id": row.id, "role": row.role, "active": row.active == 1, "name": name, "created_at": jst(row.created_at),
    });
    if let Some(kana) = kana {
        view["kana"] = json!(kana);
    }
    Ok(view)
}

/// The name of a member of staff in the form in which names are compared, and its reading.
pub(super) async fn folded_name(
    context: &Context,
    agency: &AgencyRow,
    row: &StaffRow,
) -> Result<(SearchKey, Option<SearchKey>), Problem> {
    let key = data_key(context, agency.data_key, agency.id).await?;
    let StaffName { name, kana } = StaffName::open(&key, row)?;
    Ok((SearchKey::of(name.as_str()), kana.map(|kana| SearchKey::of(kana.as_str()))))
}

/// The audit entry of what the operator changed of an agency.
fn administered(context: &Context, agency: AgencyId) -> AuditRow {
    AuditRow {
        id: context.clock.new_id(),
        agency,
        staff: None,
        action: AuditAction::Administer,
        subject: agency.to_string(),
        decision: ALLOWED.to_owned(),
        at: context.clock.now(),
        purpose: None,
    }
}

/// A refused name: which character is at fault, not what it is.
fn name_fault(member: &'static str, why: BadName) -> Fault {
    let at = |place: usize, ja, en| Text::new(ja, en).put(Part::Number(place as u64));
    let message = match why {
        BadName::Empty => {
            Text::new("目に見える文字が1文字以上必要です。", "A name has at least one visible character.")
        }
        BadName::TooLong { .. } => {
            at(MAX_NAME_CHARACTERS, "{}文字以内にしてください。", "A name has at most {} characters.")
        }
        BadName::Control { place } => at(
            place,
            "{}文字目が制御文字か改行です。取り除いてください。",
            "Character {} is a control character or a line break; remove it.",
        ),
        BadName::Direction { place } => at(
            place,
            "{}文字目が文字の向きを変える文字です。取り除いてください。",
            "Character {} turns the direction of the text; remove it.",
        ),
        BadName::Invisible { place } => at(
            place,
            "{}文字目が見えない文字です。取り除いてください。",
            "Character {} is invisible; remove it.",
        ),
        BadName::PrivateUse { place } => at(
            place,
            "{}文字目が外字です。Unicodeの文字（異体字セレクターも可）か、近い文字にしてください。",
            "Character {} is private-use (外字); give the Unicode character or the nearest common one.",
        ),
        BadName::Unpaired { place } => at(
            place,
            "{}文字目は前の文字に付く符号ですが、付く文字がありません。取り除いてください。",
            "Character {} marks a character before it, and there is none it can mark; remove it.",
        ),
        BadName::Damaged { place } => at(
            place,
            "{}文字目が途中で壊れています。入力し直してください。",
            "Character {} was damaged on its way; enter the name again.",
        ),
    };
    Fault { pointer: Pointer::ROOT.member(member), code: "name", message }
}

#[cfg(test)]
mod tests;
