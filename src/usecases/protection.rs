//! What protects a family at this moment, as decisions and their writes see it; and what its keeper may look at.
//!
//! It is read anew for every decision and asked for once more in the write that rests on it, so that a concealment
//! counts from its commit on, also for what was sent before.

use serde_json::{Value, json};

use super::{
    Caller, Context, jst, not_found,
    opened::{OpenedLeg, World, damaged, data_key},
    page::{Limit, page},
    read::{Seen, looked},
};
use crate::{
    domain::{
        chain::Hash,
        disclosure::{Event, situation::Shield},
        ids::{AgencyId, CaseId, ProtectionId, ReferralId},
        mask::{Mask, Texts},
        problem::{Problem, ProblemKind},
        protection::{
            Standing,
            record::{Place, Record},
            terms::Terms,
        },
        veil::{SENTENCES, Veil, may_be_read},
    },
    ledger::{
        Step, Write,
        protection::{FoundProtection, HoldProtection, ProtectionRow},
    },
    vault::{
        MacPurpose, VaultError,
        seal::{DataKey, Slot},
    },
};

/// What protects the people of a referral now, and in which versions that was read.
pub(super) struct Shelter {
    known: Shield,
    terms: Vec<Terms>,
    held: Vec<(Hash, Option<i64>)>,
}

impl Shelter {
    /// Looks for the protection of a case and of a referral in the name of the agency that keeps them. A record that
    /// is there and does not open conceals everything.
    ///
    /// # Errors
    /// The ledger does not answer; nothing may be decided then.
    pub async fn of(
        context: &Context,
        owner: AgencyId,
        case: Option<CaseId>,
        referral: Option<ReferralId>,
    ) -> Result<Self, Problem> {
        let places = case.map(Place::Case).into_iter().chain(referral.map(Place::Referral));
        let macs: Vec<Hash> = places.map(|place| mac(context, owner, place)).collect();
        let (Some(first), Some(last)) = (macs.first(), macs.last()) else {
            return Ok(Self { known: Shield::None, terms: Vec::new(), held: Vec::new() });
        };
        let found = context.ledger.protections_at(first, last).await?;
        let version =
            |mac: &Hash| found.iter().find(|one| one.row.place == Some(*mac)).map(|one| one.row.version);
        let held = macs.iter().map(|mac| (*mac, version(mac))).collect();
        let (mut known, mut terms) = (Shield::None, Vec::new());
        for one in &found {
            let record = record(context, one);
            terms.extend(record.as_ref().map(|record| record.terms.clone()));
            known = match (known, record) {
                (_, None) | (Shield::Unreadable, _) => Shield::Unreadable,
                (Shield::None, Some(record)) => record.protection().map_or(Shield::None, Shield::Protected),
                (Shield::Protected(so_far), Some(record)) => Shield::Protected(match record.protection() {
                    Some(more) => so_far.and(more),
                    None => so_far,
                }),
            };
        }
        Ok(Self { known, terms, held })
    }

    /// Whether anything protects the family, readable or not.
    pub const fn stands(&self) -> bool {
        !matches!(self.known, Shield::None)
    }

    pub fn standing(&self) -> Standing<'_> {
        self.known.standing()
    }

    /// What goes with the family when it is handed over, if anything protects it.
    pub fn handed_over(&self) -> Option<Terms> {
        let terms = self.terms.iter().map(Terms::handed_over);
        terms.reduce(|so_far, more| so_far.and(&more))
    }

    /// The veil to draw over what is said, where anything is protected.
    pub fn veil(&self) -> Option<Veil> {
        match &self.known {
            Shield::None => None,
            Shield::Protected(protection) => Some(protection.veil.clone()),
            Shield::Unreadable => Some(Veil::default()),
        }
    }

    /// Asks in the write whether it still stands as it was decided on. Last, behind the steps that lock the leg.
    pub fn hold(&self, write: &mut Write) {
        let holds =
            self.held.iter().map(|(place, version)| HoldProtection { place: *place, version: *version });
        write.steps.extend(holds.map(Step::HoldProtection));
    }
}

/// Draws the veil over what the sender wrote beside the content: a leg's recipient reads of it what it could read of
/// the document, now.
pub(super) async fn veil(context: &Context, opened: &OpenedLeg, view: &mut Value) -> Result<(), Problem> {
    let (leg, referral) = (&opened.leg, &opened.referral);
    let shelter = Shelter::of(context, leg.sender, referral.case_id, Some(referral.id)).await?;
    if shelter.veil().is_none() {
        return Ok(());
    }
    let world = World::load(context, opened).await?;
    let texts = match world.decide(opened, Event::Deliver, context.clock.now()) {
        Ok(decision) if !decision.mask.is_empty() => decision.mask.texts(),
        _ => Texts::Withheld,
    };
    let content = world.content(context, opened, leg.recipient, &Mask::EMPTY).await?;
    let hidden = |name: &str, value: &Value| !may_be_read(name, value, texts, content.veil());
    if hidden("text", &view["requested_action"]) {
        view["requested_action"] = Value::Null;
    }
    let theirs = json!(leg.recipient);
    for event in view["events"].as_array_mut().into_iter().flatten().filter(|event| event["agency"] != theirs)
    {
        let members = event.as_object_mut().ok_or_else(damaged)?;
        members.retain(|name, value| !SENTENCES.contains(&name.as_str()) || !hidden(name, value));
    }
    Ok(())
}

