//! The arrangement of a case: a protection council, a contract, a published joint use, a stated purpose.

use jiff::civil::{Date, date};
use serde::Deserialize;
use uuid::Uuid;

use super::reading::Names;
use crate::domain::{
    arrangement::{Arrangement, ArrangementKind, Member, Period, RegisteredCase},
    disclosure::situation::THIS_CASE,
    ids::ArrangementId,
    section::Sections,
};

#[derive(Deserialize)]
pub(super) struct WireArrangement {
    kind: ArrangementKind,
    keeper: String,
    version: Option<u32>,
    #[serde(default)]
    purpose: String,
    sections: Option<Sections>,
    #[serde(flatten)]
    period: WirePeriod,
    #[serde(default)]
    members: Vec<WireMember>,
    /// When the case at hand is on the council's register.
    #[serde(default)]
    registered: Vec<WirePeriod>,
}

#[derive(Deserialize)]
struct WireMember {
    agency: String,
    #[serde(flatten)]
    period: WirePeriod,
}

/// Without a first day it was always so, without a last day it stays so.
#[derive(Deserialize)]
struct WirePeriod {
    first_day: Option<Date>,
    last_day: Option<Date>,
}

impl From<WirePeriod> for Period {
    fn from(wire: WirePeriod) -> Self {
        Self { first_day: wire.first_day.unwrap_or(date(2000, 4, 1)), last_day: wire.last_day }
    }
}

impl WireArrangement {
    pub fn into_arrangement(self, names: &mut Names) -> Arrangement {
        let registered = |period: WirePeriod| RegisteredCase { case: THIS_CASE, period: period.into() };
        Arrangement {
            id: ArrangementId::new(Uuid::from_u128(6)),
            version: self.version.unwrap_or(1),
            kind: self.kind,
            keeper: names.id(&self.keeper),
            purpose: self.purpose,
            sections: self.sections.unwrap_or_else(Sections::all),
            period: self.period.into(),
            members: self
                .members
                .into_iter()
                .map(|m| Member { agency: names.id(&m.agency), period: m.period.into() })
                .collect(),
            cases: self.registered.into_iter().map(registered).collect(),
        }
    }
}
