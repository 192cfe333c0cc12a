//! The only holder of key material: it seals and opens, signs, makes access tokens and shreds.
//!
//! One root key seals everything else in the key folder. Under it stand a key-encryption key per agency
//! and month, and Ed25519 keys, each for one purpose. Secrets are zeroized when dropped and no type that
//! holds one shows it in `Debug`. The ledger holds wrapped data keys and ciphertext only, so destroying
//! a key-encryption key here makes the ledger's backups unreadable too.

mod folder;
pub mod jwe;
pub mod jws;
mod kek;
mod keys;
pub mod manifest;
pub mod password;
pub mod seal;
pub mod secret;
mod shred;
pub mod sign;
mod sign_consent;
pub mod token;
mod wire;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use aws_lc_rs::{digest, hkdf, hmac, rand};
use uuid::Uuid;
use zeroize::Zeroizing;

pub use kek::{Wrapped, kek_month};
pub use keys::KeyPurpose;
pub use secret::{ClientSecret, MacPurpose};
pub use sign::{Jws, Signer};

use crate::domain::{
    chain::Hash,
    ids::{AgencyId, DataKeyId},
};

/// Whether this process may make key-encryption keys by itself. A clustered hub never does: the
/// operator's command makes them ahead of time, so that two nodes cannot make two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMaking {
    Allowed,
    Forbidden,
}

/// The keys of one hub, in memory.
pub struct Vault {
    hub_id: Uuid,
    folder: PathBuf,
    making: KeyMaking,
    root: Root,
    /// Changes while the hub runs: a key is published, and later activated.
    signing: RwLock<Arc<keys::SigningKeys>>,
    keks: kek::Keks,
    /// Data keys that are never opened again, wherever a wrap of them turns up.
    shredded: shred::Shredded,
    macs: secret::Macs,
    /// Goes into every password's hash, so that the ledger alone is not enough to guess at one.
    pepper: Secret,
    verified: token::Verified,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("hub_id", &self.hub_id).finish_non_exhaustive()
    }
}

