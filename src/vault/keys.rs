//! The key folder: root key, hub id, signing keys.
//!
//! ```text
//! root.key                     32 random bytes, 0600; everything else is sealed under it
//! hub.id                       the hub's UUID
//! sign/<kid>.pk8               an Ed25519 key (PKCS#8) with its purpose, sealed
//! sign/<purpose>.current       the key id that signs now
//! kek/<agency>/<YYYYMM>.key    a key-encryption key, sealed
//! shred/<data key>             an empty file: this data key was destroyed and is never opened again
//! ```

use std::{fs::File, path::Path, sync::Arc};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    Root, VaultError, folder,
    jws::{Typ, VerifyKey, thumbprint},
    new_secret, seal,
    wire::base64url,
};
use crate::code_list;

pub(super) const ROOT_FILE: &str = "root.key";
const ROOT_DRAFT: &str = "root.key.making";
const SIGN: &str = "sign";

code_list! {
    /// What a signing key may sign. No key serves two purposes.
    KeyPurpose, "key purpose" {
        Receipt = "receipt", "受領証・目録の署名", "receipts, events, refusals and manifests";
        Token = "token", "アクセストークンの署名", "access tokens";
    }
}

/// One Ed25519 key with what signing needs ready beforehand.
pub(super) struct SigningKey {
    pub kid: String,
    pub purpose: KeyPurpose,
    pub pair: Ed25519KeyPair,
    pub verify: VerifyKey,
    /// The protected header of each JWS type, in base64url, in the order of [`Typ::ALL`].
    headers: Vec<String>,
}

impl SigningKey {
    pub fn new(purpose: KeyPurpose, pair: Ed25519KeyPair) -> Option<Self> {
        let public = pair.public_key().as_ref();
        let kid = thumbprint(public);
        let headers = Typ::ALL
            .iter()
            .map(|typ| base64url(format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"{typ}"}}"#)))
            .collect();
        let verify = VerifyKey::new(purpose, public)?;
        Some(Self { kid, purpose, pair, verify, headers })
    }

    pub fn header(&self, typ: Typ) -> &str {
        &self.headers[typ as usize]
    }

    fn jwk(&self) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(self.pair.public_key().as_ref()),
            "kid": self.kid, "use": "sig", "alg": "EdDSA", "tsunagu_use": self.purpose})
    }
}

/// All signing keys: those in use and those still needed to check what they signed.
pub(super) struct SigningKeys {
    keys: Vec<SigningKey>,
    receipt: usize,
    token: usize,
    jwks: Arc<Value>,
}

impl SigningKeys {
    pub fn read(folder: &Path, hub_id: Uuid, root: &Root) -> Result<Self, VaultError> {
        let dir = folder.join(SIGN);
        folder::check_private(&dir)?;
        let mut keys = Vec::new();
        for name in folder::names(&dir)?.iter().filter(|name| name.ends_with(".pk8")) {
            keys.push(read_signing_key(&dir.join(name), name, hub_id, root)?);
        }
        let current = |purpose: KeyPurpose| {
            let path = dir.join(format!("{purpose}.current"));
            let kid = folder::read_private(&path)?;
            let found = |key: &SigningKey| key.purpose == purpose && key.kid.as_bytes() == kid.trim_ascii();
            keys.iter().position(found).ok_or(VaultError::Damaged { path })
        };
        let (receipt, token) = (current(KeyPurpose::Receipt)?, current(KeyPurpose::Token)?);
        let jwks = Arc::new(json!({"keys": keys.iter().map(SigningKey::jwk).collect::<Vec<_>>()}));
        Ok(Self { keys, receipt, token, jwks })
    }

    pub fn current(&self, purpose: KeyPurpose) -> &SigningKey {
        match purpose {
            KeyPurpose::Receipt => &self.keys[self.receipt],
            KeyPurpose::Token => &self.keys[self.token],
        }
    }

    pub fn find(&self, kid: &str) -> Option<&SigningKey> {
        self.keys.iter().find(|key| key.kid == kid)
    }

    pub fn jwks(&self) -> Arc<Value> {
        Arc::clone(&self.jwks)
    }

