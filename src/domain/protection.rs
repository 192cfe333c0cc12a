//! Protection (支援措置等): from whom a family is hidden, and who must not be told about it.

use super::{agency::Party, ids::AgencyId};

/// A party from whom the address and everything it can be derived from is hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HiddenFrom {
    Agency(AgencyId),
    /// Every agency of this municipality (全国地方公共団体コード), but for the desk that is named.
    Municipality {
        code: String,
        desk: Option<AgencyId>,
    },
}

/// What protects the people of one case. An end date does not end it: two persons do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protection {
    /// The address is concealed, from these and from whoever has no need of it.
    pub hidden_from: Vec<HiddenFrom>,
    /// Agencies that must not receive anything about this case (a relative works there).
    pub blocked: Vec<AgencyId>,
    /// A person has confirmed that the narrative names no place.
    pub narrative_free_of_place: bool,
}

/// What is known of the protection of a case at this moment.
#[derive(Clone, Copy, Debug)]
pub enum Standing<'a> {
    /// Nobody asked for any.
    Unprotected,
    Protected(&'a Protection),
    /// The record is there and does not open: everything counts as concealed.
    Unreadable,
}

/// How a party stands to a protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    No,
    /// Its municipality is listed, and it is the desk that is named there.
    NamedDesk,
    /// It must not receive anything.
    Blocked,
}

impl Protection {
    pub fn lists(&self, party: &Party<'_>) -> Listed {
        if self.blocked.contains(&party.id) {
            return Listed::Blocked;
        }
        let mut listed = Listed::No;
        for entry in &self.hidden_from {
            match entry {
                HiddenFrom::Agency(id) if *id == party.id => return Listed::Blocked,
                HiddenFrom::Municipality { code, desk } if code == party.municipality => {
                    if *desk != Some(party.id) {
                        return Listed::Blocked;
                    }
                    listed = Listed::NamedDesk;
                }
                _ => {}
            }
        }
        listed
    }

    /// Whether an address is concealed at all, or only recipients are blocked.
    pub fn conceals_address(&self) -> bool {
        !self.hidden_from.is_empty()
    }
}
