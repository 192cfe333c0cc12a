//! What the hub signs: receipts, events, refusals, manifests. All are JWS in compact form, EdDSA over
//! Ed25519 (RFC 8037), with a payload in JCS form (RFC 8785), so that one statement has one text.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::{
    KeyPurpose, Vault,
    jws::Typ,
    keys::{SigningKey, SigningKeys},
    sha256,
};
use crate::domain::{
    chain::Hash,
    ids::{AgencyId, DeliveryId, LegId, ReceiptId, ReferralId},
    receipt::{
        Actor, Answer, BasisRef, CopyFor, Manifest, Receipt, ReceiptLevel, Refusal, StateChange, Step,
        Withheld, jst,
    },
    section::Sections,
};

/// A signed text, stored and handed out exactly as issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jws(String);

impl Jws {
    pub(super) const fn from_signed(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the text: what the next receipt's `prev`, or a receipt's `manifest`, holds.
    pub fn hash(&self) -> Hash {
        sha256(self.0.as_bytes())
    }
}

impl From<Jws> for String {
    fn from(jws: Jws) -> Self {
        jws.0
    }
}

// The wire forms below name their members in the order of JCS, which for plain names is the alphabet.
// So serde_json writes canonical bytes at once, several times faster than sorting them afterwards.

/// A receipt or event with what the hub adds to it: who signs, and the version of the form.
#[derive(Serialize)]
struct StepWire<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<&'a Answer>,
    #[serde(serialize_with = "jst::serialize")]
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    basis: Option<&'a BasisRef>,
    by: &'a Actor,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Hash>,
    copy: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<DeliveryId>,
    hub_id: Uuid,
    key_id: &'a str,
    leg: LegId,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<ReceiptLevel>,
    link: Hash,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<Hash>,
    #[serde(skip_serializing_if = "Option::is_none")]
    never_opened: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prev: Option<Hash>,
    receipt_id: ReceiptId,
    recipient: AgencyId,
    #[serde(skip_serializing_if = "Option::is_none")]
    referral: Option<ReferralId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    responsible: Option<AgencyId>,
    sections: Sections,
    sender: AgencyId,
    state: &'a StateChange,
    v: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    withheld: Option<&'a [Withheld]>,
}

#[derive(Serialize)]
struct RefusalWire<'a> {
    agency: AgencyId,
    #[serde(serialize_with = "jst::serialize")]
    at: Timestamp,
    code: &'a str,
    hub_id: Uuid,
    key_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    law: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_version: Option<&'a str>,
    v: u8,
}

/// The signing keys of one moment.
#[derive(Clone)]
pub struct Signer {
    hub_id: Uuid,
    keys: Arc<SigningKeys>,
}

impl Vault {
    pub fn sign_receipt(&self, receipt: &Receipt) -> Jws {
        self.signer().sign_receipt(receipt)
    }

    /// Signs a step of a leg that has no level of its own.
    pub fn sign_event(&self, step: &Step) -> Jws {
        self.signer().sign_event(step)
    }

    pub fn sign_refusal(&self, refusal: &Refusal) -> Jws {
        self.signer().sign_refusal(refusal)
    }

    pub fn sign_manifest(&self, manifest: &Manifest) -> Jws {
        self.signer().sign_manifest(manifest)
    }
}

impl Signer {
    pub(super) const fn new(hub_id: Uuid, keys: Arc<SigningKeys>) -> Self {
        Self { hub_id, keys }
    }

    /// The id of the key that receipts and events are signed with.
    pub fn kid(&self) -> &str {
        &self.receipt_key().kid
    }

    fn receipt_key(&self) -> &SigningKey {
        self.keys.current(KeyPurpose::Receipt)
    }

    /// See [`Vault::sign_receipt`].
    pub fn sign_receipt(&self, receipt: &Receipt) -> Jws {
        self.sign_step(Typ::Receipt, Some(receipt.level), &receipt.step)
    }

    /// See [`Vault::sign_event`].
    pub fn sign_event(&self, step: &Step) -> Jws {
        self.sign_step(Typ::Event, None, step)
    }

    fn sign_refusal(&self, refusal: &Refusal) -> Jws {
        let key = self.receipt_key();
        let Refusal { agency, code, law, rule_version, at } = refusal;
        let (hub_id, key_id, law) = (self.hub_id, key.kid.as_str(), law.as_deref());
        let rule_version = rule_version.as_deref();
        let wire = RefusalWire { agency: *agency, at: *at, code, hub_id, key_id, law, rule_version, v: 1 };
        Jws(sign(key, Typ::Refusal, &wire))
    }

