//! Sealing a document for an agency's own key: JWE in compact form (RFC 7516), ECDH-ES direct agreement
//! with A256GCM (RFC 7518 §4.6), on X25519 (RFC 8037) or P-256.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{self, Algorithm, ECDH_P256, PrivateKey, UnparsedPublicKey, X25519},
    kdf::{SskdfDigestAlgorithmId, get_sskdf_digest_algorithm, sskdf_digest},
    rand,
};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    VaultError, sha256,
    wire::{base64url, from_base64url},
};
use crate::domain::{chain::push_part, fault::Phrase};

const ENC: &str = "A256GCM";

/// Why a key that an agency registers is refused, in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a usable encryption key: {}", .0.en)]
pub struct BadRecipientKey(pub Phrase);

const fn bad(ja: &'static str, en: &'static str) -> BadRecipientKey {
    BadRecipientKey(Phrase { ja, en })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Curve {
    X25519,
    P256,
}

impl Curve {
    fn algorithm(self) -> &'static Algorithm {
        match self {
            Self::X25519 => &X25519,
            Self::P256 => &ECDH_P256,
        }
    }

    /// The public JWK of a point in the library's raw form.
    fn jwk(self, point: &[u8]) -> Value {
        match self {
            Self::X25519 => json!({"kty": "OKP", "crv": "X25519", "x": base64url(point)}),
            Self::P256 => {
                // An uncompressed point: 4, x (32 bytes), y (32 bytes).
                let (x, y) = point[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y)})
            }
        }
    }
}

/// The public encryption key of an agency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientKey {
    curve: Curve,
    point: Vec<u8>,
}

impl RecipientKey {
    /// Reads a public JWK: OKP with X25519, or EC with P-256. Refuses a key that carries its private
    /// part, one that is meant for something else, and a point that is not on its curve or of low order.
    pub fn parse(jwk: &Value) -> Result<Self, BadRecipientKey> {
        let member = |name: &str| jwk.get(name).and_then(Value::as_str);
        let coordinate = |name: &str| member(name).and_then(from_base64url).filter(|bytes| bytes.len() == 32);
        if ["d", "k", "p", "q"].iter().any(|name| jwk.get(*name).is_some()) {
            return Err(bad(
                "秘密鍵が含まれています。鍵を作り直し、公開鍵だけを送ってください。",
                "it holds a private part; make a new pair and send the public key only",
            ));
        }
        if jwk.get("use").is_some_and(|value| value != "enc") {
            return Err(bad("useがencではありません。", "its use is not enc"));
        }
        if jwk.get("alg").is_some_and(|value| value != "ECDH-ES") {
            return Err(bad("algがECDH-ESではありません。", "its alg is not ECDH-ES"));
        }
        let no_point =
            bad("座標が32バイトのbase64urlではありません。", "a coordinate is not 32 bytes in base64url");
        let (curve, point) = match (member("kty"), member("crv")) {
            (Some("OKP"), Some("X25519")) => (Curve::X25519, coordinate("x").ok_or(no_point)?),
            (Some("EC"), Some("P-256")) => {
                let (x, y) = (coordinate("x").ok_or(no_point)?, coordinate("y").ok_or(no_point)?);
                (Curve::P256, [&[4], &x[..], &y[..]].concat())
            }
            _ => {
                return Err(bad(
                    "OKP X25519でもEC P-256でもありません。",
                    "it is neither OKP X25519 nor EC P-256",
                ));
            }
        };
        let key = Self { curve, point };
        // One agreement tells what parsing alone does not: a point of low order gives no secret.
        key.agree(|_| Ok(())).map_err(|_| {
            bad("曲線上にない点か、位数の小さい点です。", "its point is not on the curve, or of low order")
        })?;
        Ok(key)
    }

    /// The key as a public JWK, for storing.
    pub fn jwk(&self) -> Value {
        self.curve.jwk(&self.point)
    }

