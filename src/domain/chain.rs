//! The bytes that get hashed: chain links, commitments, field digests. The vault hashes them.
//!
//! Personal data enter a hash only together with a secret salt, so that destroying the salt turns the
//! hash into noise while every chain still verifies.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::ids::{LegId, ReferralId};

/// A SHA-256 hash, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

/// A text that is not 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a hash: expected 64 lower-case hexadecimal digits")]
pub struct BadHash;

impl Hash {
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = String::with_capacity(64);
        for byte in self.0 {
            text.push(DIGITS[usize::from(byte >> 4)] as char);
            text.push(DIGITS[usize::from(byte & 15)] as char);
        }
        f.write_str(&text)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = BadHash;

    fn from_str(text: &str) -> Result<Self, BadHash> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(BadHash),
        };
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return Err(BadHash) };
        let pairs: &[[u8; 2]; 32] = pairs.try_into().map_err(|_| BadHash)?;
        let mut bytes = [0; 32];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Which chain a link belongs to. The labels differ, so that no link can pass for one of the other chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// The chain of one leg, which its sender and its recipient share.
    Leg(LegId),
    /// The internal chain of a referral, which its owner alone sees.
    Own(ReferralId),
}

/// One link of a chain.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    pub chain: Chain,
    /// The hash of the link before; none at the first.
    pub prev: Option<Hash>,
    /// The number of the event in its chain, from 1, without gaps.
    pub seq: u64,
    /// The code of the event's kind.
    pub kind: &'a str,
    /// The salted commitment to the content, where the event has one.
    pub commit: Option<Hash>,
    /// The hash of the ciphertext as stored, where the event has one.
    pub ciphertext: Option<Hash>,
    /// Microseconds UTC of a clock that never goes back within a chain.
    pub hlc: u64,
    /// The key that signs for this event.
    pub key_id: &'a str,
}

impl Link<'_> {
    /// The bytes whose SHA-256 is this link's hash: the label, then each part behind its length
    /// (32 bits, big-endian). A part that is absent has length 0.
    pub fn preimage(&self) -> Vec<u8> {
        let (label, id) = match self.chain {
            Chain::Leg(leg) => ("hub/link/v1", leg.uuid()),
            Chain::Own(referral) => ("hub/own/v1", referral.uuid()),
        };
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(label.as_bytes());
        push_part(&mut bytes, id.as_bytes());
        push_part(&mut bytes, hash_part(self.prev.as_ref()));
        push_part(&mut bytes, &self.seq.to_be_bytes());
        push_part(&mut bytes, self.kind.as_bytes());
        push_part(&mut bytes, hash_part(self.commit.as_ref()));
        push_part(&mut bytes, hash_part(self.ciphertext.as_ref()));
        push_part(&mut bytes, &self.hlc.to_be_bytes());
        push_part(&mut bytes, self.key_id.as_bytes());
        bytes
    }
}

fn hash_part(hash: Option<&Hash>) -> &[u8] {
    hash.map_or(&[], |h| &h.0)
}

/// Appends a part behind its length (32 bits, big-endian). No part of the house comes near 4 GiB; a
/// longer one would saturate the length and still not collide with a shorter one.
pub fn push_part(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(part);
}

/// The bytes whose SHA-256 commits to a content: label, salt (32 bytes), canonical plaintext.
pub fn commit_preimage(salt: &[u8; 32], plaintext: &[u8]) -> Vec<u8> {
    [b"hub/commit/v1", &salt[..], plaintext].concat()
}

/// The bytes whose SHA-256 is the digest of one field in a manifest: label, a zero byte, salt
/// (16 bytes), the RFC 6901 path behind its length, the value in JCS form (RFC 8785).
pub fn field_preimage(salt: &[u8; 16], path: &str, value: &[u8]) -> Vec<u8> {
    const LABEL: &[u8] = b"tsunagu/field/v1\0";
    let mut bytes = Vec::with_capacity(LABEL.len() + 16 + 4 + path.len() + value.len());
    bytes.extend_from_slice(LABEL);
    bytes.extend_from_slice(salt);
    push_part(&mut bytes, path.as_bytes());
    bytes.extend_from_slice(value);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn link<'a>(kind: &'a str, key_id: &'a str) -> Link<'a> {
        let chain = Chain::Leg(LegId::new(Uuid::from_u128(7)));
        Link { chain, prev: None, seq: 1, kind, commit: None, ciphertext: None, hlc: 5, key_id }
    }

    #[test]
    fn a_link_has_exactly_these_bytes() {
        let mut expected = b"hub/link/v1".to_vec();
        expected.extend([0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
        expected.extend([0, 0, 0, 0]);
        expected.extend([0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1]);
        expected.extend(b"\0\0\0\x09requested");
        expected.extend([0, 0, 0, 0, 0, 0, 0, 0]);
        expected.extend([0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 5]);
        expected.extend(b"\0\0\0\x02k1");
        assert_eq!(link("requested", "k1").preimage(), expected);
    }

    #[test]
    fn the_two_chains_never_share_a_link() {
        let leg = link("requested", "k1");
        let own = Link { chain: Chain::Own(ReferralId::new(Uuid::from_u128(7))), ..leg };
        assert_ne!(leg.preimage(), own.preimage());
    }

    #[test]
    fn a_hash_reads_only_its_one_text() {
        let text = "00ff".repeat(16);
        assert_eq!(text.parse::<Hash>().unwrap().to_string(), text);
        assert!(text.to_uppercase().parse::<Hash>().is_err());
        assert!(text[..62].parse::<Hash>().is_err());
        assert!(format!("{text}0").parse::<Hash>().is_err());
    }

    proptest! {
        #[test]
        fn moving_bytes_between_parts_changes_the_link(a in "[a-z]{0,6}", b in "[a-z]{0,6}", cut in 0usize..12) {
            let joined = format!("{a}{b}");
            let cut = cut.min(joined.len());
            let (c, d) = joined.split_at(cut);
            prop_assert_eq!(link(&a, &b).preimage() == link(c, d).preimage(), a == c);
        }

        #[test]
        fn a_path_never_runs_into_its_value(a in "[a-z]{0,6}", b in "[a-z]{0,6}", cut in 0usize..12) {
            let joined = format!("{a}{b}");
            let (c, d) = joined.split_at(cut.min(joined.len()));
            let same = field_preimage(&[0; 16], &a, b.as_bytes()) == field_preimage(&[0; 16], c, d.as_bytes());
            prop_assert_eq!(same, a == c);
        }
    }
}
