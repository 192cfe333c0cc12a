//! The sealed content of one referral: its keys, wrapped for every entitled agency, and its sections, each
//! sealed for itself.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Caller, Context,
    opened::{HEADER, Header, content_slot, damaged},
};
use crate::{
    domain::{
        ids::{AgencyId, ReferralId},
        problem::Problem,
        section::Section,
        submission::Submission,
    },
    ledger::{
        Rows,
        content::{ContentRow, DataKeyRow},
    },
    vault::seal::DataKey,
};

/// A referral's keys. The compartment's key is wrapped for no one but the desks that may open it.
pub(super) struct Parcel {
    pub id: ReferralId,
    pub owner: AgencyId,
    pub key: DataKey,
    pub compartment: Option<DataKey>,
}

impl Parcel {
    /// New keys for a new referral.
    pub fn new(context: &Context, caller: &Caller, submission: &Submission) -> Result<Self, Problem> {
        let new_key = || context.vault.new_data_key(context.clock.new_id());
        let has_notifier = submission.content.outline().of(Section::Notifier).next().is_some();
        Ok(Self {
            id: context.clock.new_id(),
            owner: caller.id(),
            key: new_key()?,
            compartment: if has_notifier { Some(new_key()?) } else { None },
        })
    }

    /// Seals the header and every section, also those no recipient gets: they are the owner's record.
    pub fn seal(&self, submission: &Submission, subjects: &Value, rows: &mut Rows) -> Result<(), Problem> {
        let header = Header {
            purpose: submission.purpose,
            approved_by: submission.approved_by,
            source_ref: submission.source_ref.clone(),
            called_at: submission.called_at,
            subjects: if subjects.is_null() { Value::Array(Vec::new()) } else { subjects.clone() },
            resources: submission.resources.clone(),
            outline: submission.content.outline(),
        };
        let header = serde_json::to_vec(&header).map_err(|_| damaged())?;
        rows.contents.push(self.part(&self.key, HEADER, &header)?);
        for (section, bytes) in submission.content.sections_to_seal() {
            let key = match (section, &self.compartment) {
                (Section::Notifier, Some(compartment)) => compartment,
                _ => &self.key,
            };
            rows.contents.push(self.part(key, section.code(), &bytes)?);
        }
        Ok(())
    }

    fn part(&self, key: &DataKey, part: &str, bytes: &[u8]) -> Result<ContentRow, Problem> {
        let sealed = key.seal(&content_slot(self.owner, self.id, part), bytes)?;
        Ok(ContentRow { referral: self.id, part: part.to_owned(), version: 1, sealed })
    }

    /// Wraps the referral's key for an agency, and the compartment's as well where it is entitled.
    pub fn wrap(
        &self,
        context: &Context,
        agency: AgencyId,
        with_compartment: bool,
        at: Timestamp,
        rows: &mut Rows,
    ) -> Result<(), Problem> {
        let compartment = self.compartment.as_ref().filter(|_| with_compartment);
        for key in std::iter::once(&self.key).chain(compartment) {
            let wrapped = context.vault.wrap(key, agency, at)?;
            rows.data_keys.push(DataKeyRow {
                id: key.id(),
                agency,
                kek: wrapped.kek_id,
                wrapped: wrapped.bytes,
            });
        }
        Ok(())
    }
}