    fn sign_manifest(&self, manifest: &Manifest) -> Jws {
        Jws(sign(self.receipt_key(), Typ::Manifest, manifest))
    }

    fn sign_step(&self, typ: Typ, level: Option<ReceiptLevel>, step: &Step) -> Jws {
        let key = self.receipt_key();
        let (copy, referral, withheld) = match &step.copy {
            CopyFor::Shared => ("shared", None, None),
            CopyFor::Sender { referral, withheld } => ("sender", Some(*referral), Some(withheld.as_slice())),
        };
        let wire = StepWire {
            answer: step.answer.as_ref(),
            at: step.at,
            basis: step.basis.as_ref(),
            by: &step.by,
            content: step.content,
            copy,
            delivery: step.delivery,
            hub_id: self.hub_id,
            key_id: &key.kid,
            leg: step.leg,
            level,
            link: step.link,
            manifest: step.manifest,
            never_opened: step.never_opened,
            prev: step.prev,
            receipt_id: step.receipt_id,
            recipient: step.recipient,
            referral,
            responsible: step.responsible,
            sections: step.sections,
            sender: step.sender,
            state: &step.state,
            v: 1,
            withheld,
        };
        Jws(sign(key, typ, &wire))
    }
}

/// Writes `header.payload.signature` into one buffer. The payload must serialise in JCS form, which
/// debug builds check each time.
pub(super) fn sign<T: Serialize>(key: &SigningKey, typ: Typ, payload: &T) -> String {
    let payload = serde_json::to_vec(payload)
        .expect("invariant: the statements of the house are structs of texts and whole numbers");
    debug_assert!(is_canonical(&payload), "a wire form is not in JCS order");
    let header = key.header(typ);
    let mut text = String::with_capacity(header.len() + payload.len().div_ceil(3) * 4 + 88);
    text.push_str(header);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(&payload, &mut text);
    let signature = key.pair.sign(text.as_bytes());
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut text);
    text
}