/// What went wrong with keys. No message holds a secret or a personal value.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("key store: cannot {doing} {path}: {source}; check the owner, the rights and the disk")]
    Io { doing: &'static str, path: PathBuf, source: std::io::Error },
    #[error(
        "key store: {path} is open to other users (mode {mode:o}); close it with chmod go= and find out who read it"
    )]
    Exposed { path: PathBuf, mode: u32 },
    #[error(
        "key store: {path} already holds a root key; a second one would lock out all that is sealed under the first"
    )]
    Exists { path: PathBuf },
    #[error("key store: {path} holds keys but no root key; restore root.key from the key store's backup")]
    RootLost { path: PathBuf },
    #[error("key store: {path} is missing; create the key store, or point the configuration at it")]
    Missing { path: PathBuf },
    #[error(
        "key store: {path} is damaged or was sealed under another root key; restore it from the key store's backup"
    )]
    Damaged { path: PathBuf },
    #[error(
        "no key-encryption key of agency {agency} for {month} or before; make it with the operator's command"
    )]
    NoKek { agency: AgencyId, month: String },
    #[error("no signing key {kid} in the key store")]
    NoSigningKey { kid: String },
    #[error("the data key {id} was destroyed; what it sealed cannot be opened again")]
    Shredded { id: DataKeyId },
    #[error("{what} does not open: it was altered or moved, or belongs to another key")]
    Opening { what: &'static str },
    #[error("the content holds a number beyond 2^53, which JSON readers round; write it as a string")]
    BigNumber,
    #[error("the cryptographic library failed to {0}; nothing was written")]
    Crypto(&'static str),
}

impl Vault {
    /// Makes a key folder: the embedded hub's first start, or the operator's command. A creation that
    /// was cut short is taken up where it stopped. Refuses a folder that has a root key.
    pub fn create(folder: &Path, hub_id: Uuid, making: KeyMaking) -> Result<Self, VaultError> {
        keys::create(folder, hub_id)?;
        Self::open(folder, making)
    }

    /// Opens an existing key folder. Refuses one that other users can read.
    pub fn open(folder: &Path, making: KeyMaking) -> Result<Self, VaultError> {
        folder::check_private(folder)?;
        let root = Root::read(&folder.join(keys::ROOT_FILE))?;
        let hub_id = keys::read_hub_id(folder)?;
        let signing = keys::SigningKeys::read(folder, hub_id, &root)?;
        let macs = secret::Macs::derive(&root)?;
        let pepper = root.derive("hub/password/v1")?;
        let shredded = shred::Shredded::read(folder)?;
        Ok(Self {
            hub_id,
            folder: folder.to_owned(),
            making,
            root,
            signing: RwLock::new(Arc::new(signing)),
            keks: kek::Keks::default(),
            shredded,
            macs,
            pepper,
            verified: token::Verified::default(),
        })
    }

    /// Whether a folder holds a root key, so that the first start knows whether to create.
    pub fn exists(folder: &Path) -> bool {
        folder.join(keys::ROOT_FILE).exists()
    }

    pub fn hub_id(&self) -> Uuid {
        self.hub_id
    }

    /// 64 hexadecimal digits that name the root key without telling anything about it. The ledger keeps
    /// them, and a hub whose root does not match refuses to start.
    pub fn fingerprint(&self) -> &str {
        &self.root.fingerprint
    }

    /// The key id (RFC 7638 thumbprint) that receipts are signed with now.
    pub fn receipt_kid(&self) -> String {
        self.signing().current(KeyPurpose::Receipt).kid.clone()
    }

    /// The public keys, as served at `/.well-known/jwks.json` (RFC 7517).
    pub fn jwks(&self) -> Arc<serde_json::Value> {
        self.signing().jwks()
    }

    /// The key ids this process can verify with, and of them those it signs with now.
    pub fn kids(&self) -> Kids {
        let keys = self.signing();
        let current = |purpose| keys.current(purpose).kid.clone();
        let current = KeyPurpose::ALL.iter().map(|purpose| current(*purpose)).collect();
        Kids { held: keys.kids(), current }
    }

    /// Makes a signing key and publishes it in the JWKS without using it yet; returns its key id.
    pub fn publish_key(&self, purpose: KeyPurpose) -> Result<String, VaultError> {
        let kid = keys::make_signing_key(&self.folder, self.hub_id, &self.root, purpose)?;
        self.refresh()?;
        Ok(kid)
    }

    /// Uses a published key from now on. Call it only when every node has said that it holds the key.
    pub fn activate_key(&self, kid: &str) -> Result<(), VaultError> {
        self.refresh()?;
        keys::activate(&self.folder, &self.signing(), kid)?;
        self.refresh().map(drop)
    }

    /// Reads the signing keys and the shred list again, so that a running hub takes up what a command did. Tells
    /// whether the signing keys have changed. What cannot be read leaves the keys as they are.
    pub fn refresh(&self) -> Result<bool, VaultError> {
        self.shredded.refresh(&self.folder)?;
        let read = keys::SigningKeys::read(&self.folder, self.hub_id, &self.root)?;
        if read.same_as(&self.signing()) {
            return Ok(false);
        }
        *self.signing.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(read);
        self.verified.forget();
        Ok(true)
    }

    /// The keys that sign now. What is signed with it has one key id, whatever is activated meanwhile.
    pub fn signer(&self) -> Signer {
        Signer::new(self.hub_id, self.signing())
    }

    fn signing(&self) -> Arc<keys::SigningKeys> {
        Arc::clone(&self.signing.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The key ids of a process: what it can verify with, and what it signs with now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kids {
    pub held: Vec<String>,
    pub current: Vec<String>,
}

/// SHA-256, for what holds no personal data or holds a secret salt.
pub fn sha256(bytes: &[u8]) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    Hash::new(hash)
}

/// A 256-bit secret that is wiped when dropped.
type Secret = Zeroizing<[u8; 32]>;

fn new_secret() -> Result<Secret, VaultError> {
    let mut secret = Zeroizing::new([0; 32]);
    rand::fill(&mut *secret).map_err(|_| VaultError::Crypto("draw random bytes"))?;
    Ok(secret)
}

/// The root key, reduced to what may be derived from it.
struct Root {
    prk: hkdf::Prk,
    fingerprint: String,
}

impl Root {
    fn new(secret: &[u8; 32]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let tag = hmac::sign(&key, b"hub/root/fingerprint/v1");
        Self { prk: extract(secret), fingerprint: sha256(tag.as_ref()).to_string() }
    }

    fn read(path: &Path) -> Result<Self, VaultError> {
        let bytes = folder::read_private(path)?;
        let secret: &[u8; 32] =
            bytes.as_slice().try_into().map_err(|_| VaultError::Damaged { path: path.to_owned() })?;
        Ok(Self::new(secret))
    }

    fn derive(&self, label: &str) -> Result<Secret, VaultError> {
        expand(&self.prk, label.as_bytes())
    }
}

/// HKDF-Extract (RFC 5869) with SHA-256 and no salt. Done once per key, so that each derivation costs
/// only the Expand step.
fn extract(secret: &[u8; 32]) -> hkdf::Prk {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &[0; 32]), secret);
    hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, tag.as_ref())
}

/// HKDF-Expand to `N` bytes.
fn expand<const N: usize>(prk: &hkdf::Prk, info: &[u8]) -> Result<Zeroizing<[u8; N]>, VaultError> {
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut key = Zeroizing::new([0; N]);
    prk.expand(&[info], Length(N))
        .and_then(|okm| okm.fill(&mut *key))
        .map_err(|_| VaultError::Crypto("derive a key"))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_two_steps_are_hkdf() {
        let secret = [7; 32];
        let theirs = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(&secret);
        let theirs = expand::<32>(&theirs, b"label").unwrap();
        assert_eq!(*expand::<32>(&extract(&secret), b"label").unwrap(), *theirs);
    }

    #[test]
    fn sha256_is_sha256() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256(b"").to_string(), empty);
    }
}
