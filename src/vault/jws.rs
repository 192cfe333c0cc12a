//! Reading a JWS (RFC 7515) strictly: one algorithm, one type per use, one text per statement.

use std::collections::HashMap;

use aws_lc_rs::signature::{ED25519, ParsedPublicKey, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::Value;

use super::{
    KeyPurpose, sha256,
    wire::{base64url, from_base64url, from_json},
};
use crate::code_list;

/// Longer texts are refused unread. The largest statement is a manifest of some thousand fields.
const MAX_LENGTH: usize = 1 << 20;

code_list! {
    /// The types of statement the hub signs: the `typ` of the protected header.
    Typ, "JWS type" {
        Receipt = "tsunagu-receipt+jwt", "受領証", "receipt";
        Event = "tsunagu-event+jwt", "経過の記録", "event";
        Refusal = "tsunagu-refusal+jwt", "拒否の記録", "refusal";
        Manifest = "tsunagu-manifest+jwt", "目録", "manifest";
        Consent = "tsunagu-consent+jwt", "同意の記録", "consent";
        AccessToken = "at+jwt", "アクセストークン", "access token";
    }
}

impl Typ {
    const fn purpose(self) -> KeyPurpose {
        match self {
            Self::Receipt | Self::Event | Self::Refusal | Self::Manifest | Self::Consent => {
                KeyPurpose::Receipt
            }
            Self::AccessToken => KeyPurpose::Token,
        }
    }

    /// A manifest belongs to the receipt that carries its hash, and a token to its issuer; the others
    /// repeat in the payload which key signed them.
    const fn repeats_key_id(self) -> bool {
        matches!(self, Self::Receipt | Self::Event | Self::Refusal | Self::Consent)
    }
}

code_list! {
    /// Why a JWS is not believed.
    JwsFault, "JWS fault" {
        Form = "form", "形式が正しくありません", "it is not a JWS in compact form and canonical base64url";
        Header = "header", "ヘッダーに余分な項目や重複があります", "its header has other members than alg, kid and typ";
        Algorithm = "alg", "署名方式がEdDSAではありません", "its algorithm is not EdDSA";
        Type = "typ", "種別が異なります", "it is of another type";
        UnknownKey = "kid", "署名した鍵が鍵一覧にありません", "its key is not in the key set, or serves another purpose";
        Signature = "signature", "署名が正しくありません", "its signature is wrong";
        Payload = "payload", "内容が読めません", "its payload is not the JSON object it should be";
        KeyId = "key_id", "内容の鍵番号がヘッダーと異なります", "the key id in the payload differs from the header's";
    }
}

impl std::error::Error for JwsFault {}

/// Why a key set is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a usable key set (JWKS): {0}")]
pub struct BadJwks(&'static str);

/// A public key, checked once.
pub(super) struct VerifyKey {
    purpose: KeyPurpose,
    key: ParsedPublicKey,
}

impl VerifyKey {
    /// Refuses a point written in a second way and a point of small order: with either, one signature
    /// could stand for several statements (RFC 8032 §5.1.3; `verify_strict` of ed25519-dalek).
    pub fn new(purpose: KeyPurpose, public: &[u8]) -> Option<Self> {
        let point: &[u8; 32] = public.try_into().ok()?;
        if !is_canonical(point) || has_small_order(point) {
            return None;
        }
        Some(Self { purpose, key: UnparsedPublicKey::new(&ED25519, public).parse().ok()? })
    }

    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        // The library checks S < L and compares R byte by byte; the order of R is ours to check.
        let Some(r) = signature.first_chunk::<32>() else { return false };
        !has_small_order(r) && self.key.verify_sig(message, signature).is_ok()
    }
}

/// Whether the y-coordinate is below 2^255 − 19.
fn is_canonical(point: &[u8; 32]) -> bool {
    let high = point[31] & 0x7f;
    !(high == 0x7f && point[1..31].iter().all(|byte| *byte == 0xff) && point[0] >= 0xed)
}

/// Whether a point is one of the eight of small order, whatever the sign of x.
fn has_small_order(point: &[u8; 32]) -> bool {
    const ORDER_8: [&str; 2] = [
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ];
    let mut y = *point;
    y[31] &= 0x7f;
    let low = y[1..].iter().all(|byte| *byte == 0) && y[0] <= 1;
    let minus_one = y[0] == 0xec && y[31] == 0x7f && y[1..31].iter().all(|byte| *byte == 0xff);
    let text = || crate::domain::chain::Hash::new(y).to_string();
    low || minus_one || ((y[0] == 0x26 || y[0] == 0xc7) && ORDER_8.contains(&text().as_str()))
}

/// The key id of an Ed25519 key: its RFC 7638 thumbprint.
pub(super) fn thumbprint(public: &[u8]) -> String {
    let jwk = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, base64url(public));
    base64url(sha256(jwk.as_bytes()).bytes())
}

/// The public keys of a hub.
pub struct Jwks(HashMap<String, VerifyKey>);