    /// The RFC 7638 thumbprint: a name for the key where its owner gave none.
    pub fn thumbprint(&self) -> String {
        // The members of `jwk` are just those RFC 7638 names, and are written in its order.
        base64url(sha256(self.jwk().to_string().as_bytes()).bytes())
    }

    /// Agrees on a secret under a fresh key pair; hands the secret to `with` and returns the fresh
    /// public key beside its result.
    fn agree<T>(&self, with: impl FnOnce(&[u8]) -> Result<T, VaultError>) -> Result<(Value, T), VaultError> {
        let failed = || VaultError::Crypto("agree on a key with a recipient");
        let mine = PrivateKey::generate(self.curve.algorithm()).map_err(|_| failed())?;
        let public = mine.compute_public_key().map_err(|_| failed())?;
        let theirs = UnparsedPublicKey::new(self.curve.algorithm(), &self.point);
        let result = agreement::agree(&mine, theirs, failed(), with)?;
        Ok((self.curve.jwk(public.as_ref()), result))
    }
}

/// Seals a JSON document for a recipient. `kid` is the recipient's own name for its key.
pub fn seal_for(to: &RecipientKey, plaintext: &[u8], kid: &str) -> Result<String, VaultError> {
    let (epk, key) = to.agree(|secret| content_key::<32>(secret, ENC, b"", b""))?;
    let header =
        json!({"alg": "ECDH-ES", "cty": "application/json", "enc": ENC, "epk": epk, "kid": kid}).to_string();
    let header = base64url(header);
    let mut nonce = [0; 12];
    rand::fill(&mut nonce).map_err(|_| VaultError::Crypto("draw random bytes"))?;
    let failed = |_| VaultError::Crypto("seal a document for a recipient");
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*key).map_err(failed)?);
    let mut sealed = plaintext.to_vec();
    let tag = cipher
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(header.as_bytes()),
            &mut sealed,
        )
        .map_err(failed)?;
    // The second part, the encrypted key, is empty in direct agreement.
    Ok(format!("{header}..{}.{}.{}", base64url(nonce), base64url(sealed), base64url(tag)))
}

/// The Concat KDF of RFC 7518 §4.6.2 to `N` bytes.
fn content_key<const N: usize>(
    secret: &[u8],
    enc: &str,
    apu: &[u8],
    apv: &[u8],
) -> Result<Zeroizing<[u8; N]>, VaultError> {
    let mut info = Vec::with_capacity(32);
    push_part(&mut info, enc.as_bytes());
    push_part(&mut info, apu);
    push_part(&mut info, apv);
    info.extend_from_slice(&(N as u32 * 8).to_be_bytes());
    let mut key = Zeroizing::new([0; N]);
    let failed = VaultError::Crypto("derive a key");
    let Some(sha256) = get_sskdf_digest_algorithm(SskdfDigestAlgorithmId::Sha256) else { return Err(failed) };
    sskdf_digest(sha256, secret, &info, &mut *key).map_err(|_| failed)?;
    Ok(key)
}

/// An agency's private key, for tests: the other end of [`seal_for`].
#[cfg(test)]
pub struct TestKey {
    mine: PrivateKey,
    curve: Curve,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "for tests")]
impl TestKey {
    pub fn x25519() -> Self {
        Self::on(Curve::X25519)
    }

    fn on(curve: Curve) -> Self {
        Self { mine: PrivateKey::generate(curve.algorithm()).unwrap(), curve }
    }

    /// The public half, as an agency registers it.
    pub fn jwk(&self) -> Value {
        self.curve.jwk(self.mine.compute_public_key().unwrap().as_ref())
    }

