//! Who at the recipient is related to a case: what the sender stated with the leg, and what the recipient's own people
//! declare. Each opening asks, and asks again in its write.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    ALLOWED, Answer, Caller, Command, Context,
    idempotency::{Pointer, Prepared, once},
    jst, not_found,
    opened::{OpenedLeg, damaged, data_key},
    page::page,
    read::{looked, present},
    register,
};
use crate::{
    domain::{
        chain::Hash,
        fault::{Fault, Text},
        ids::{AgencyId, DeliveryId, StaffId},
        name_key::SearchKey,
        person_name::NameText,
        problem::{Problem, ProblemKind},
        relation::{About, Bearing, NameMacs, Reader, Relation, RelationStep, Statement, bearing},
        staff::StaffRole,
        submission::Named,
    },
    ledger::{
        Lane, Step, Write,
        agency::{AgencyRow, StaffRow},
        audit::AuditAction,
        protection::HoldLeg,
        relation::{HoldRelations, RelationRow},
    },
    usecases::schema::pointer,
    vault::{MacPurpose, seal::Slot},
};

/// What has been said about relations to a case, as an opening finds it.
pub(super) struct Said {
    stated: Vec<Statement>,
    declared: Vec<Statement>,
    place: Hash,
}

impl Said {
    /// Reads it for a leg, in the name of its recipient.
    pub async fn of(context: &Context, opened: &OpenedLeg) -> Result<Self, Problem> {
        let place = place(context, opened);
        let rows = context.ledger.relations_at(&place).await?;
        let mut declared = Vec::with_capacity(rows.len());
        if !rows.is_empty() {
            let agency = context.ledger.agency(opened.leg.recipient).await?.ok_or_else(damaged)?;
            let key = data_key(context, agency.data_key, agency.id).await?;
            for row in &rows {
                let plain = key.open(&slot(agency.id, &place, row.seq), &row.body)?;
                declared.push(serde_json::from_slice(&plain).map_err(|_| damaged())?);
            }
        }
        Ok(Self { stated: opened.body.related.clone(), declared, place })
    }

    /// How a member of the recipient's staff stands to the case.
    pub async fn bearing(
        &self,
        context: &Context,
        agency: &AgencyRow,
        reader: &StaffRow,
    ) -> Result<Bearing, Problem> {
        if self.stated.is_empty() && self.declared.is_empty() {
            return Ok(Bearing::Clear);
        }
        let (name, kana) = register::folded_name(context, agency, reader).await?;
        let names = NameMacs { name: mac(context, &name), kana: kana.map(|kana| mac(context, &kana)) };
        let reader = Reader { staff: reader.id, names };
        Ok(bearing(self.stated.iter().chain(&self.declared), &reader))
    }

    /// Asks in the write whether anything was declared meanwhile.
    pub fn hold(&self, write: &mut Write) {
        let count = i64::try_from(self.declared.len()).unwrap_or(i64::MAX);
        write.steps.push(Step::HoldRelations(HoldRelations { place: self.place, count }));
    }
}

/// Where a recipient's declarations about a case are found; about the leg alone, where it names no case.
fn place(context: &Context, opened: &OpenedLeg) -> Hash {
    let (leg, referral) = (&opened.leg, &opened.referral);
    let text = match referral.case_id {
        Some(case) => format!("{}/{}/case/{case}", leg.recipient, leg.sender),
        None => format!("{}/{}/leg/{}", leg.recipient, leg.sender, leg.id),
    };
    context.vault.mac(MacPurpose::Relation, text.as_bytes())
}

fn slot(agency: AgencyId, place: &Hash, seq: i64) -> Slot<'static> {
    let mut object = [0; 16];
    object.copy_from_slice(&place.bytes()[..16]);
    let seq = u64::try_from(seq).unwrap_or_default();
    Slot { table: "relation", owner: agency, object: Uuid::from_bytes(object), part: "body", seq }
}

fn mac(context: &Context, name: &SearchKey) -> Hash {
    context.vault.mac(MacPurpose::RelatedName, name.as_str().as_bytes())
}

/// What the sender states with a leg, as it is sealed: names to show to the sender, hashes to compare.
pub(super) fn stated(context: &Context, named: &[Named], by: StaffId, at: jiff::Timestamp) -> Vec<Statement> {
    let statement = |named: &Named| {
        let key = |text: &str| mac(context, &SearchKey::of(text));
        let name = named.name.as_ref().map(NameText::as_str);
        let about = match (named.staff, name) {
            (Some(staff), _) => About::Staff(staff),
            (None, name) => About::Name(NameMacs {
                name: key(name.unwrap_or_default()),
                kana: named.kana.as_ref().map(|kana| key(kana.as_str())),
            }),
        };
        Statement {
            step: RelationStep::Stated,
            about,
            relation: Some(named.relation),
            by,
            at,
            name: name.map(str::to_owned),
            note: None,
        }
    };
    named.iter().map(statement).collect()
}

/// What the sender stated, for the sender's own view of the leg.
pub(super) fn seen_by_the_sender(stated: &[Statement]) -> Option<Value> {
    let item = |said: &Statement| {
        let staff = match said.about {
            About::Staff(staff) => Some(staff),
            About::Name(_) => None,
        };
        present(json!({"staff": staff, "name": said.name, "relation": said.relation}))
    };
    (!stated.is_empty()).then(|| stated.iter().map(item).collect())
}