fn is_canonical(json: &[u8]) -> bool {
    let value = serde_json::from_slice::<serde_json::Value>(json);
    value.and_then(|value| serde_json_canonicalizer::to_vec(&value)).is_ok_and(|canonical| canonical == json)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::Ed25519KeyPair;
    use serde_json::json;

    use super::*;
    use crate::domain::receipt::FieldDigest;
    use crate::vault::{
        KeyMaking,
        jws::{Jwks, JwsFault, verify_jws},
        wire::{base64url, from_base64url},
    };

    fn vault() -> (tempfile::TempDir, Vault) {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::create(&dir.path().join("k"), Uuid::from_u128(5), KeyMaking::Allowed).unwrap();
        (dir, vault)
    }

    fn refusal() -> Refusal {
        let agency = crate::domain::ids::AgencyId::new(Uuid::from_u128(6));
        let at = "2026-11-22T01:00:00Z".parse().unwrap();
        Refusal { agency, code: "CONSENT_PARTY".into(), law: None, rule_version: None, at }
    }

    #[test]
    fn rfc_8037_signs_to_its_own_example() {
        let seed = from_base64url("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        let signed = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        assert_eq!(
            base64url(pair.sign(signed)),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );
    }

    #[test]
    fn a_statement_verifies_against_the_published_keys_and_only_as_what_it_is() {
        let (_dir, vault) = vault();
        let jws = vault.sign_refusal(&refusal());
        let jwks = Jwks::parse(&vault.jwks()).unwrap();
        let payload = verify_jws(&jwks, jws.as_str(), Typ::Refusal).unwrap();
        assert_eq!(payload["v"], 1);
        assert_eq!(payload["hub_id"], json!(Uuid::from_u128(5)));
        assert_eq!(payload["key_id"], vault.receipt_kid());
        assert_eq!(payload["at"], "2026-11-22T10:00:00+09:00");
        for typ in Typ::ALL.iter().filter(|typ| **typ != Typ::Refusal) {
            assert_eq!(verify_jws(&jwks, jws.as_str(), *typ), Err(JwsFault::Type));
        }
    }

    #[test]
    fn the_header_and_the_payload_have_exactly_one_form() {
        let (_dir, vault) = vault();
        let jws = String::from(vault.sign_refusal(&refusal()));
        let parts: Vec<_> = jws.split('.').map(|part| from_base64url(part).unwrap()).collect();
        let kid = vault.receipt_kid();
        let header = format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"tsunagu-refusal+jwt"}}"#);
        assert_eq!(parts[0], header.as_bytes());
        let value: serde_json::Value = serde_json::from_slice(&parts[1]).unwrap();
        assert_eq!(parts[1], serde_json_canonicalizer::to_vec(&value).unwrap());
        assert_eq!(vault.sign_refusal(&refusal()).as_str(), jws, "Ed25519 draws nothing");
    }

    #[test]
    fn an_independent_library_believes_it() {
        let (_dir, vault) = vault();
        let jws = vault.sign_refusal(&refusal());
        let jwk: jsonwebtoken::jwk::Jwk = {
            let jwks = vault.jwks();
            let keys = jwks["keys"].as_array().unwrap();
            let ours = keys.iter().find(|key| key["kid"] == vault.receipt_kid()).unwrap();
            serde_json::from_value(ours.clone()).unwrap()
        };
        let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
        let (message, signature) = jws.as_str().rsplit_once('.').unwrap();
        let alg = jsonwebtoken::Algorithm::EdDSA;
        assert!(jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, alg).unwrap());
    }

    fn receipt() -> Receipt {
        let id = "0190e0c4-7a7b-7cc3-8f00-2f3c4b5a6d7e";
        let wire = json!({"level": "R4", "copy": "sender", "receipt_id": id, "leg": id, "delivery": id,
            "sender": id, "recipient": id, "sections": ["identity", "needs"],
            "manifest": "00".repeat(32), "content": "11".repeat(32),
            "basis": {"code": "CONSENT", "law": "個人情報の保護に関する法律 第27条1項", "ref": "consent:\u{7}\"/\u{2028}同意@v1", "rule_version": "2026-04-01"},
            "state": {"from": "requested", "to": "received", "seq": 2}, "link": "22".repeat(32),
            "prev": "33".repeat(32), "at": "2026-11-22T10:00:00.5+09:00",
            "by": {"agency": id, "staff": id, "attested": "agency-key"},
            "answer": {"action": "decline", "reason": "CAPACITY"}, "referral": id, "responsible": id,
            "withheld": [{"section": "health", "subject": "child-1", "why": "W_NOT_CONSENTED"}]});
        serde_json::from_value(wire).unwrap()
    }

    #[test]
    fn every_wire_form_is_canonical_and_says_what_the_struct_says() {
        let (_dir, vault) = vault();
        let jwks = Jwks::parse(&vault.jwks()).unwrap();
        let full = receipt();
        let lean = Step {
            copy: CopyFor::Shared,
            delivery: None,
            manifest: None,
            content: None,
            basis: None,
            prev: None,
            answer: None,
            ..full.step.clone()
        };
        let read = |jws: &Jws, typ| verify_jws(&jwks, jws.as_str(), typ).unwrap();
        let said = |value: &serde_json::Value| serde_json::from_value::<Receipt>(value.clone()).unwrap();
        assert_eq!(said(&read(&vault.sign_receipt(&full), Typ::Receipt)), full);
        let event = read(&vault.sign_event(&lean), Typ::Event);
        assert_eq!(serde_json::from_value::<Step>(event.clone()).unwrap(), lean);
        assert_eq!(event.get("level"), None);
        let field = |path: &str| FieldDigest { path: path.into(), d: Hash::new([1; 32]) };
        let fields = vec![field("/a"), field("/b")];
        let manifest = Manifest { v: 1, leg: lean.leg, content_version: 1, fields };
        let signed = vault.sign_manifest(&manifest);
        assert_eq!(serde_json::from_value::<Manifest>(read(&signed, Typ::Manifest)).unwrap(), manifest);
        let law = Refusal {
            law: Some("個人情報の保護に関する法律27条1項".into()),
            rule_version: Some("2026-04-01".into()),
            ..refusal()
        };
        for jws in [vault.sign_receipt(&full), vault.sign_event(&lean), signed, vault.sign_refusal(&law)] {
            let payload = from_base64url(jws.as_str().split('.').nth(1).unwrap()).unwrap();
            assert!(is_canonical(&payload), "{}", String::from_utf8_lossy(&payload));
        }
    }
}