/// The keyed hash by which a protection is found: nobody who reads the ledger learns what it protects.
pub(super) fn mac(context: &Context, owner: AgencyId, place: Place) -> Hash {
    let text = match place {
        Place::Case(id) => format!("{owner}/case/{id}"),
        Place::Referral(id) => format!("{owner}/referral/{id}"),
    };
    context.vault.mac(MacPurpose::Protection, text.as_bytes())
}

pub(super) fn record(context: &Context, found: &FoundProtection) -> Option<Record> {
    let open = || -> Result<Record, VaultError> {
        let missing = VaultError::Opening { what: "a protection" };
        let (Some(body), Some(key)) = (&found.body, &found.key) else { return Err(missing) };
        let key = context.vault.unwrap(key.id, key.agency, &key.kek, &key.wrapped)?;
        let plain = key.open(&slot(&found.row, found.row.version), body)?;
        serde_json::from_slice(&plain).map_err(|_| missing)
    };
    open()
        .inspect_err(
            |error| tracing::error!(%error, protection = %found.row.id, "a protection does not open"),
        )
        .ok()
}

/// Where one version of a protection is sealed.
pub(super) fn slot(row: &ProtectionRow, version: i64) -> Slot<'static> {
    let seq = u64::try_from(version).unwrap_or_default();
    Slot { table: "protection_version", owner: row.owner, object: row.id.uuid(), part: "body", seq }
}

/// A version of a protection, for the agency that keeps it; and the key it is sealed under.
pub(super) async fn version(
    context: &Context,
    row: &ProtectionRow,
    version: i64,
) -> Result<(Record, DataKey), Problem> {
    let key = data_key(context, row.data_key, row.owner).await?;
    let stored = context.ledger.protection_version(row, version).await?.ok_or_else(damaged)?;
    let plain = key.open(&slot(row, version), &stored.body)?;
    Ok((serde_json::from_slice(&plain).map_err(|_| damaged())?, key))
}

/// A protection the caller keeps, as it stands.
///
/// # Errors
/// Not found for everybody else.
pub async fn read(
    context: &Context,
    caller: &Caller,
    id: ProtectionId,
    staff: Option<&str>,
) -> Result<Seen, Problem> {
    let row = context.ledger.protection(caller.scope(), id).await?.ok_or_else(not_found)?;
    let (record, _) = version(context, &row, row.version).await?;
    let now = context.clock.now();
    let mut view = step_answer(&row, row.version, &record);
    view["terms"] = told(&record.terms)?;
    if let Some(pending) = record.waiting(now) {
        view["pending"] = told(pending)?;
        view["pending"]["at"] = json!(jst(pending.at));
    }
    looked(context, caller, staff, id).await?;
    Ok(Seen { version: row.version, text: view.to_string() })
}

fn told(part: &impl serde::Serialize) -> Result<Value, Problem> {
    serde_json::to_value(part).map_err(|_| Problem::new(ProblemKind::Internal))
}

/// The answer to a step of a protection, made of that version alone: it is the same for ever.
pub(super) fn step_answer(row: &ProtectionRow, version: i64, record: &Record) -> Value {
    let legs = record.legs.iter().map(
        |leg| json!({"leg": leg.leg, "recipient": leg.recipient, "seq": leg.seq, "disclosed": leg.disclosed}),
    );
    let mut answer = json!({
        "id": row.id, "version": version, "state": record.state, "step": record.step, "by": record.by,
        "at": jst(record.at), "legs": legs.collect::<Vec<_>>(),
    });
    match record.place {
        Place::Case(id) => answer["case"] = json!(id),
        Place::Referral(id) => answer["referral"] = json!(id),
    }
    if let Some(staff) = record.asked_by {
        answer["asked_by"] = json!(staff);
    }
    if let Some(reason) = &record.reason {
        answer["reason"] = json!(reason);
    }
    if let Some(lift) = record.lift {
        answer["lift"] =
            json!({"recipient": lift.recipient, "purpose": lift.purpose, "until": jst(lift.until)});
    }
    answer
}

/// The answer again, from the stored version.
pub(super) async fn answer_again(
    context: &Context,
    caller: &Caller,
    id: ProtectionId,
    at: i64,
) -> Result<String, Problem> {
    let row = context.ledger.protection(caller.scope(), id).await?.ok_or_else(damaged)?;
    let (record, _) = version(context, &row, at).await?;
    Ok(step_answer(&row, at, &record).to_string())
}

/// The protections the caller keeps, newest first; or the one of a case or a referral. Lists show ids, versions and
/// times alone.
pub async fn list(
    context: &Context,
    caller: &Caller,
    of: Option<Place>,
    before: Option<ProtectionId>,
    limit: Limit,
) -> Result<String, Problem> {
    let mut rows = match of {
        None => context.ledger.protections(caller.scope(), before, limit.rows()).await?,
        Some(place) => {
            let mac = mac(context, caller.id(), place);
            let found = context.ledger.protections_at(&mac, &mac).await?;
            found.into_iter().map(|one| one.row).collect()
        }
    };
    let more = limit.cut(&mut rows);
    let items = rows.iter().map(protection_summary).collect();
    Ok(page(items, rows.last().filter(|_| more).map(|row| row.id.to_string())))
}

/// What lists show of a protection.
pub(super) fn protection_summary(row: &ProtectionRow) -> Value {
    json!({
        "id": row.id, "version": row.version, "in_force": row.place.is_some(), "changed_at": jst(row.changed_at),
    })
}
