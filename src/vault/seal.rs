//! Sealing: AES-256-GCM under keys that are each used for one thing.
//!
//! A sealed text is `version (1) ‖ nonce (12) ‖ ciphertext ‖ tag (16)`. A record's key is derived from
//! the referral's data key and the record's place, and the place is authenticated as well: a ciphertext
//! moved to another row, owner or hub does not open.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf, rand,
};
use uuid::Uuid;
use zeroize::{Zeroize, Zeroizing};

use super::{Root, Secret, Vault, VaultError, expand, extract, new_secret, sha256};
use crate::domain::{
    chain::{Hash, commit_preimage, push_part},
    ids::{AgencyId, DataKeyId, LegId},
};

const FORMAT: u8 = 1;
const NONCE: usize = 12;
const TAG: usize = 16;
/// The version of what the additional data say.
const SCHEMA: u16 = 1;
/// A sealed length tells only one of these classes; above them, whole multiples of 64 KiB.
const CLASSES: [usize; 5] = [256, 1 << 10, 4 << 10, 16 << 10, 64 << 10];
/// The true length, inside the padding.
const LENGTH: usize = 4;

/// The place of one sealed record. Two records never share a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot<'a> {
    pub table: &'static str,
    /// The agency whose data it is.
    pub owner: AgencyId,
    /// The row: a referral, a leg, a consent …
    pub object: Uuid,
    /// The part of the row: a section, a field.
    pub part: &'a str,
    pub seq: u64,
}

/// The key of one referral (or of one sealed compartment). Every record under it has a key of its own.
pub struct DataKey {
    hub_id: Uuid,
    id: DataKeyId,
    secret: Secret,
    prk: hkdf::Prk,
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Vault {
    /// A new random data key. The ledger must store it wrapped, or what it seals is lost.
    pub fn new_data_key(&self, id: DataKeyId) -> Result<DataKey, VaultError> {
        Ok(DataKey::new(self.hub_id, id, new_secret()?))
    }
}

impl DataKey {
    pub(super) fn new(hub_id: Uuid, id: DataKeyId, secret: Secret) -> Self {
        let prk = extract(&secret);
        Self { hub_id, id, secret, prk }
    }

    pub fn id(&self) -> DataKeyId {
        self.id
    }

    pub(super) fn secret(&self) -> &[u8] {
        &*self.secret
    }

    /// Seals a record for its place. Sealing a new content into the same place is safe: each sealing
    /// draws its own nonce.
    pub fn seal(&self, slot: &Slot<'_>, plaintext: &[u8]) -> Result<Vec<u8>, VaultError> {
        let too_long = |_| VaultError::Crypto("seal a record of 4 GiB or more");
        let length = u32::try_from(plaintext.len()).map_err(too_long)?.to_be_bytes();
        let used = LENGTH + plaintext.len();
        let padding = vec![0; size_class(used) - used];
        seal_bytes(&*self.record_key(slot)?, &self.aad(slot), &[&length, plaintext, &padding])
    }

    /// Opens a record. Fails if a bit was changed or if it was sealed for another place or key.
    pub fn open(&self, slot: &Slot<'_>, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let opening = || VaultError::Opening { what: "a sealed record" };
        let mut plain =
            open_bytes(&*self.record_key(slot)?, &self.aad(slot), sealed).map_err(|_| opening())?;
        let (length, _) = plain.split_first_chunk::<LENGTH>().ok_or_else(opening)?;
        let length = u32::from_be_bytes(*length) as usize;
        if size_class(LENGTH + length) != plain.len() {
            plain.zeroize();
            return Err(opening());
        }
        plain.copy_within(LENGTH..LENGTH + length, 0);
        plain.truncate(length);
        Ok(plain)
    }

    /// The salt of one field's digest in a leg's manifest. The same leg and path give the same salt.
    pub fn salt(&self, leg: LegId, path: &str) -> Result<[u8; 16], VaultError> {
        let mut info = Vec::with_capacity(40 + path.len());
        info.extend_from_slice(b"hub/salt/v1");
        push_part(&mut info, leg.uuid().as_bytes());
        push_part(&mut info, path.as_bytes());
        expand(&self.prk, &info).map(|salt| *salt)
    }

