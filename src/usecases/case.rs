//! Cases: what stands in them, opened for the agency that keeps them. Writing is in [`keep`], looking in [`look`].
//!
//! A referral, a consent or a protection names a case by an id of its sender's own choosing. Where a case of that id is
//! opened by that agency, it is that case; where none is, they stand as they did.

pub mod keep;
pub mod look;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    Caller, Context, jst,
    opened::{damaged, data_key},
    page::Limit,
};
use crate::{
    domain::{
        case::{CaseRecord, Entry, Plan, Standing},
        ids::{AgencyId, CaseEntryId, CaseId},
        problem::Problem,
    },
    ledger::{
        Scope,
        case::{CaseEntryRow, CasePlanRow, CaseRow, FoundEntry},
    },
    vault::seal::{DataKey, Slot},
};

/// A case whose key is at hand. What it holds is opened part by part: versions, support plans, entries.
pub(super) struct Kept {
    pub row: CaseRow,
    pub key: DataKey,
}

/// Part of a case and what it says.
pub(super) struct Opened<Row, Said> {
    pub row: Row,
    pub said: Said,
}

impl Kept {
    /// A case of this agency; none for everybody else.
    pub async fn find(context: &Context, scope: Scope, id: CaseId) -> Result<Option<Self>, Problem> {
        let Some(row) = context.ledger.case(scope, id).await? else { return Ok(None) };
        let key = data_key(context, row.data_key, row.owner).await?;
        Ok(Some(Self { row, key }))
    }

    /// The household, who looks after it, and where it stands, as one version says.
    pub async fn record(&self, context: &Context, version: i64) -> Result<CaseRecord, Problem> {
        let stored = context.ledger.case_version(&self.row, version).await?.ok_or_else(damaged)?;
        self.open(&part_slot(&self.row, "case_version", version), &stored.body)
    }

    /// The support plans with a number below `before`, newest first.
    pub async fn plans(
        &self,
        context: &Context,
        before: i64,
        limit: i64,
    ) -> Result<Vec<Opened<CasePlanRow, Plan>>, Problem> {
        let rows = context.ledger.case_plans(&self.row, before, limit).await?;
        let opened = |row: CasePlanRow| {
            let said = self.open(&part_slot(&self.row, "case_plan", row.number), &row.body)?;
            Ok(Opened { row, said })
        };
        rows.into_iter().map(opened).collect()
    }

    /// One page of the entries, newest first, and whether there are more.
    pub async fn entries(
        &self,
        context: &Context,
        before: Option<CaseEntryId>,
        limit: Limit,
    ) -> Result<(Vec<Opened<FoundEntry, Entry>>, bool), Problem> {
        let mut rows = context.ledger.case_entries(&self.row, before, limit.rows()).await?;
        let more = limit.cut(&mut rows);
        let opened = |found: FoundEntry| {
            let said = self.open(&entry_slot(self.row.owner, found.row.id), &found.row.body)?;
            Ok(Opened { row: found, said })
        };
        Ok((rows.into_iter().map(opened).collect::<Result<_, Problem>>()?, more))
    }

    fn open<T: DeserializeOwned>(&self, slot: &Slot<'_>, body: &[u8]) -> Result<T, Problem> {
        serde_json::from_slice(&self.key.open(slot, body)?).map_err(|_| damaged())
    }
}

/// Where a version or a support plan of a case is sealed.
fn part_slot(row: &CaseRow, table: &'static str, number: i64) -> Slot<'static> {
    let seq = u64::try_from(number).unwrap_or_default();
    Slot { table, owner: row.owner, object: row.id.uuid(), part: "body", seq }
}

fn entry_slot(owner: AgencyId, id: CaseEntryId) -> Slot<'static> {
    Slot { table: "case_entry", owner, object: id.uuid(), part: "body", seq: 1 }
}

/// The answer to a step of a case: ids, codes and times, made of that version alone. It is the same for ever.
fn step_answer(id: CaseId, version: i64, record: &CaseRecord) -> Value {
    let mut answer = json!({
        "id": id, "version": version, "state": record.standing.state(), "step": record.step, "by": record.by,
        "at": jst(record.at), "responsible": record.care.responsible,
    });
    if let Some(deputy) = record.care.deputy {
        answer["deputy"] = json!(deputy);
    }
    if record.plan > 0 {
        answer["plan"] = json!(record.plan);
    }
    if let Standing::Closed { outcome, .. } = &record.standing {
        answer["outcome"] = json!(outcome);
    }
    if let Some(id) = record.consultation {
        answer["consultation"] = json!(id);
    }
    answer
}

/// The answer to an entry.
fn entry_answer(row: &CaseEntryRow) -> String {
    let mut answer = json!({"id": row.id, "case": row.case_id, "by": row.staff, "recorded_at": jst(row.at)});
    if let Some(id) = row.corrects {
        answer["corrects"] = json!(id);
    }
    answer.to_string()
}

/// The answer to a step again, from the stored version.
pub(super) async fn answer_again(
    context: &Context,
    caller: &Caller,
    id: CaseId,
    version: i64,
) -> Result<String, Problem> {
    let kept = Kept::find(context, caller.scope(), id).await?.ok_or_else(damaged)?;
    Ok(step_answer(id, version, &kept.record(context, version).await?).to_string())
}

/// The answer to an entry again.
pub(super) async fn entry_answer_again(
    context: &Context,
    caller: &Caller,
    id: CaseEntryId,
) -> Result<String, Problem> {
    let row = context.ledger.case_entry(caller.scope(), id).await?.ok_or_else(damaged)?;
    Ok(entry_answer(&row))
}
