//! The ids of the house: opaque 128-bit values, parsed once at the door and trusted inside.
//!
//! An id is written as a lower-case hyphenated UUID (RFC 9562). None of them encodes anything about
//! a family: ids stand in clear in the ledger, in doorbells and in URLs.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is not a UUID where an id was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {what} id: expected a UUID such as 0190e0c4-7a7b-7cc3-8f00-2f3c4b5a6d7e")]
pub struct BadId {
    pub what: &'static str,
}

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident, $what:literal;)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                // Only the hyphenated form: one id has one text, so texts can be compared.
                match text.len() {
                    36 => Uuid::try_parse(text).map(Self).map_err(|_| BadId { what: $what }),
                    _ => Err(BadId { what: $what }),
                }
            }
        }
    )+};
}

ids! {
    /// An organisation (機関).
    AgencyId, "agency";
    /// A person with an account at an agency (職員).
    StaffId, "staff";
    /// What a site offers (資源・サービス).
    ServiceId, "service";
    /// One household's thread (相談ケース).
    CaseId, "case";
    /// What was written down about a case (経過記録).
    CaseEntryId, "entry of a case";
    /// A nameless note of one talk (相談記録).
    ConsultationId, "consultation";
    /// One structured request about a case (紹介・連絡).
    ReferralId, "referral";
    /// A referral to one recipient: the unit that has a status (宛先).
    LegId, "leg";
    /// The copy for one recipient (送達). Random, not time-ordered: it is shown outside.
    DeliveryId, "delivery";
    /// A consent record (同意記録).
    ConsentId, "consent";
    /// What agencies agreed on once (取決め).
    ArrangementId, "arrangement";
    /// An entry of a council's register: which case it is about is told to its keeper alone (登録).
    EntryId, "register entry";
    /// What protects the people of a case (支援措置等).
    ProtectionId, "protection";
    /// What was sent by mistake, and its record (事案).
    IncidentId, "incident";
    /// A request to see what is held about a person (開示請求).
    AccessRequestId, "disclosure request";
    /// What a party wants kept from erasure (消去の保留).
    HoldId, "hold";
    /// A break-glass (緊急閲覧).
    BreakGlassId, "break-glass";
    /// Signed evidence of one step (受領証).
    ReceiptId, "receipt";
    /// A queued piece of work, such as a doorbell to ring.
    JobId, "job";
    /// A data key of the vault.
    DataKeyId, "data key";
    /// An entry of the audit log.
    AuditId, "audit entry";
}

impl DeliveryId {
    /// A reference a person can type or read out by telephone: eight characters of Crockford's
    /// base 32 in two groups, for example `7K3M-Q9XD`. It names a delivery only to its recipient
    /// and gives no right by itself.
    pub fn reference(self) -> String {
        const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let bytes = self.0.as_bytes();
        // The last five bytes of a version 4 UUID are all random.
        let mut bits = bytes[11..16].iter().fold(0u64, |sum, b| sum << 8 | u64::from(*b));
        let mut text = [b'-'; 9];
        for place in [8, 7, 6, 5, 3, 2, 1, 0] {
            text[place] = ALPHABET[(bits & 31) as usize];
            bits >>= 5;
        }
        text.iter().map(|b| *b as char).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_text_and_reads_back() {
        let text = "0190e0c4-7a7b-7cc3-8f00-2f3c4b5a6d7e";
        let id: LegId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        assert!("0190e0c47a7b7cc38f002f3c4b5a6d7e".parse::<LegId>().is_err());
        assert!("{0190e0c4-7a7b-7cc3-8f00-2f3c4b5a6d7e}".parse::<LegId>().is_err());
    }

    #[test]
    fn a_reference_is_eight_typable_characters() {
        let id: DeliveryId = "7d444840-9dc0-41d1-b245-5ffdce74fad2".parse().unwrap();
        assert_eq!(id.reference(), "ZQ77-9YPJ");
    }
}