    pub fn kids(&self) -> Vec<String> {
        self.keys.iter().map(|key| key.kid.clone()).collect()
    }

    /// Whether the same keys are there and the same ones sign.
    pub fn same_as(&self, other: &Self) -> bool {
        self.jwks == other.jwks && (self.receipt, self.token) == (other.receipt, other.token)
    }
}

/// Makes whatever of a key folder is still missing; the root key gets its name last, so that a folder
/// with a `root.key` is complete.
pub(super) fn create(folder: &Path, hub_id: Uuid) -> Result<(), VaultError> {
    folder::make_private(folder)?;
    let here = File::open(folder).map_err(folder::io("open", folder))?;
    here.lock().map_err(folder::io("lock", folder))?;
    if folder.join(ROOT_FILE).exists() {
        return Err(VaultError::Exists { path: folder.to_owned() });
    }
    let draft = folder.join(ROOT_DRAFT);
    if !draft.exists() {
        if folder.join(SIGN).exists() || folder.join("kek").exists() {
            return Err(VaultError::RootLost { path: folder.to_owned() });
        }
        folder::write_new(&draft, &*new_secret()?)?;
    }
    let root = Root::read(&draft)?;
    folder::write_new(&folder.join("hub.id"), format!("{}\n", hub_id.as_hyphenated()).as_bytes())?;
    let hub_id = read_hub_id(folder)?;
    for purpose in KeyPurpose::ALL {
        let current = folder.join(SIGN).join(format!("{purpose}.current"));
        if !current.exists() {
            let kid = make_signing_key(folder, hub_id, &root, *purpose)?;
            folder::write_new(&current, kid.as_bytes())?;
        }
    }
    let file = folder.join(ROOT_FILE);
    std::fs::rename(&draft, &file).map_err(folder::io("write", &file))?;
    folder::sync_parent(&file)
}

pub(super) fn read_hub_id(folder: &Path) -> Result<Uuid, VaultError> {
    let path = folder.join("hub.id");
    let bytes = folder::read_private(&path)?;
    Uuid::try_parse_ascii(bytes.trim_ascii()).map_err(|_| VaultError::Damaged { path })
}

pub(super) fn make_signing_key(
    folder: &Path,
    hub_id: Uuid,
    root: &Root,
    purpose: KeyPurpose,
) -> Result<String, VaultError> {
    let dir = folder.join(SIGN);
    folder::make_private(&dir)?;
    let failed = VaultError::Crypto("make an Ed25519 key");
    let Ok(pair) = Ed25519KeyPair::generate() else { return Err(failed) };
    let Ok(pkcs8) = pair.to_pkcs8() else { return Err(failed) };
    let kid = thumbprint(pair.public_key().as_ref());
    let mut plain = Zeroizing::new(Vec::with_capacity(128));
    plain.extend_from_slice(purpose.code().as_bytes());
    plain.push(0);
    plain.extend_from_slice(pkcs8.as_ref());
    let name = format!("{kid}.pk8");
    let bytes = seal::seal_file(root, hub_id, &format!("{SIGN}/{name}"), &plain)?;
    folder::write_new(&dir.join(name), &bytes)?;
    Ok(kid)
}

fn read_signing_key(path: &Path, name: &str, hub_id: Uuid, root: &Root) -> Result<SigningKey, VaultError> {
    let damaged = || VaultError::Damaged { path: path.to_owned() };
    let bytes = folder::read_private(path)?;
    let plain = seal::open_file(root, hub_id, &format!("{SIGN}/{name}"), &bytes).map_err(|_| damaged())?;
    let split = plain.iter().position(|byte| *byte == 0).ok_or_else(damaged)?;
    let purpose = std::str::from_utf8(&plain[..split]).ok().and_then(|code| code.parse().ok());
    let pair = Ed25519KeyPair::from_pkcs8(&plain[split + 1..]).map_err(|_| damaged())?;
    SigningKey::new(purpose.ok_or_else(damaged)?, pair).ok_or_else(damaged)
}

