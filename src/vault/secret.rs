//! Keyed hashes under vault keys, and the secrets of client systems.

use aws_lc_rs::{hmac, rand};
use zeroize::Zeroizing;

use super::{Root, Vault, VaultError, wire::base64url};
use crate::domain::chain::Hash;

/// What a keyed hash is for. Each purpose has a key of its own, so that a hash made for one says
/// nothing where another is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacPurpose {
    /// The body of a request, to know a repetition from another request under the same key.
    Body,
    /// An idempotency key, which the ledger does not hold in clear.
    IdempotencyKey,
    /// A sender's own reference, unique for ever and not held in clear.
    SourceReference,
    /// The secret of a client system.
    ClientSecret,
    /// What a protection protects: the ledger does not say which case is protected.
    Protection,
    /// The code of a one-time link, or a session token.
    OneTime,
    /// A case on a council's register: which case an entry is about is not held in clear.
    RegisteredCase,
    /// The name a person signs in with, which may be theirs.
    Login,
    /// The token in a page's forms, made from the session it belongs to.
    Form,
    /// What a preview showed, to know whether the same would be sent.
    Preview,
    /// The case an agency's declared relations are about: the ledger does not say which.
    Relation,
    /// A folded name, which is compared and never shown.
    RelatedName,
}

impl MacPurpose {
    const ALL: &[(Self, &str)] = &[
        (Self::Body, "hub/mac/body/v1"),
        (Self::IdempotencyKey, "hub/mac/idempotency-key/v1"),
        (Self::SourceReference, "hub/mac/source-reference/v1"),
        (Self::ClientSecret, "hub/mac/client-secret/v1"),
        (Self::Protection, "hub/mac/protection/v1"),
        (Self::OneTime, "hub/mac/one-time/v1"),
        (Self::RegisteredCase, "hub/mac/registered-case/v1"),
        (Self::Login, "hub/mac/login/v1"),
        (Self::Form, "hub/mac/form/v1"),
        (Self::Preview, "hub/mac/preview/v1"),
        (Self::Relation, "hub/mac/relation/v1"),
        (Self::RelatedName, "hub/mac/related-name/v1"),
    ];
}

/// One ready HMAC key per purpose, in the order of the enum.
pub(super) struct Macs(Vec<hmac::Key>);

impl Macs {
    pub fn derive(root: &Root) -> Result<Self, VaultError> {
        let key =
            |&(_, label): &(MacPurpose, &str)| Ok(hmac::Key::new(hmac::HMAC_SHA256, &*root.derive(label)?));
        MacPurpose::ALL.iter().map(key).collect::<Result<Vec<_>, _>>().map(Self)
    }

    fn key(&self, purpose: MacPurpose) -> &hmac::Key {
        &self.0[purpose as usize]
    }
}

/// A client secret as it is shown once to the client: 256 random bits in base64url.
pub struct ClientSecret(Zeroizing<String>);

impl ClientSecret {
    /// The text to hand over. It is not kept: the ledger holds only its keyed hash.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl Vault {
    /// HMAC-SHA-256 under the vault's key of that purpose.
    pub fn mac(&self, purpose: MacPurpose, bytes: &[u8]) -> Hash {
        let mut hash = [0; 32];
        hash.copy_from_slice(hmac::sign(self.macs.key(purpose), bytes).as_ref());
        Hash::new(hash)
    }

    /// Whether `mac` is the keyed hash of these bytes, compared in constant time.
    pub fn mac_matches(&self, purpose: MacPurpose, bytes: &[u8], mac: &Hash) -> bool {
        hmac::verify(self.macs.key(purpose), bytes, mac.bytes()).is_ok()
    }

    /// A new secret for a client system, and the keyed hash to store.
    pub fn new_client_secret(&self) -> Result<(ClientSecret, Hash), VaultError> {
        let mut bytes = Zeroizing::new([0; 32]);
        rand::fill(&mut *bytes).map_err(|_| VaultError::Crypto("draw random bytes"))?;
        let text = Zeroizing::new(base64url(*bytes));
        let mac = self.mac(MacPurpose::ClientSecret, text.as_bytes());
        Ok((ClientSecret(text), mac))
    }

    /// Whether a client showed the secret behind the stored hash. Constant time in the secret.
    pub fn client_secret_matches(&self, shown: &str, stored: &Hash) -> bool {
        self.mac_matches(MacPurpose::ClientSecret, shown.as_bytes(), stored)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::vault::KeyMaking;

    #[test]
    fn the_purposes_stand_in_the_order_of_their_keys() {
        for (place, (purpose, _)) in MacPurpose::ALL.iter().enumerate() {
            assert_eq!(*purpose as usize, place);
        }
    }

    #[test]
    fn a_keyed_hash_depends_on_purpose_and_hub_and_survives_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let make =
            |name: &str| Vault::create(&dir.path().join(name), Uuid::nil(), KeyMaking::Allowed).unwrap();
        let (one, other) = (make("one"), make("other"));
        let mac = one.mac(MacPurpose::Body, b"x");
        assert_ne!(mac, one.mac(MacPurpose::IdempotencyKey, b"x"));
        assert_ne!(mac, other.mac(MacPurpose::Body, b"x"));
        let again = Vault::open(&dir.path().join("one"), KeyMaking::Allowed).unwrap();
        assert!(again.mac_matches(MacPurpose::Body, b"x", &mac));
        assert!(!again.mac_matches(MacPurpose::Body, b"y", &mac));
    }

    #[test]
    fn a_client_secret_is_long_random_and_matches_only_itself() {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::create(&dir.path().join("k"), Uuid::nil(), KeyMaking::Allowed).unwrap();
        let (secret, stored) = vault.new_client_secret().unwrap();
        let (other, _) = vault.new_client_secret().unwrap();
        assert_eq!(secret.reveal().len(), 43);
        assert!(vault.client_secret_matches(secret.reveal(), &stored));
        assert!(!vault.client_secret_matches(other.reveal(), &stored));
        assert!(!vault.client_secret_matches("", &stored));
    }
}
