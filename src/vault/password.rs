//! Passwords of people: what one has to be, how it is kept, how it is tried. The only file that names argon2.
//!
//! A password is kept as argon2id over a secret of this vault, so that the ledger alone, or its backup, does not
//! even allow guessing. Each call here takes tens of milliseconds and 19 MiB: keep it off the async threads.

use std::fmt;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _},
};
use aws_lc_rs::rand;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::{Vault, VaultError, wire::base64url};
use crate::domain::chain::Hash;

/// Memory in KiB, passes, lanes: the first choice of the OWASP cheat sheet for argon2id.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);
/// Length is what makes a password hard to guess; rules about kinds of letters make it hard to remember.
const SHORTEST: usize = 12;
const LONGEST: usize = 256;

/// A password in memory, in one Unicode form whatever keyboard typed it (NFC). Wiped when dropped.
pub struct Password(Zeroizing<String>);

/// Why a text cannot become a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadPassword {
    TooShort { least: usize },
    TooLong { most: usize },
}

impl Password {
    /// What somebody typed to sign in. No rule applies: it is right or wrong.
    pub fn typed(text: &str) -> Self {
        Self(Zeroizing::new(text.nfc().collect()))
    }

    /// A password to be kept.
    ///
    /// # Errors
    /// [`BadPassword`]
    pub fn chosen(text: &str) -> Result<Self, BadPassword> {
        let password = Self::typed(text);
        match password.0.chars().count() {
            ..SHORTEST => Err(BadPassword::TooShort { least: SHORTEST }),
            SHORTEST..=LONGEST => Ok(password),
            _ => Err(BadPassword::TooLong { most: LONGEST }),
        }
    }

    /// A random password of 100 bits in four groups, without letters that look alike, to be handed over once.
    pub fn generate() -> Result<Self, VaultError> {
        const ALPHABET: &[u8; 32] = b"23456789abcdefghijkmnpqrstuvwxyz";
        let mut bytes = Zeroizing::new([0; 20]);
        rand::fill(&mut *bytes).map_err(|_| VaultError::Crypto("draw random bytes"))?;
        let mut text = Zeroizing::new(String::with_capacity(24));
        for (place, byte) in bytes.iter().enumerate() {
            if place > 0 && place % 5 == 0 {
                text.push('-');
            }
            text.push(char::from(ALPHABET[usize::from(byte % 32)]));
        }
        Ok(Self(text))
    }

    /// The text, to show it to its owner this once.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

impl Vault {
    /// What the ledger keeps of a password: a PHC string. Slow on purpose.
    pub fn hash_password(&self, password: &Password) -> Result<String, VaultError> {
        let failed = || VaultError::Crypto("hash a password");
        let mut salt = [0; 16];
        rand::fill(&mut salt).map_err(|_| failed())?;
        let hash = self.argon2()?.hash_password_with_salt(password.0.as_bytes(), &salt);
        Ok(hash.map_err(|_| failed())?.to_string())
    }

    /// Whether this is the password that was kept as `stored`; slow on purpose, and as slow where nothing is stored.
    pub fn password_matches(&self, password: &Password, stored: Option<&str>) -> bool {
        match (stored, self.argon2()) {
            (Some(stored), Ok(argon2)) => argon2.verify_password(password.0.as_bytes(), stored).is_ok(),
            _ => {
                let _as_long_as_a_comparison = self.hash_password(password);
                false
            }
        }
    }

    fn argon2(&self) -> Result<Argon2<'_>, VaultError> {
        let (memory, passes, lanes) = COST;
        Params::new(memory, passes, lanes, None)
            .and_then(|params| {
                Argon2::new_with_secret(&*self.pepper, Algorithm::Argon2id, Version::V0x13, params)
            })
            .map_err(|_| VaultError::Crypto("set up argon2"))
    }

    /// The value of a new session's cookie (256 random bits), and what the ledger keeps of it: its SHA-256.
    pub fn new_session(&self) -> Result<(Zeroizing<String>, Hash), VaultError> {
        let mut bytes = Zeroizing::new([0; 32]);
        rand::fill(&mut *bytes).map_err(|_| VaultError::Crypto("draw random bytes"))?;
        let text = Zeroizing::new(base64url(*bytes));
        let hash = super::sha256(text.as_bytes());
        Ok((text, hash))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::vault::KeyMaking;

    fn vault(name: &str) -> (tempfile::TempDir, Vault) {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::create(&folder.path().join(name), Uuid::nil(), KeyMaking::Allowed).unwrap();
        (folder, vault)
    }

    #[test]
    fn length_is_the_only_rule_and_counts_characters() {
        let short = Password::chosen("みじかいあいことば").unwrap_err();
        assert_eq!(short, BadPassword::TooShort { least: 12 });
        assert!(Password::chosen("とてもながいあいことばです").is_ok());
        assert!(Password::chosen("aaaaaaaaaaaa").is_ok(), "no rule about kinds of letters");
        assert_eq!(Password::chosen(&"a".repeat(257)).unwrap_err(), BadPassword::TooLong { most: 256 });
        // が as one code point and as か with a mark are the same key to whoever types it.
        assert!(Password::chosen("ががががががか\u{3099}").is_err(), "eight after normalisation");
    }

    #[test]
    fn a_password_matches_itself_however_it_was_typed_and_only_under_this_vaults_secret() {
        let ((_one, ours), (_other, theirs)) = (vault("ours"), vault("theirs"));
        let kept = ours.hash_password(&Password::chosen("がっこうのかえりみちでまつ").unwrap()).unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        let decomposed: String = "がっこうのかえりみちでまつ".nfd().collect();
        assert!(ours.password_matches(&Password::typed(&decomposed), Some(&kept)));
        assert!(!ours.password_matches(&Password::typed("がっこうのかえりみちでまて"), Some(&kept)));
        assert!(
            !theirs.password_matches(&Password::typed(&decomposed), Some(&kept)),
            "the ledger alone is not enough"
        );
        assert!(!ours.password_matches(&Password::typed(&decomposed), None));
        assert!(!ours.password_matches(&Password::typed(&decomposed), Some("")));
    }

    #[test]
    fn what_is_made_is_long_enough_new_each_time_and_not_in_debug() {
        let (one, other) = (Password::generate().unwrap(), Password::generate().unwrap());
        assert!(Password::chosen(one.reveal()).is_ok());
        assert_ne!(one.reveal(), other.reveal());
        assert_eq!(format!("{one:?}"), "Password(..)");
        let (_folder, vault) = vault("v");
        let (token, hash) = vault.new_session().unwrap();
        assert_eq!((token.len(), hash), (43, crate::vault::sha256(token.as_bytes())));
    }
}