impl Jwks {
    /// Reads a key set as the hub serves it. Keys that are not Ed25519 keys of a known purpose are
    /// passed over; one that claims to be and is malformed makes the whole set suspect.
    pub fn parse(set: &Value) -> Result<Self, BadJwks> {
        let keys = set.get("keys").and_then(Value::as_array).ok_or(BadJwks("it has no list of keys"))?;
        let mut found = HashMap::new();
        for jwk in keys {
            let member = |name: &str| jwk.get(name).and_then(Value::as_str);
            if jwk.get("d").is_some() {
                return Err(BadJwks("it holds a private key"));
            }
            if member("kty") != Some("OKP") || member("crv") != Some("Ed25519") {
                continue;
            }
            let Some(purpose) = member("tsunagu_use").and_then(|code| code.parse().ok()) else { continue };
            let public = member("x").and_then(from_base64url).ok_or(BadJwks("a key has no point"))?;
            let key = VerifyKey::new(purpose, &public).ok_or(BadJwks("a key is no safe Ed25519 point"))?;
            let kid = thumbprint(&public);
            if member("kid") != Some(&kid) {
                return Err(BadJwks("a key id is not the key's RFC 7638 thumbprint"));
            }
            if found.insert(kid, key).is_some() {
                return Err(BadJwks("it names a key twice"));
            }
        }
        Ok(Self(found))
    }
}

/// Header of every JWS of the house. Any other member, `crit` and key references among them, is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: String,
    typ: String,
}

/// A JWS taken apart, not yet believed.
pub(super) struct Unverified<'a> {
    pub kid: String,
    signed: &'a [u8],
    signature: Vec<u8>,
    payload: Vec<u8>,
}

impl<'a> Unverified<'a> {
    pub fn read(text: &'a str, typ: Typ) -> Result<Self, JwsFault> {
        if text.len() > MAX_LENGTH {
            return Err(JwsFault::Form);
        }
        let mut parts = text.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(JwsFault::Form);
        };
        let signed = &text.as_bytes()[..header.len() + 1 + payload.len()];
        let decode = |part| from_base64url(part).ok_or(JwsFault::Form);
        let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);
        // serde would read an array of the three values as a header too.
        let header = from_json(&header).filter(Value::is_object).ok_or(JwsFault::Header)?;
        let header: Header = serde_json::from_value(header).map_err(|_| JwsFault::Header)?;
        if header.alg != "EdDSA" {
            return Err(JwsFault::Algorithm);
        }
        if header.typ != typ.code() {
            return Err(JwsFault::Type);
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if header.kid.is_empty() || header.kid.len() > 64 || !header.kid.bytes().all(allowed) {
            return Err(JwsFault::UnknownKey);
        }
        Ok(Self { kid: header.kid, signed, signature, payload })
    }

    /// The payload, once the signature holds.
    pub fn verify(&self, key: &VerifyKey, typ: Typ) -> Result<Value, JwsFault> {
        if key.purpose != typ.purpose() {
            return Err(JwsFault::UnknownKey);
        }
        if !key.verifies(self.signed, &self.signature) {
            return Err(JwsFault::Signature);
        }
        let payload = from_json(&self.payload).filter(Value::is_object).ok_or(JwsFault::Payload)?;
        if typ.repeats_key_id() && payload.get("key_id").and_then(Value::as_str) != Some(&self.kid) {
            return Err(JwsFault::KeyId);
        }
        Ok(payload)
    }
}

/// Checks a JWS against a key set and returns its payload. Refuses any algorithm but EdDSA, any other
/// `typ`, any header member but `alg`, `kid` and `typ`, any second way of writing the same bytes, and a
/// key that serves another purpose.
pub fn verify_jws(jwks: &Jwks, text: &str, typ: Typ) -> Result<Value, JwsFault> {
    let unverified = Unverified::read(text, typ)?;
    let key = jwks.0.get(&unverified.kid).ok_or(JwsFault::UnknownKey)?;
    unverified.verify(key, typ)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037() {
        let public = from_base64url("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        assert_eq!(thumbprint(&public), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn weak_points_are_no_keys() {
        let mut weak = vec![[0; 32], [0xff; 32]];
        weak.push(std::array::from_fn(|i| u8::from(i == 0)));
        let high = |low: u8| {
            std::array::from_fn(|i| {
                if i == 0 {
                    low
                } else if i == 31 {
                    0x7f
                } else {
                    0xff
                }
            })
        };
        weak.extend([high(0xec), high(0xed), high(0xee), high(0xff)]);
        for text in [
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        ] {
            weak.push(*text.parse::<crate::domain::chain::Hash>().unwrap().bytes());
        }
        for point in weak {
            assert!(VerifyKey::new(KeyPurpose::Receipt, &point).is_none(), "{point:02x?}");
        }
    }

    #[test]
    fn a_key_set_with_a_private_or_renamed_key_is_refused() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let kid = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
        let key = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "tsunagu_use": "receipt"});
        let with = |name: &str, value: &str| {
            let mut key = key.clone();
            key[name] = json!(value);
            Jwks::parse(&json!({"keys": [key]}))
        };
        assert_eq!(with("use", "sig").unwrap().0.len(), 1);
        assert_eq!(with("kty", "EC").unwrap().0.len(), 0);
        assert!(with("d", "AA").is_err());
        assert!(with("kid", "another").is_err());
        assert!(with("x", "AAAA").is_err());
        assert!(Jwks::parse(&json!({"keys": [key, key]})).is_err());
        assert!(Jwks::parse(&json!([])).is_err());
    }
}
