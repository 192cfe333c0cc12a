//! Recalls what was sent by mistake. What nobody was shown vanishes, with signed evidence of that; what may have been
//! read becomes an incident, whose clocks and whose draft of a report stand in the answer itself.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Caller, Context, holding,
    incident::{Account, clocks_of, slot},
    jst,
    opened::{OpenedLeg, damaged, data_key},
};
use crate::{
    domain::{
        breach_report::Known,
        holding::HoldingCause,
        ids::{IncidentId, LegId, StaffId},
        incident::{Clocks, Exposure, IncidentState, RecallReason},
        problem::Problem,
    },
    ledger::{Write, agency::StaffRow, content::DataKeyRow, delivery::DeliveryRow, incident::IncidentRow},
};

/// What is known of a recall from its first moment; sealed for the sender alone.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    pub reason: RecallReason,
    pub note: Option<String>,
    pub recalled_by: StaffId,
    pub exposure: Exposure,
    /// What the answer said beside the leg's own part; the same request gets the same again.
    told: Map<String, Value>,
}

/// A recall that is about to be written.
pub(super) struct Recall {
    id: IncidentId,
    pub exposure: Exposure,
    record: Record,
    known_at: Timestamp,
}

impl Recall {
    /// # Errors
    /// A leg that was recalled before.
    pub async fn make(
        context: &Context,
        caller: &Caller,
        opened: &OpenedLeg,
        delivery: &DeliveryRow,
        staff: &StaffRow,
        document: &Value,
    ) -> Result<Self, Problem> {
        if context.ledger.incident_of(caller.scope(), opened.leg.id).await?.is_some() {
            return Err(Problem::illegal_transition(opened.leg.state.code(), Vec::new()));
        }
        let exposure = holding::exposure(context, &opened.leg, delivery).await?;
        let record = Record {
            reason: document["reason"].as_str().unwrap_or_default().parse()?,
            note: document["note"].as_str().map(str::to_owned),
            recalled_by: staff.id,
            exposure,
            told: Map::new(),
        };
        Ok(Self { id: context.clock.new_id(), exposure, record, known_at: context.clock.now() })
    }

    /// Adds the request to the holder and the incident; gives what the answer says of them.
    pub async fn write(
        mut self,
        context: &Context,
        caller: &Caller,
        opened: &OpenedLeg,
        delivery: &DeliveryRow,
        write: &mut Write,
    ) -> Result<Map<String, Value>, Problem> {
        let out = self.exposure.is_out();
        holding::ask(context, &opened.leg, delivery, HoldingCause::Recall, write).await?;
        self.record.told.insert("never_opened".into(), json!(self.exposure.never_opened()));
        let clocks = out.then(|| Clocks::from_knowing(self.known_at, self.record.reason));
        if let Some(clocks) = clocks {
            let account = Account::of(context, caller, opened, delivery, &self.record, self.known_at).await?;
            // The note stays where it was written, with those who answer for the incident: no answer repeats a text.
            let incident = self.told(&Known { note: None, ..account.known() }, clocks);
            self.record.told.insert("incident".into(), incident);
        }
        let key = context.vault.new_data_key(context.clock.new_id())?;
        let wrapped = context.vault.wrap(&key, caller.id(), self.known_at)?;
        let sealed = serde_json::to_vec(&self.record).map_err(|_| damaged())?;
        write.rows.data_keys.push(DataKeyRow {
            id: key.id(),
            agency: caller.id(),
            kek: wrapped.kek_id,
            wrapped: wrapped.bytes,
        });
        write.rows.incidents.push(IncidentRow {
            id: self.id,
            agency: caller.id(),
            leg: opened.leg.id,
            state: if out { IncidentState::Open } else { IncidentState::NearMiss },
            version: 1,
            known_at: self.known_at,
            preliminary_due: clocks.map(|clocks| clocks.preliminary),
            full_due: clocks.map(|clocks| clocks.full),
            data_key: key.id(),
            body: key.seal(&slot(caller.id(), self.id, "body"), &sealed)?,
            closing: None,
            closed_by: None,
            changed_at: self.known_at,
        });
        Ok(self.record.told)
    }

    fn told(&self, known: &Known<'_>, clocks: Clocks) -> Value {
        json!({
            "id": self.id, "known_at": jst(self.known_at), "exposure": self.exposure,
            "clocks": clocks_of(clocks), "report_need": known.need(), "report": known.text(),
        })
    }
}

/// What the answer to a recall said of the incident, again.
pub(super) async fn told_again(
    context: &Context,
    caller: &Caller,
    leg: LegId,
) -> Result<Map<String, Value>, Problem> {
    let row = context.ledger.incident_of(caller.scope(), leg).await?.ok_or_else(damaged)?;
    Ok(record(context, &row).await?.told)
}

/// The record of an incident that was read under its agency's scope.
pub(super) async fn record(context: &Context, row: &IncidentRow) -> Result<Record, Problem> {
    let key = data_key(context, row.data_key, row.agency).await?;
    let plain = key.open(&slot(row.agency, row.id, "body"), &row.body)?;
    serde_json::from_slice(&plain).map_err(|_| damaged())
}