    pub fn open(&self, jwe: &str) -> Option<Vec<u8>> {
        let parts: Vec<_> = jwe.split('.').collect();
        let [header, "", nonce, sealed, tag] = parts[..] else { return None };
        let parsed: Value = serde_json::from_slice(&from_base64url(header)?).ok()?;
        let epk = RecipientKey::parse(&parsed["epk"]).ok().filter(|key| key.curve == self.curve)?;
        let theirs = UnparsedPublicKey::new(self.curve.algorithm(), &epk.point);
        let key = agreement::agree(&self.mine, theirs, (), |secret| {
            content_key::<32>(secret, ENC, b"", b"").map_err(|_| ())
        })
        .ok()?;
        let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*key).ok()?);
        let nonce = Nonce::try_assume_unique_for_key(&from_base64url(nonce)?).ok()?;
        let mut text = [from_base64url(sealed)?, from_base64url(tag)?].concat();
        Some(cipher.open_in_place(nonce, Aad::from(header.as_bytes()), &mut text).ok()?.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kdf_gives_the_key_of_rfc_7518_appendix_c() {
        let alice = from_base64url("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo").unwrap();
        let bob = json!({"kty": "EC", "crv": "P-256",
            "x": "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
            "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck"});
        let mine = PrivateKey::from_private_key(&ECDH_P256, &alice).unwrap();
        let bob = RecipientKey::parse(&bob).unwrap();
        let key = agreement::agree(&mine, UnparsedPublicKey::new(&ECDH_P256, &bob.point), (), |secret| {
            content_key::<16>(secret, "A128GCM", b"Alice", b"Bob").map_err(|_| ())
        })
        .unwrap();
        assert_eq!(base64url(*key), "VqqN6vgjbSBcIijNcacQGg");
    }

    #[test]
    fn the_recipient_and_nobody_else_opens_it() {
        for curve in [Curve::X25519, Curve::P256] {
            let mine = TestKey::on(curve);
            let jwk = mine.jwk();
            let key = RecipientKey::parse(&jwk).unwrap();
            assert_eq!(key.jwk(), jwk);
            let jwe = seal_for(&key, b"{}", "agency-1").unwrap();
            assert_eq!(mine.open(&jwe).unwrap(), b"{}");
            assert!(TestKey::on(curve).open(&jwe).is_none());
            let header: Value =
                serde_json::from_slice(&from_base64url(jwe.split('.').next().unwrap()).unwrap()).unwrap();
            assert_eq!(header["alg"], "ECDH-ES");
            assert_eq!(header["enc"], "A256GCM");
            assert_eq!(header["cty"], "application/json");
            assert_eq!(header["kid"], "agency-1");
            assert!(header["epk"].get("d").is_none());
            assert_ne!(seal_for(&key, b"{}", "agency-1").unwrap(), jwe, "each sealing has a key of its own");
        }
    }

    #[test]
    fn private_weak_and_foreign_keys_are_refused() {
        let x = "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo";
        let zero = base64url([0; 32]);
        // A point of order 8 on Curve25519 (RFC 7748 §6.1 asks to notice such).
        let low = "4Ot6fDtBuK4WVuP68Z_EatoJjeucMrH9hmIFFl9JuAA";
        let ok = json!({"kty": "OKP", "crv": "X25519", "x": x});
        assert!(RecipientKey::parse(&ok).is_ok());
        for bad in [
            json!({"kty": "OKP", "crv": "X25519", "x": x, "d": x}),
            json!({"kty": "OKP", "crv": "X25519", "x": x, "use": "sig"}),
            json!({"kty": "OKP", "crv": "X25519", "x": x, "alg": "ECDH-ES+A256KW"}),
            json!({"kty": "OKP", "crv": "X25519", "x": zero}),
            json!({"kty": "OKP", "crv": "X25519", "x": low}),
            json!({"kty": "OKP", "crv": "X25519", "x": "AAAA"}),
            json!({"kty": "OKP", "crv": "Ed25519", "x": x}),
            json!({"kty": "EC", "crv": "P-256", "x": x, "y": x}),
            json!({"kty": "EC", "crv": "P-256", "x": zero, "y": zero}),
            json!({"kty": "RSA", "n": x, "e": "AQAB"}),
            json!(null),
        ] {
            assert!(RecipientKey::parse(&bad).is_err(), "{bad}");
        }
    }
}
