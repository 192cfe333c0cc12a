//! Access tokens of agencies' systems (RFC 9068 form, RFC 8725 rules), valid for ten minutes at most.
//!
//! A token says only which agency calls. What that agency may do is read from the ledger per request.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    KeyPurpose, Vault,
    jws::{JwsFault, Typ, Unverified},
    sha256,
    sign::sign,
};
use crate::domain::ids::AgencyId;

/// The longest life of a token, in seconds.
pub const LIFETIME: i64 = 600;
/// How far the clocks of two nodes may differ, in seconds.
const LEEWAY: i64 = 5;
const MAX_LENGTH: usize = 4096;

/// How many tokens are remembered; beyond that all are forgotten and verified again.
const REMEMBERED: usize = 4096;

/// Tokens whose signature was verified by this process, by the SHA-256 of their text. A client shows the same
/// token for minutes, and verifying it costs as much as three signatures. Only the signature is remembered: what
/// the claims say is held against the clock every time.
#[derive(Default)]
pub(super) struct Verified(RwLock<HashMap<[u8; 32], Claims>>);

impl Verified {
    fn get(&self, token: &[u8; 32]) -> Option<Claims> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }

    fn put(&self, token: [u8; 32], claims: &Claims) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED {
            all.clear();
        }
        all.insert(token, claims.clone());
    }

    /// To be called when the keys change.
    pub(super) fn forget(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    aud: String,
    exp: i64,
    iat: i64,
    iss: Uuid,
    jti: Uuid,
    nbf: i64,
    sub: AgencyId,
}

/// Who calls, once a token is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenCaller {
    pub agency: AgencyId,
    pub token_id: Uuid,
    pub expires: Timestamp,
}

/// Why a token is not believed; for the audit and the log, which never hold the token itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    #[error("the token is longer than {MAX_LENGTH} bytes")]
    TooLong,
    #[error("the token's signed text is not believed: {0}")]
    Jws(#[from] JwsFault),
    #[error("the token's claims are not exactly iss, aud, sub, jti, iat, nbf and exp in their forms")]
    Claims,
    #[error("the token was issued by another hub")]
    Issuer,
    #[error("the token is meant for another audience")]
    Audience,
    #[error("the token is not valid yet")]
    TooEarly,
    #[error("the token has expired; ask for a new one")]
    Expired,
    #[error("the token's life is longer than {LIFETIME} seconds")]
    TooLongLived,
}

impl Vault {
    /// Issues a token for an agency. `token_id` comes from the clock; a longer lifetime than
    /// [`LIFETIME`] is cut to it.
    pub fn issue_token(&self, agency: AgencyId, token_id: Uuid, now: Timestamp, lifetime: i64) -> String {
        let iat = now.as_second();
        let exp = iat + lifetime.clamp(1, LIFETIME);
        let claims =
            Claims { iss: self.hub_id, aud: self.audience(), sub: agency, jti: token_id, iat, nbf: iat, exp };
        sign(self.signing().current(KeyPurpose::Token), Typ::AccessToken, &claims)
    }

    /// Believes a token or says why not. The algorithm is the stored key's; a receipt is never a token.
    pub fn verify_token(&self, token: &str, now: Timestamp) -> Result<TokenCaller, TokenFault> {
        if token.len() > MAX_LENGTH {
            return Err(TokenFault::TooLong);
        }
        let digest = *sha256(token.as_bytes()).bytes();
        if let Some(claims) = self.verified.get(&digest) {
            return self.check_claims(&claims, now.as_second());
        }
        let unverified = Unverified::read(token, Typ::AccessToken)?;
        let keys = self.signing();
        let key = keys.find(&unverified.kid).ok_or(JwsFault::UnknownKey)?;
        let payload = unverified.verify(&key.verify, Typ::AccessToken)?;
        let claims: Claims = serde_json::from_value(payload).map_err(|_| TokenFault::Claims)?;
        let caller = self.check_claims(&claims, now.as_second())?;
        self.verified.put(digest, &claims);
        Ok(caller)
    }

    fn check_claims(&self, claims: &Claims, now: i64) -> Result<TokenCaller, TokenFault> {
        if claims.iss != self.hub_id {
            return Err(TokenFault::Issuer);
        }
        if claims.aud != self.audience() {
            return Err(TokenFault::Audience);
        }
        let latest = now.saturating_add(LEEWAY);
        if claims.nbf > latest || claims.iat > latest {
            return Err(TokenFault::TooEarly);
        }
        if claims.exp <= now.saturating_sub(LEEWAY) {
            return Err(TokenFault::Expired);
        }
        if claims.exp.saturating_sub(claims.iat) > LIFETIME {
            return Err(TokenFault::TooLongLived);
        }
        let expires = Timestamp::from_second(claims.exp).map_err(|_| TokenFault::Claims)?;
        Ok(TokenCaller { agency: claims.sub, token_id: claims.jti, expires })
    }

