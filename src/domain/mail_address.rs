//! A mail address, read conservatively: what is taken here is taken by every mail system.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The address of one mailbox, in ASCII and without a name: `madoguchi@city.example.jp`.
///
/// Quoted local parts, comments, address literals and domains without a dot (all allowed by RFC 5321) are
/// refused: no desk has one, and each is a way of saying one thing to one program and another to the next.
/// `Debug` shows nothing and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct MailAddress(String);

/// A text that is no mail address, or one of a kind that is not taken. The text itself is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a mail address such as name@example.jp, in half-width characters")]
pub struct BadMailAddress;

/// RFC 5321 §4.5.3.1: local part, domain, and the path without its angle brackets.
const LONGEST_LOCAL: usize = 64;
const LONGEST: usize = 254;
const LONGEST_LABEL: usize = 63;

impl MailAddress {
    /// The address as it was given. Personal data where the mailbox is a person's.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MailAddress {
    type Err = BadMailAddress;

    fn from_str(text: &str) -> Result<Self, BadMailAddress> {
        let (local, domain) = text.split_once('@').ok_or(BadMailAddress)?;
        let good =
            text.len() <= LONGEST && local.len() <= LONGEST_LOCAL && is_local(local) && is_domain(domain);
        if good { Ok(Self(text.to_owned())) } else { Err(BadMailAddress) }
    }
}

/// Atoms joined by single dots (RFC 5322 §3.2.3).
fn is_local(text: &str) -> bool {
    let atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    text.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(atext))
}

/// Two or more labels of letters, digits and inner hyphens; the last is not a number, or it were an address.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LONGEST_LABEL).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let numeric = |label: &str| label.bytes().all(|b| b.is_ascii_digit());
    let last = text.rsplit_once('.').map(|(_, last)| last);
    text.split('.').all(is_label) && last.is_some_and(|last| !numeric(last))
}

impl fmt::Debug for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailAddress(…)")
    }
}

impl Serialize for MailAddress {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for MailAddress {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_desks_are_taken_as_they_are() {
        for address in
            ["madoguchi@city.example.jp", "a.b+c_d@x-y.example", "0@example.co.jp", "o'neil@example.jp"]
        {
            assert_eq!(address.parse::<MailAddress>().unwrap().as_str(), address);
        }
    }

    #[test]
    fn what_mail_systems_understand_differently_is_refused() {
        let long = format!("{}@example.jp", "a".repeat(65));
        let longer = format!("a@{}.jp", vec!["a".repeat(63); 4].join("."));
        for bad in [
            "",
            "madoguchi",
            "@example.jp",
            "a@",
            "a@b@example.jp",
            "a@example",
            "a@example.",
            "a@.jp",
            "a@-x.jp",
            "a@x-.jp",
            "a@192.0.2.1",
            "a@[192.0.2.1]",
            "a@日本.jp",
            "窓口@example.jp",
            "ａ@example.jp",
            ".a@example.jp",
            "a.@example.jp",
            "a..b@example.jp",
            "\"a b\"@example.jp",
            "A <a@example.jp>",
            "a@example.jp, b@example.jp",
            "a@example.jp\r\nBcc: b@example.jp",
            "a\0@example.jp",
            long.as_str(),
            longer.as_str(),
        ] {
            assert_eq!(bad.parse::<MailAddress>(), Err(BadMailAddress), "{bad:?}");
        }
    }

    #[test]
    fn an_address_does_not_print() {
        let address: MailAddress = "madoguchi@example.jp".parse().unwrap();
        assert!(!format!("{address:?}").contains("madoguchi"));
    }
}