    /// The salt of a leg's commitment to its document.
    pub fn commit_salt(&self, leg: LegId) -> Result<[u8; 32], VaultError> {
        let mut info = Vec::with_capacity(40);
        info.extend_from_slice(b"hub/commit-salt/v1");
        push_part(&mut info, leg.uuid().as_bytes());
        expand(&self.prk, &info).map(|salt| *salt)
    }

    /// The salted commitment to a leg's document: noise once the data key is shredded.
    pub fn commitment(&self, leg: LegId, document: &[u8]) -> Result<Hash, VaultError> {
        let bytes = Zeroizing::new(commit_preimage(&self.commit_salt(leg)?, document));
        Ok(sha256(&bytes))
    }

    fn record_key(&self, slot: &Slot<'_>) -> Result<Secret, VaultError> {
        let mut info = Vec::with_capacity(96);
        info.extend_from_slice(b"hub/rec/v1");
        push_part(&mut info, slot.table.as_bytes());
        push_part(&mut info, slot.object.as_bytes());
        push_part(&mut info, slot.part.as_bytes());
        push_part(&mut info, &slot.seq.to_be_bytes());
        expand(&self.prk, &info)
    }

    fn aad(&self, slot: &Slot<'_>) -> Vec<u8> {
        let mut aad = Vec::with_capacity(112);
        push_part(&mut aad, self.hub_id.as_bytes());
        push_part(&mut aad, slot.owner.uuid().as_bytes());
        push_part(&mut aad, slot.object.as_bytes());
        push_part(&mut aad, slot.part.as_bytes());
        push_part(&mut aad, &slot.seq.to_be_bytes());
        push_part(&mut aad, &SCHEMA.to_be_bytes());
        push_part(&mut aad, self.id.uuid().as_bytes());
        aad
    }
}

fn size_class(used: usize) -> usize {
    let largest = CLASSES[CLASSES.len() - 1];
    CLASSES.into_iter().find(|class| used <= *class).unwrap_or_else(|| used.next_multiple_of(largest))
}

fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, VaultError> {
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| VaultError::Crypto("take up a key"))?;
    Ok(LessSafeKey::new(key))
}

/// Seals the parts, one after the other, into one new buffer.
pub(super) fn seal_bytes(key: &[u8; 32], aad: &[u8], parts: &[&[u8]]) -> Result<Vec<u8>, VaultError> {
    let mut nonce = [0; NONCE];
    rand::fill(&mut nonce).map_err(|_| VaultError::Crypto("draw random bytes"))?;
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut sealed = Vec::with_capacity(1 + NONCE + length + TAG);
    sealed.push(FORMAT);
    sealed.extend_from_slice(&nonce);
    for part in parts {
        sealed.extend_from_slice(part);
    }
    let tag = cipher(key)?
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(aad),
            &mut sealed[1 + NONCE..],
        )
        .map_err(|_| VaultError::Crypto("seal"))?;
    sealed.extend_from_slice(tag.as_ref());
    Ok(sealed)
}

/// Undoes [`seal_bytes`]; the caller says in its error what did not open.
pub(super) fn open_bytes(key: &[u8; 32], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
    let opening = || VaultError::Opening { what: "a sealed text" };
    let (version, rest) = sealed.split_first().ok_or_else(opening)?;
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE>().ok_or_else(opening)?;
    if *version != FORMAT || ciphertext.len() < TAG {
        return Err(opening());
    }
    let mut plain = ciphertext.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let length = cipher(key)?.open_in_place(nonce, Aad::from(aad), &mut plain).map_err(|_| opening())?.len();
    plain.truncate(length);
    Ok(plain)
}

/// Seals a key file under the root key, bound to the hub and to its name in the key folder.
pub(super) fn seal_file(root: &Root, hub_id: Uuid, name: &str, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
    seal_bytes(&*root.derive("hub/root/files/v1")?, &file_aad(hub_id, name), &[plain])
}

