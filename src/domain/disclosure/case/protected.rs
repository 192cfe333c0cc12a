//! The protection of a case: from whom the family is hidden, and who must not be told about it.

use jiff::Timestamp;
use serde::Deserialize;

use super::reading::Names;
use crate::domain::{
    disclosure::situation::Shield,
    protection::{HiddenFrom, Lift, Protection},
    referral::ReferralType,
};

#[derive(Deserialize)]
pub(super) struct WireProtection {
    /// The record is there and does not open.
    #[serde(default)]
    unreadable: bool,
    #[serde(default)]
    hidden_from: Vec<WireParty>,
    #[serde(default)]
    blocked: Vec<String>,
    #[serde(default)]
    narrative_free_of_place: bool,
    lift: Option<WireLift>,
}

/// What two persons have opened for one recipient.
#[derive(Deserialize)]
struct WireLift {
    recipient: String,
    purpose: ReferralType,
    until: Timestamp,
}

/// One agency, or all of a municipality but the desk that is named.
#[derive(Deserialize)]
struct WireParty {
    agency: Option<String>,
    municipality: Option<String>,
    desk: Option<String>,
}

impl WireProtection {
    pub fn into_shield(self, names: &mut Names) -> Shield {
        if self.unreadable {
            return Shield::Unreadable;
        }
        let mut hidden_from = Vec::new();
        for party in self.hidden_from {
            if let Some(name) = party.agency {
                hidden_from.push(HiddenFrom::Agency(names.id(&name)));
            }
            if let Some(code) = party.municipality {
                let desk = party.desk.map(|name| names.id(&name));
                hidden_from.push(HiddenFrom::Municipality { code, desk });
            }
        }
        Shield::Protected(Protection {
            hidden_from,
            blocked: self.blocked.iter().map(|name| names.id(name)).collect(),
            narrative_free_of_place: self.narrative_free_of_place,
            lift: self.lift.map(|lift| Lift {
                recipient: names.id(&lift.recipient),
                purpose: lift.purpose,
                until: lift.until,
            }),
            ..Protection::default()
        })
    }
}