    fn audience(&self) -> String {
        format!("{}/api", self.hub_id)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::vault::{
        KeyMaking,
        wire::{base64url, from_base64url},
    };

    const HUB: Uuid = Uuid::from_u128(5);
    const AGENCY: AgencyId = AgencyId::new(Uuid::from_u128(6));
    const NOW: i64 = 1_790_000_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn vault() -> (tempfile::TempDir, Vault) {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::create(&dir.path().join("k"), HUB, KeyMaking::Allowed).unwrap();
        (dir, vault)
    }

    fn issue(vault: &Vault) -> String {
        vault.issue_token(AGENCY, Uuid::from_u128(7), at(NOW), LIFETIME)
    }

    fn good() -> Value {
        json!({"iss": HUB, "aud": format!("{HUB}/api"), "sub": AGENCY, "jti": Uuid::from_u128(7),
            "iat": NOW, "nbf": NOW, "exp": NOW + 600})
    }

    /// A token signed with the hub's own token key over any header and payload.
    fn forge(vault: &Vault, header: &str, payload: &str) -> String {
        let keys = vault.signing();
        let key = keys.current(KeyPurpose::Token);
        let signed = format!("{}.{}", base64url(header.replace("KID", &key.kid)), base64url(payload));
        let signature = base64url(key.pair.sign(signed.as_bytes()).as_ref());
        format!("{signed}.{signature}")
    }

    const HEADER: &str = r#"{"alg":"EdDSA","kid":"KID","typ":"at+jwt"}"#;

    #[test]
    fn a_token_is_believed_for_ten_minutes_and_five_seconds_of_leeway() {
        let (_dir, vault) = vault();
        let token = issue(&vault);
        let caller = vault.verify_token(&token, at(NOW)).unwrap();
        assert_eq!(
            caller,
            TokenCaller { agency: AGENCY, token_id: Uuid::from_u128(7), expires: at(NOW + 600) }
        );
        assert!(vault.verify_token(&token, at(NOW - 5)).is_ok());
        assert_eq!(vault.verify_token(&token, at(NOW - 6)), Err(TokenFault::TooEarly));
        assert!(vault.verify_token(&token, at(NOW + 604)).is_ok());
        assert_eq!(vault.verify_token(&token, at(NOW + 605)), Err(TokenFault::Expired));
        let long = vault.issue_token(AGENCY, Uuid::nil(), at(NOW), 86_400);
        assert_eq!(vault.verify_token(&long, at(NOW)).unwrap().expires, at(NOW + LIFETIME));
    }

    #[test]
    fn each_claim_is_checked() {
        let (_dir, vault) = vault();
        let with = |name: &str, value: Value| {
            let mut claims = good();
            claims[name] = value;
            vault.verify_token(&forge(&vault, HEADER, &claims.to_string()), at(NOW)).err()
        };
        assert_eq!(with("iss", json!(HUB)), None, "the forge itself makes a good token");
        assert_eq!(with("iss", json!(Uuid::from_u128(9))), Some(TokenFault::Issuer));
        assert_eq!(with("aud", json!(HUB)), Some(TokenFault::Audience));
        assert_eq!(with("aud", json!([format!("{HUB}/api")])), Some(TokenFault::Claims));
        assert_eq!(with("exp", json!("9999999999")), Some(TokenFault::Claims));
        assert_eq!(with("nbf", json!("0")), Some(TokenFault::Claims));
        assert_eq!(with("exp", json!(1.8e9)), Some(TokenFault::Claims));
        assert_eq!(with("exp", json!(NOW + 601)), Some(TokenFault::TooLongLived));
        assert_eq!(with("exp", json!(i64::MAX)), Some(TokenFault::TooLongLived));
        assert_eq!(with("iat", json!(NOW + 60)), Some(TokenFault::TooEarly));
        assert_eq!(with("sub", json!("agency")), Some(TokenFault::Claims));
        assert_eq!(with("scope", json!("all")), Some(TokenFault::Claims));
        for name in ["iss", "aud", "sub", "jti", "iat", "nbf", "exp"] {
            let mut claims = good();
            claims.as_object_mut().unwrap().remove(name);
            let token = forge(&vault, HEADER, &claims.to_string());
            assert_eq!(vault.verify_token(&token, at(NOW)), Err(TokenFault::Claims), "{name}");
        }
    }

    #[test]
    fn a_repeated_claim_is_refused() {
        let (_dir, vault) = vault();
        let twice = good().to_string().replacen('{', &format!(r#"{{"exp":{},"#, NOW + 1), 1);
        let token = forge(&vault, HEADER, &twice);
        assert_eq!(vault.verify_token(&token, at(NOW)), Err(TokenFault::Jws(JwsFault::Payload)));
    }

    #[test]
    fn each_header_trick_is_refused() {
        let (_dir, vault) = vault();
        let cases = [
            (r#"{"alg":"none","kid":"KID","typ":"at+jwt"}"#, JwsFault::Algorithm),
            (r#"{"alg":"HS256","kid":"KID","typ":"at+jwt"}"#, JwsFault::Algorithm),
            (r#"{"alg":"Ed25519","kid":"KID","typ":"at+jwt"}"#, JwsFault::Algorithm),
            (r#"{"alg":"EdDSA","kid":"KID","typ":"JWT"}"#, JwsFault::Type),
            (r#"{"alg":"EdDSA","kid":"KID","typ":"AT+JWT"}"#, JwsFault::Type),
            (r#"{"alg":"EdDSA","kid":"KID"}"#, JwsFault::Header),
            (r#"{"alg":"EdDSA","kid":"KID","typ":"at+jwt","crit":[]}"#, JwsFault::Header),
            (r#"{"alg":"EdDSA","kid":"KID","typ":"at+jwt","jku":"https://x"}"#, JwsFault::Header),
            (r#"{"alg":"EdDSA","kid":"KID","typ":"at+jwt","x5u":"https://x"}"#, JwsFault::Header),
            (r#"{"alg":"EdDSA","kid":"KID","typ":"at+jwt","jwk":{}}"#, JwsFault::Header),
            (r#"{"alg":"none","alg":"EdDSA","kid":"KID","typ":"at+jwt"}"#, JwsFault::Header),
            (r#"["EdDSA","KID","at+jwt"]"#, JwsFault::Header),
            (r#"{"alg":"EdDSA","kid":"../root.key","typ":"at+jwt"}"#, JwsFault::UnknownKey),
            (r#"{"alg":"EdDSA","kid":"","typ":"at+jwt"}"#, JwsFault::UnknownKey),
            (r#"{"alg":"EdDSA","kid":"other","typ":"at+jwt"}"#, JwsFault::UnknownKey),
        ];
        for (header, fault) in cases {
            let token = forge(&vault, header, &good().to_string());
            assert_eq!(vault.verify_token(&token, at(NOW)), Err(TokenFault::Jws(fault)), "{header}");
        }
    }

    #[test]
    fn the_receipt_key_signs_no_tokens() {
        let (_dir, vault) = vault();
        let keys = vault.signing();
        let key = keys.current(KeyPurpose::Receipt);
        let token = sign(key, Typ::AccessToken, &good());
        assert_eq!(vault.verify_token(&token, at(NOW)), Err(TokenFault::Jws(JwsFault::UnknownKey)));
    }

    #[test]
    fn no_second_text_of_a_token_is_believed() {
        let (_dir, vault) = vault();
        let token = issue(&vault);
        for bad in [format!("{token}="), format!("{token}."), format!(" {token}"), token.replace('.', "..")] {
            assert!(vault.verify_token(&bad, at(NOW)).is_err());
        }
        // The last letter of a 64-byte signature carries four unused bits.
        let mut other = token.clone().into_bytes();
        let last = other.len() - 1;
        for letter in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
            other[last] = *letter;
            let text = std::str::from_utf8(&other).unwrap();
            assert_eq!(vault.verify_token(text, at(NOW)).is_ok(), text == token);
        }
        assert_eq!(vault.verify_token(&"a".repeat(4097), at(NOW)), Err(TokenFault::TooLong));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let (_dir, vault) = vault();
        let token = issue(&vault);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let bytes = from_base64url(signature).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let token = format!("{signed}.{}", base64url(bytes));
            assert!(vault.verify_token(&token, at(NOW)).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn an_independent_library_believes_it() {
        let (_dir, vault) = vault();
        let keys = vault.signing();
        let kid = keys.current(KeyPurpose::Token).kid.clone();
        let jwks = vault.jwks();
        let keys = jwks["keys"].as_array().unwrap();
        let ours = keys.iter().find(|key| key["kid"] == kid.as_str()).unwrap();
        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(ours.clone()).unwrap();
        let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
        rules.set_issuer(&[HUB]);
        rules.set_audience(&[format!("{HUB}/api")]);
        rules.validate_exp = false;
        let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
        let data = jsonwebtoken::decode::<Value>(issue(&vault), &key, &rules).unwrap();
        assert_eq!(data.claims, good());
    }
}