/// Declares, denies or ends a relation of a member of the caller's own staff to the case of a delivery.
///
/// # Errors
/// Not found for everybody but the recipient; forbidden for whoever may not say this of this person.
pub async fn declare(
    context: &Context,
    caller: &Caller,
    id: DeliveryId,
    command: &Command,
) -> Result<Answer, Problem> {
    once(context, caller, command, async || {
        let document = &command.document;
        let delivery = context.ledger.delivery(caller.scope(), id).await?.ok_or_else(not_found)?;
        let by = caller.staff(context, &document["by"], "/by").await?;
        let staff = caller.staff(context, &document["staff"], "/staff").await?.id;
        let step: RelationStep = document["step"].as_str().unwrap_or_default().parse()?;
        let relation = document["relation"].as_str().map(str::parse::<Relation>).transpose()?;
        may_say(step, (by.id, by.role), staff)?;
        if step == RelationStep::Declared && relation.is_none() {
            return Err(relation_missing());
        }
        let opened = OpenedLeg::load(context, caller.scope(), delivery.leg).await?.ok_or_else(damaged)?;
        let said = Said::of(context, &opened).await?;
        let at = context.clock.now();
        let note = document["note"].as_str().map(str::to_owned);
        let statement =
            Statement { step, about: About::Staff(staff), relation, by: by.id, at, name: None, note };
        let seq = i64::try_from(said.declared.len()).unwrap_or(i64::MAX) + 1;
        let key = data_key(context, caller.agency.data_key, caller.id()).await?;
        let body = serde_json::to_vec(&statement).map_err(|_| damaged())?;
        let body = key.seal(&slot(caller.id(), &said.place, seq), &body)?;
        let mut write = Write { lane: Lane::Urgent, ..Write::default() };
        // Of this and an opening of the same leg one comes first.
        write.steps.push(Step::HoldLeg(HoldLeg { id: opened.leg.id, seq: opened.leg.head_seq }));
        write.rows.relations.push(RelationRow { place: said.place, seq, body, at });
        write.rows.audits.push(caller.audit(context, Some(by.id), AuditAction::Relate, id, ALLOWED));
        let text = answer(id, seq, &statement).to_string();
        Ok(Prepared { pointer: Pointer::Relation { delivery: id, seq }, text, write })
    })
    .await
}

/// Who may say what of whom: a relation, the person or a supervisor; that there is none, the person alone; that it has
/// ended, a supervisor who is somebody else.
fn may_say(step: RelationStep, (by, role): (StaffId, StaffRole), of: StaffId) -> Result<(), Problem> {
    let supervisor = role == StaffRole::Supervisor;
    let may = match step {
        RelationStep::Declared => by == of || supervisor,
        RelationStep::Denied => by == of,
        RelationStep::Ended => by != of && supervisor,
        RelationStep::Stated => false,
    };
    if may {
        return Ok(());
    }
    Err(Problem::new(ProblemKind::Forbidden)
        .detail(Text::new(
            "関係の申告は本人か管理職、関係がないことの申告は本人、解除は本人以外の管理職が行います。",
            "A relation is declared by the person or a supervisor, denied by the person, and ended by a supervisor who is somebody else.",
        ))
        .mend(Text::new(
            "申告できる職員のIDを by に書いてください。",
            "Name in by a member of staff who may say this.",
        )))
}

fn relation_missing() -> Problem {
    Problem::schema_violation(vec![Fault {
        pointer: pointer("/relation"),
        code: "required",
        message: Text::new("関係を書いてください。", "Say what the relation is."),
    }])
}

/// The answer to a declaration: ids and codes. Why it was said is in the list, for those who look there.
fn answer(id: DeliveryId, seq: i64, said: &Statement) -> Value {
    let mut view = told(&Statement { note: None, ..said.clone() });
    view["delivery"] = json!(id);
    view["seq"] = json!(seq);
    view
}

fn told(said: &Statement) -> Value {
    let staff = match said.about {
        About::Staff(staff) => Some(staff),
        About::Name(_) => None,
    };
    present(json!({
        "staff": staff, "step": said.step, "label": said.step.label_ja(), "relation": said.relation,
        "by": said.by, "at": jst(said.at), "note": said.note,
    }))
}

/// The answer again, from the stored statement.
pub(super) async fn answer_again(
    context: &Context,
    caller: &Caller,
    id: DeliveryId,
    seq: i64,
) -> Result<String, Problem> {
    let said = of_delivery(context, caller, id).await?;
    let place = usize::try_from(seq - 1).map_err(|_| damaged())?;
    Ok(answer(id, seq, said.declared.get(place).ok_or_else(damaged)?).to_string())
}

async fn of_delivery(context: &Context, caller: &Caller, id: DeliveryId) -> Result<Said, Problem> {
    let delivery = context.ledger.delivery(caller.scope(), id).await?.ok_or_else(not_found)?;
    let opened = OpenedLeg::load(context, caller.scope(), delivery.leg).await?.ok_or_else(damaged)?;
    Said::of(context, &opened).await
}

/// What the caller's own people have declared about the case of a delivery, oldest first. What the sender stated is
/// not among it: that is about the family, and is not told.
///
/// # Errors
/// Not found for everybody but the recipient.
pub async fn list(
    context: &Context,
    caller: &Caller,
    id: DeliveryId,
    staff: Option<&str>,
) -> Result<String, Problem> {
    let said = of_delivery(context, caller, id).await?;
    looked(context, caller, staff, id).await?;
    Ok(page(said.declared.iter().map(told).collect(), None))
}
