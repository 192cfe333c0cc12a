//! The terms of a protection, as somebody writes them.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{HiddenFrom, Lift, Protection};
use crate::domain::{
    field_error::FieldError,
    ids::{AgencyId, StaffId},
    municipality::MunicipalityCode,
    veil::Veil,
};

/// One from whom the family is hidden, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Hidden {
    Agency {
        agency: AgencyId,
    },
    Municipality {
        municipality: MunicipalityCode,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        desk: Option<AgencyId>,
    },
}

/// The terms of a protection, as they were submitted and passed their schema.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    #[serde(default)]
    hidden_from: Vec<Hidden>,
    #[serde(default)]
    blocked: Vec<AgencyId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    words: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    office_phone: Option<String>,
    /// Who has confirmed that the texts name no place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub texts_confirmed_by: Option<StaffId>,
    ground: String,
    /// The day the measure should be looked at again. It reminds, and ends nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remind_on: Option<Date>,
}

impl Terms {
    /// Reads the members of a document; others, such as who records it, are not terms.
    ///
    /// # Errors
    /// A municipality code that does not check; terms that protect from nobody.
    pub fn parse(document: &serde_json::Value) -> Result<Self, Vec<FieldError>> {
        let terms = Self::deserialize(document).map_err(|_| {
            vec![FieldError::new(
                "/hidden_from",
                "municipality_code",
                "全国地方公共団体コード（検査数字を含む6桁）と日付を確かめてください。",
                "Check the municipality codes (six digits with the check digit) and the date.",
            )]
        })?;
        if terms.hidden_from.is_empty() && terms.blocked.is_empty() {
            return Err(vec![FieldError::new(
                "/hidden_from",
                "protects_from_nobody",
                "秘匿の相手（hidden_from）か、送らない機関（blocked）を書いてください。",
                "Name somebody to hide from, or an agency to block.",
            )]);
        }
        Ok(terms)
    }

    /// Every agency the terms name, each with the pointer of the member that names it.
    pub fn agencies(&self) -> Vec<(String, AgencyId)> {
        let hidden = self.hidden_from.iter().enumerate().filter_map(|(place, one)| match one {
            Hidden::Agency { agency } => Some((format!("/hidden_from/{place}/agency"), *agency)),
            Hidden::Municipality { desk, .. } => Some((format!("/hidden_from/{place}/desk"), (*desk)?)),
        });
        let blocked = self.blocked.iter().enumerate().map(|(place, id)| (format!("/blocked/{place}"), *id));
        hidden.chain(blocked).collect()
    }

    /// What of these terms goes with a family that is handed over: from whom it is hidden, who is blocked, which words
    /// tell of its place, on which ground. Not the telephone of an office that will not be in charge any more, nor its
    /// staff's word about texts that others will write.
    #[must_use]
    pub fn handed_over(&self) -> Self {
        Self { office_phone: None, texts_confirmed_by: None, ..self.clone() }
    }

    /// These terms and others at once: what either hides is hidden.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        add(&mut self.hidden_from, &other.hidden_from);
        add(&mut self.blocked, &other.blocked);
        add(&mut self.words, &other.words);
        self.texts_confirmed_by = self.texts_confirmed_by.filter(|_| other.texts_confirmed_by.is_some());
        self.remind_on = self.remind_on.or(other.remind_on);
        self
    }

    pub(super) fn protection(&self, lift: Option<Lift>) -> Protection {
        let hidden = |one: &Hidden| match one {
            Hidden::Agency { agency } => HiddenFrom::Agency(*agency),
            Hidden::Municipality { municipality, desk } => {
                HiddenFrom::Municipality { code: municipality.to_string(), desk: *desk }
            }
        };
        Protection {
            hidden_from: self.hidden_from.iter().map(hidden).collect(),
            blocked: self.blocked.clone(),
            narrative_free_of_place: self.texts_confirmed_by.is_some(),
            lift,
            veil: Veil::new(&self.words, self.office_phone.clone()),
        }
    }
}

fn add<T: Clone + PartialEq>(to: &mut Vec<T>, more: &[T]) {
    for one in more {
        if !to.contains(one) {
            to.push(one.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn terms_that_protect_from_nobody_and_codes_that_do_not_check_are_faults() {
        for document in [
            json!({"ground": "x"}),
            json!({"hidden_from": [{"municipality": "141002"}], "ground": "x"}),
            json!({"hidden_from": [], "blocked": [], "ground": "x"}),
        ] {
            assert!(Terms::parse(&document).is_err(), "{document}");
        }
    }
}
