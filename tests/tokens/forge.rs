//! A forger who holds the hub's own keys: what it makes differs from a good token by what a test changes, and by
//! nothing else. It opens the key folder by its own means; nothing of the hub's vault is used.

use std::{fs, path::Path};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
    hmac,
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD as B64, Engine as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::support::town::Town;

/// A signing key out of the key folder.
pub struct Key {
    pub kid: String,
    pub pair: Ed25519KeyPair,
}

impl Key {
    /// The key that signs now for this purpose.
    pub fn current(folder: &Path, purpose: &str) -> Self {
        let kid =
            fs::read_to_string(folder.join(format!("sign/{purpose}.current"))).unwrap().trim().to_owned();
        let name = format!("sign/{kid}.pk8");
        let plain = unseal(folder, &name);
        let (found, pkcs8) = plain.split_at(plain.iter().position(|byte| *byte == 0).unwrap());
        assert_eq!(found, purpose.as_bytes());
        Self { kid, pair: Ed25519KeyPair::from_pkcs8(&pkcs8[1..]).unwrap() }
    }

    /// A key that is not the hub's.
    pub fn strange() -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        Self { kid: B64.encode(&pair.public_key().as_ref()[..32]), pair }
    }

    pub fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }
}

/// Opens a file of the key folder: AES-256-GCM under a key derived from the root, bound to hub and name.
fn unseal(folder: &Path, name: &str) -> Vec<u8> {
    let root = fs::read(folder.join("root.key")).unwrap();
    let hub: Uuid = fs::read_to_string(folder.join("hub.id")).unwrap().trim().parse().unwrap();
    let mut key = [0; 32];
    let derived = Salt::new(HKDF_SHA256, &[]).extract(&root);
    derived.expand(&[b"hub/root/files/v1"], HKDF_SHA256).unwrap().fill(&mut key).unwrap();
    let sealed = fs::read(folder.join(name)).unwrap();
    let nonce = Nonce::try_assume_unique_for_key(&sealed[1..13]).unwrap();
    let mut text = sealed[13..].to_vec();
    let aad = Aad::from([hub.as_bytes(), name.as_bytes()].concat());
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).unwrap());
    key.open_in_place(nonce, aad, &mut text).unwrap().to_vec()
}

pub struct Forge {
    pub token: Key,
    pub receipt: Key,
    pub hub: Uuid,
    agency: String,
    now: i64,
}

impl Forge {
    /// The forge of a hub, making tokens of one of its agencies.
    pub fn of(town: &Town, agency: &str) -> Self {
        let folder = &town.config.vault.folder;
        Self {
            token: Key::current(folder, "token"),
            receipt: Key::current(folder, "receipt"),
            hub: town.context().vault.hub_id(),
            agency: agency.to_owned(),
            now: town.clock.now().as_second(),
        }
    }

    /// The claims of a good token.
    pub fn claims(&self) -> Value {
        json!({
            "iss": self.hub, "aud": format!("{}/api", self.hub), "sub": self.agency,
            "jti": "0192f000-0000-4000-8000-000000000007",
            "iat": self.now, "nbf": self.now, "exp": self.now + 600,
        })
    }

    pub const fn now(&self) -> i64 {
        self.now
    }

    pub fn header(&self) -> Value {
        json!({ "alg": "EdDSA", "kid": self.token.kid, "typ": "at+jwt" })
    }

    pub fn good(&self) -> String {
        self.sign(&self.header().to_string(), &self.claims().to_string())
    }

    /// Any header and any payload, signed well by the hub's token key.
    pub fn sign(&self, header: &str, payload: &str) -> String {
        sign(&self.token, header, payload)
    }

    pub fn with_header(&self, header: &Value) -> String {
        self.sign(&header.to_string(), &self.claims().to_string())
    }

    /// A good header with one member changed or added.
    pub fn header_with(&self, name: &str, value: Value) -> String {
        let mut header = self.header();
        header[name] = value;
        self.with_header(&header)
    }

    pub fn with_claims(&self, claims: &Value) -> String {
        self.sign(&self.header().to_string(), &claims.to_string())
    }

    /// Good claims with one changed or added.
    pub fn claims_with(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims();
        claims[name] = value;
        self.with_claims(&claims)
    }

    /// A token whose signature is a MAC under `secret`, as a reader that takes the algorithm from the header
    /// would check it with the public key.
    pub fn with_mac(&self, alg: &str, secret: &[u8]) -> String {
        let mut header = self.header();
        header["alg"] = json!(alg);
        let signed = signed(&header.to_string(), &self.claims().to_string());
        let algorithm = if alg == "HS512" { hmac::HMAC_SHA512 } else { hmac::HMAC_SHA256 };
        let tag = hmac::sign(&hmac::Key::new(algorithm, secret), signed.as_bytes());
        format!("{signed}.{}", B64.encode(tag))
    }
}

fn signed(header: &str, payload: &str) -> String {
    format!("{}.{}", B64.encode(header), B64.encode(payload))
}

pub fn sign(key: &Key, header: &str, payload: &str) -> String {
    let signed = signed(header, payload);
    format!("{signed}.{}", B64.encode(key.pair.sign(signed.as_bytes())))
}