pub(super) fn open_file(
    root: &Root,
    hub_id: Uuid,
    name: &str,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    open_bytes(&*root.derive("hub/root/files/v1")?, &file_aad(hub_id, name), sealed).map(Zeroizing::new)
}

fn file_aad(hub_id: Uuid, name: &str) -> Vec<u8> {
    [hub_id.as_bytes(), name.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HUB: Uuid = Uuid::from_u128(0x1234);
    const LEG: LegId = LegId::new(Uuid::from_u128(8));

    fn key(id: u128, secret: u8) -> DataKey {
        DataKey::new(HUB, DataKeyId::new(Uuid::from_u128(id)), Zeroizing::new([secret; 32]))
    }

    fn slot() -> Slot<'static> {
        let owner = AgencyId::new(Uuid::from_u128(1));
        Slot { table: "section", owner, object: Uuid::from_u128(2), part: "identity", seq: 3 }
    }

    #[test]
    fn a_moved_ciphertext_does_not_open() {
        let sealed = key(1, 7).seal(&slot(), b"text").unwrap();
        assert_eq!(key(1, 7).open(&slot(), &sealed).unwrap(), b"text");
        let elsewhere = [
            Slot { table: "consent", ..slot() },
            Slot { owner: AgencyId::new(Uuid::from_u128(9)), ..slot() },
            Slot { object: Uuid::from_u128(9), ..slot() },
            Slot { part: "identit", ..slot() },
            Slot { seq: 4, ..slot() },
        ];
        for place in elsewhere {
            assert!(key(1, 7).open(&place, &sealed).is_err(), "{place:?}");
        }
        assert!(key(2, 7).open(&slot(), &sealed).is_err(), "another key id");
        assert!(key(1, 8).open(&slot(), &sealed).is_err(), "another secret");
        let hub = DataKey { hub_id: Uuid::from_u128(5), ..key(1, 7) };
        assert!(hub.open(&slot(), &sealed).is_err(), "another hub");
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let sealed = key(1, 7).seal(&slot(), b"text").unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut bytes = sealed.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(key(1, 7).open(&slot(), &bytes).is_err(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(key(1, 7).open(&slot(), &sealed[..length]).is_err(), "length {length}");
        }
    }

    #[test]
    fn a_length_tells_only_its_class() {
        let frame = 1 + NONCE + TAG;
        let cases = [
            (0, 256),
            (252, 256),
            (253, 1024),
            (4092, 4096),
            (65_532, 65_536),
            (65_533, 131_072),
            (200_000, 262_144),
        ];
        for (length, class) in cases {
            let sealed = key(1, 7).seal(&slot(), &vec![b'x'; length]).unwrap();
            assert_eq!(sealed.len() - frame, class, "{length}");
        }
    }

    #[test]
    fn salts_differ_by_leg_path_and_key_and_repeat_otherwise() {
        let salt = key(1, 7).salt(LEG, "/a").unwrap();
        assert_eq!(salt, key(1, 7).salt(LEG, "/a").unwrap());
        assert_ne!(salt, key(1, 7).salt(LEG, "/b").unwrap());
        assert_ne!(salt, key(1, 7).salt(LegId::new(Uuid::from_u128(9)), "/a").unwrap());
        assert_ne!(salt, key(1, 8).salt(LEG, "/a").unwrap());
        assert_ne!(
            key(1, 7).commitment(LEG, b"x").unwrap(),
            key(1, 8).commitment(LEG, b"x").unwrap(),
            "the same document must not be recognisable under another key"
        );
    }

    #[test]
    fn no_secret_in_debug() {
        assert!(!format!("{:?}", key(1, 7)).contains("7, 7"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_sealed_opens(
            plaintext in proptest::collection::vec(any::<u8>(), 0..5000),
            part in "[a-z_]{0,20}",
            seq in any::<u64>(),
        ) {
            let place = Slot { part: &part, seq, ..slot() };
            let sealed = key(1, 7).seal(&place, &plaintext).unwrap();
            prop_assert_eq!(key(1, 7).open(&place, &sealed).unwrap(), plaintext);
        }
    }
}
