//! Signing in (ログイン): under which name, how many tries, and how long a session lives.
//!
//! The clock is an argument, as everywhere. What a password has to be, and how it is kept, is the vault's.

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp};
use unicode_normalization::UnicodeNormalization;

/// A session that is not used for so long is over.
pub const IDLE: SignedDuration = SignedDuration::from_mins(30);
/// A session is over after so long, used or not: a working day.
pub const ABSOLUTE: SignedDuration = SignedDuration::from_hours(10);
/// The use of a session is noted at most this often, so that looking does not fill the ledger with writes.
pub const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Tries that cost nothing but themselves.
const FREE_TRIES: i64 = 5;
/// The longest wait. A stranger who knows a login can keep its owner out for this long, and no longer.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(30);

/// The name a person signs in with. Capitals, full-width letters and blanks around it make no difference.
#[derive(Clone, PartialEq, Eq)]
pub struct Login(String);

/// A text that cannot be a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a login has 3 to 64 letters a to z, digits, or the signs . _ @ -")]
pub struct BadLogin;

impl Login {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Login {
    type Err = BadLogin;

    fn from_str(text: &str) -> Result<Self, BadLogin> {
        // What is far too long is not worth normalising.
        if text.len() > 1024 {
            return Err(BadLogin);
        }
        let plain: String = text.nfkc().collect::<String>().trim().to_lowercase();
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._@-".contains(c);
        let good = (3..=64).contains(&plain.len()) && plain.chars().all(allowed);
        if good { Ok(Self(plain)) } else { Err(BadLogin) }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(..)")
    }
}

/// How long nobody can sign in after so many wrong tries in a row: 1, 2, 4 … minutes from the fifth on.
pub fn wait_after(failures: i64) -> Option<SignedDuration> {
    let doublings = failures.checked_sub(FREE_TRIES).filter(|more| *more >= 0)?.min(30);
    Some(SignedDuration::from_mins(1 << doublings).min(LONGEST_WAIT))
}

/// Whether a session has ended by itself.
pub fn session_over(used: Timestamp, expires: Timestamp, now: Timestamp) -> bool {
    now >= expires || now.duration_since(used) >= IDLE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_one_however_it_is_typed() {
        for same in
            ["hanako.m@mado.example", " Hanako.M@mado.example ", "ＨＡＮＡＫＯ．Ｍ＠ｍａｄｏ．ｅｘａｍｐｌｅ"]
        {
            assert_eq!(same.parse::<Login>().unwrap().as_str(), "hanako.m@mado.example");
        }
        let long = "a".repeat(65);
        for bad in ["", "ab", "花子", "a b", "a\u{0}bc", "<script>", long.as_str()] {
            assert_eq!(bad.parse::<Login>(), Err(BadLogin), "{bad}");
        }
        assert_eq!(format!("{:?}", "hanako".parse::<Login>().unwrap()), "Login(..)");
    }

    #[test]
    fn waits_begin_at_the_fifth_failure_grow_and_stay_bounded() {
        let minutes = |failures| wait_after(failures).map(|wait| wait.as_mins());
        assert_eq!([0, 1, 4].map(minutes), [None; 3]);
        assert_eq!([5, 6, 7, 8, 9, 10].map(minutes), [1, 2, 4, 8, 16, 30].map(Some));
        assert_eq!([11, 64, 1000, i64::MAX].map(minutes), [Some(30); 4]);
    }

    #[test]
    fn a_session_ends_when_idle_or_old() {
        let began: Timestamp = "2026-11-22T10:00:00+09:00".parse().unwrap();
        let expires = began + ABSOLUTE;
        let over = |used_minutes: i64, now_minutes: i64| {
            let at = |minutes| began + SignedDuration::from_mins(minutes);
            session_over(at(used_minutes), expires, at(now_minutes))
        };
        assert!(!over(0, 29) && over(0, 30));
        assert!(!over(590, 599) && over(599, 600), "ten hours end it however it is used");
    }
}