pub(super) fn activate(folder: &Path, keys: &SigningKeys, kid: &str) -> Result<(), VaultError> {
    let key = keys.find(kid).ok_or_else(|| VaultError::NoSigningKey { kid: kid.to_owned() })?;
    folder::replace(&folder.join(SIGN).join(format!("{}.current", key.purpose)), kid.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;
    use crate::vault::{KeyMaking, Vault};

    const HUB: Uuid = Uuid::from_u128(0x1234);

    #[test]
    fn a_created_folder_opens_again_with_the_same_keys() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("keys");
        let made = Vault::create(&folder, HUB, KeyMaking::Allowed).unwrap();
        let opened = Vault::open(&folder, KeyMaking::Allowed).unwrap();
        assert_eq!(made.fingerprint(), opened.fingerprint());
        assert_eq!(made.jwks(), opened.jwks());
        assert_eq!(opened.hub_id(), HUB);
        for name in ["root.key", "hub.id", "sign/receipt.current"] {
            assert_eq!(
                fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777,
                0o600,
                "{name}"
            );
        }
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(matches!(Vault::create(&folder, HUB, KeyMaking::Allowed), Err(VaultError::Exists { .. })));
    }

    #[test]
    fn a_folder_open_to_others_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("keys");
        Vault::create(&folder, HUB, KeyMaking::Allowed).unwrap();
        for (name, mode) in [("root.key", 0o640), ("", 0o750), ("sign", 0o701)] {
            let path = folder.join(name);
            let before = fs::metadata(&path).unwrap().permissions();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(
                matches!(Vault::open(&folder, KeyMaking::Allowed), Err(VaultError::Exposed { .. })),
                "{name}"
            );
            fs::set_permissions(&path, before).unwrap();
        }
        Vault::open(&folder, KeyMaking::Allowed).unwrap();
    }

    #[test]
    fn a_creation_cut_short_is_taken_up_and_a_lost_root_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("keys");
        let made = Vault::create(&folder, HUB, KeyMaking::Allowed).unwrap();
        fs::rename(folder.join(ROOT_FILE), folder.join(ROOT_DRAFT)).unwrap();
        assert!(matches!(Vault::open(&folder, KeyMaking::Allowed), Err(VaultError::Missing { .. })));
        let again = Vault::create(&folder, HUB, KeyMaking::Allowed).unwrap();
        assert_eq!(made.jwks(), again.jwks());
        fs::remove_file(folder.join(ROOT_FILE)).unwrap();
        assert!(matches!(Vault::create(&folder, HUB, KeyMaking::Allowed), Err(VaultError::RootLost { .. })));
    }

    #[test]
    fn another_root_key_opens_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("keys");
        let before = Vault::create(&folder, HUB, KeyMaking::Allowed).unwrap();
        fs::write(folder.join(ROOT_FILE), [9; 32]).unwrap();
        assert!(matches!(Vault::open(&folder, KeyMaking::Allowed), Err(VaultError::Damaged { .. })));
        assert_ne!(Root::new(&[9; 32]).fingerprint, before.fingerprint());
    }

    #[test]
    fn a_key_is_published_before_it_is_used() {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::create(&dir.path().join("keys"), HUB, KeyMaking::Allowed).unwrap();
        let running = Vault::open(&dir.path().join("keys"), KeyMaking::Forbidden).unwrap();
        let old = vault.receipt_kid();
        let new = vault.publish_key(KeyPurpose::Receipt).unwrap();
        assert_eq!(vault.receipt_kid(), old);
        assert!(vault.jwks().to_string().contains(&new));
        assert!(!running.jwks().to_string().contains(&new));
        assert!(running.refresh().unwrap() && !running.refresh().unwrap(), "taken up once");
        assert!(running.jwks().to_string().contains(&new));
        assert_eq!(running.receipt_kid(), old, "published is not activated");
        let signer = running.signer();
        vault.activate_key(&new).unwrap();
        assert!(running.refresh().unwrap());
        assert_eq!(running.receipt_kid(), new);
        assert_eq!(signer.kid(), old, "what was begun under one key ends under it");
        assert_eq!(vault.receipt_kid(), new);
        assert!(vault.jwks().to_string().contains(&old), "old receipts must stay checkable");
        assert!(matches!(vault.activate_key("nobody"), Err(VaultError::NoSigningKey { .. })));
    }
}
