//! Key-encryption keys, one per agency and month, and the data keys wrapped under them.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{PoisonError, RwLock},
};

use jiff::{Timestamp, tz::Offset};
use zeroize::Zeroizing;

use super::{
    KeyMaking, Secret, Vault, VaultError, folder, new_secret,
    seal::{self, DataKey},
};
use crate::domain::ids::{AgencyId, DataKeyId};

/// A data key wrapped for one agency: all the ledger ever holds of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapped {
    /// The month of the key-encryption key, `YYYYMM` in Japan's time.
    pub kek_id: String,
    pub bytes: Vec<u8>,
}

/// A calendar month as the number `YYYYMM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Month(u32);

impl Month {
    fn of(at: Timestamp) -> Self {
        let date = Offset::constant(9).to_datetime(at).date();
        Self(u32::from(date.year().unsigned_abs()) * 100 + u32::from(date.month().unsigned_abs()))
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| digits).map(Self)
    }

    fn text(self) -> String {
        format!("{:06}", self.0)
    }
}

/// The month whose keys wrap at that time, as the ledger writes it.
pub fn kek_month(at: Timestamp) -> String {
    Month::of(at).text()
}

/// The key-encryption keys met so far. The lock guards only the map: no file is read under it.
#[derive(Default)]
pub(super) struct Keks(RwLock<HashMap<(AgencyId, Month), Secret>>);

impl Keks {
    fn get(&self, agency: AgencyId, month: Month) -> Option<Secret> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&(agency, month)).cloned()
    }

    fn put(&self, agency: AgencyId, month: Month, key: &Secret) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert((agency, month), key.clone());
    }

    fn forget(&self, agency: AgencyId, month: Month) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&(agency, month));
    }
}

impl Vault {
    /// Wraps a data key for an agency under the agency's key of the month of `at`.
    pub fn wrap(&self, key: &DataKey, agency: AgencyId, at: Timestamp) -> Result<Wrapped, VaultError> {
        let (month, kek) = self.kek_for(agency, Month::of(at))?;
        let aad = self.wrap_aad(key.id(), agency, month);
        Ok(Wrapped { kek_id: month.text(), bytes: seal::seal_bytes(&kek, &aad, &[key.secret()])? })
    }

    /// Opens a wrapped data key. Fails if it was wrapped for another agency, month, hub or data key.
    pub fn unwrap(
        &self,
        id: DataKeyId,
        agency: AgencyId,
        kek_id: &str,
        bytes: &[u8],
    ) -> Result<DataKey, VaultError> {
        let opening = VaultError::Opening { what: "a wrapped data key" };
        if self.is_shredded(id) {
            return Err(VaultError::Shredded { id });
        }
        let Some(month) = Month::parse(kek_id) else { return Err(opening) };
        let kek = self.read_kek(agency, month)?.ok_or(VaultError::NoKek { agency, month: month.text() })?;
        let plain = Zeroizing::new(
            seal::open_bytes(&kek, &self.wrap_aad(id, agency, month), bytes).map_err(|_| opening)?,
        );
        let mut secret = Zeroizing::new([0; 32]);
        if plain.len() != secret.len() {
            return Err(VaultError::Opening { what: "a wrapped data key" });
        }
        secret.copy_from_slice(&plain);
        Ok(DataKey::new(self.hub_id, id, secret))
    }

    /// Wraps a data key anew under the agency's key of the month of `at`; `None` where it is under that key, or a
    /// later one, already. A key that was shredded is not wrapped again.
    pub fn rewrap(
        &self,
        id: DataKeyId,
        agency: AgencyId,
        kek_id: &str,
        bytes: &[u8],
        at: Timestamp,
    ) -> Result<Option<Wrapped>, VaultError> {
        if self.ensure_kek(agency, at)?.as_str() <= kek_id {
            return Ok(None);
        }
        let key = self.unwrap(id, agency, kek_id, bytes)?;
        self.wrap(&key, agency, at).map(Some)
    }

    /// Makes sure that a data key can be wrapped for this agency at that time; returns the month of the
    /// key that will be used. Where the making of keys is allowed, this month's key is made.
    pub fn ensure_kek(&self, agency: AgencyId, at: Timestamp) -> Result<String, VaultError> {
        self.kek_for(agency, Month::of(at)).map(|(month, _)| month.text())
    }

    /// The months for which this agency has a key-encryption key, oldest first.
    pub fn kek_months(&self, agency: AgencyId) -> Result<Vec<String>, VaultError> {
        Ok(self.months(agency)?.into_iter().map(Month::text).collect())
    }

    /// Every agency that has key-encryption keys here, with the months of them, oldest first.
    pub fn all_keks(&self) -> Result<Vec<(AgencyId, Vec<String>)>, VaultError> {
        let names = folder::names(&self.folder.join("kek"))?;
        let agencies = names.iter().filter_map(|name| name.parse().ok());
        agencies.map(|agency| Ok((agency, self.kek_months(agency)?))).collect()
    }

    /// Whether this process has a key-encryption key, in its folder or in its memory.
    pub fn holds_kek(&self, agency: AgencyId, kek_id: &str) -> bool {
        let month = Month::parse(kek_id);
        month.is_some_and(|month| {
            self.keks.get(agency, month).is_some() || self.kek_path(agency, month).exists()
        })
    }

    /// The oldest month under whose keys this process would wrap at that time. Where it makes keys itself, that is
    /// the month itself; a node that was not given new keys serves on with older ones, and those must stay.
    pub fn wraps_under(&self, at: Timestamp) -> Result<String, VaultError> {
        let now = Month::of(at).text();
        if self.making == KeyMaking::Allowed {
            return Ok(now);
        }
        let newest = |months: Vec<String>| months.into_iter().rfind(|month| *month <= now);
        let oldest = self.all_keks()?.into_iter().filter_map(|(_, months)| newest(months)).min();
        Ok(oldest.unwrap_or(now))
    }

    /// Destroys a key-encryption key: what is still wrapped under it can never be opened again, also not
    /// from any backup of the ledger. Other processes drop it from memory when the
    /// ledger tells them that it is retired. `false` if there was none.
    pub fn destroy_kek(&self, agency: AgencyId, kek_id: &str) -> Result<bool, VaultError> {
        let Some(month) = Month::parse(kek_id) else { return Ok(false) };
        let removed = folder::remove(&self.kek_path(agency, month))?;
        self.keks.forget(agency, month);
        Ok(removed)
    }

    fn kek_for(&self, agency: AgencyId, month: Month) -> Result<(Month, Secret), VaultError> {
        if let Some(key) = self.read_kek(agency, month)? {
            return Ok((month, key));
        }
        if self.making == KeyMaking::Allowed {
            return Ok((month, self.make_kek(agency, month)?));
        }
        // A forgotten monthly key must not stop referrals: the newest earlier one serves on.
        let earlier = self.months(agency)?.into_iter().rfind(|m| *m < month);
        let missing = || VaultError::NoKek { agency, month: month.text() };
        let month = earlier.ok_or_else(missing)?;
        Ok((month, self.read_kek(agency, month)?.ok_or_else(missing)?))
    }

    fn read_kek(&self, agency: AgencyId, month: Month) -> Result<Option<Secret>, VaultError> {
        if let Some(key) = self.keks.get(agency, month) {
            return Ok(Some(key));
        }
        let path = self.kek_path(agency, month);
        let bytes = match folder::read_private(&path) {
            Ok(bytes) => bytes,
            Err(VaultError::Missing { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let name = kek_name(agency, month);
        let plain = seal::open_file(&self.root, self.hub_id, &name, &bytes).ok();
        let mut key: Secret = Zeroizing::new([0; 32]);
        match plain {
            Some(plain) if plain.len() == key.len() => key.copy_from_slice(&plain),
            _ => return Err(VaultError::Damaged { path }),
        }
        self.keks.put(agency, month, &key);
        Ok(Some(key))
    }

    fn make_kek(&self, agency: AgencyId, month: Month) -> Result<Secret, VaultError> {
        let path = self.kek_path(agency, month);
        folder::make_private(&self.folder.join("kek"))?;
        folder::make_private(&self.folder.join("kek").join(agency.to_string()))?;
        let bytes = seal::seal_file(&self.root, self.hub_id, &kek_name(agency, month), &*new_secret()?)?;
        folder::write_new(&path, &bytes)?;
        // Read back, because another process may have been first: then its key is the one.
        self.read_kek(agency, month)?.ok_or(VaultError::Missing { path })
    }

    fn months(&self, agency: AgencyId) -> Result<Vec<Month>, VaultError> {
        let dir = self.folder.join("kek").join(agency.to_string());
        let names = folder::names(&dir)?;
        Ok(names.iter().filter_map(|name| Month::parse(name.strip_suffix(".key")?)).collect())
    }

    fn kek_path(&self, agency: AgencyId, month: Month) -> PathBuf {
        self.folder.join(kek_name(agency, month))
    }

    fn wrap_aad(&self, id: DataKeyId, agency: AgencyId, month: Month) -> Vec<u8> {
        let mut aad = Vec::with_capacity(64);
        aad.extend_from_slice(b"hub/wrap/v1");
        aad.extend_from_slice(self.hub_id.as_bytes());
        aad.extend_from_slice(id.uuid().as_bytes());
        aad.extend_from_slice(agency.uuid().as_bytes());
        aad.extend_from_slice(&month.0.to_be_bytes());
        aad
    }
}

fn kek_name(agency: AgencyId, month: Month) -> String {
    format!("kek/{agency}/{}.key", month.text())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use uuid::Uuid;

    use super::*;

    const HUB: Uuid = Uuid::from_u128(0x1234);
    const A: AgencyId = AgencyId::new(Uuid::from_u128(1));
    const B: AgencyId = AgencyId::new(Uuid::from_u128(2));
    const KEY: DataKeyId = DataKeyId::new(Uuid::from_u128(3));

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn vault(dir: &Path) -> Vault {
        Vault::create(&dir.join("keys"), HUB, KeyMaking::Allowed).unwrap()
    }

    #[test]
    fn the_month_is_japans() {
        assert_eq!(Month::of(at("2026-11-30T15:00:00Z")), Month(202_612));
        assert_eq!(Month::of(at("2026-11-30T14:59:59Z")), Month(202_611));
        assert_eq!(Month::parse("2026-1"), None);
        assert_eq!(Month::parse("+20261"), None);
    }

    #[test]
    fn a_wrapped_key_opens_only_for_its_agency_month_and_id() {
        let dir = tempfile::tempdir().unwrap();
        let vault = vault(dir.path());
        let now = at("2026-11-22T00:00:00Z");
        let key = vault.new_data_key(KEY).unwrap();
        let wrapped = vault.wrap(&key, A, now).unwrap();
        assert_eq!(wrapped.kek_id, "202611");
        assert!(!wrapped.bytes.windows(32).any(|w| w == key.secret()));
        vault.ensure_kek(B, now).unwrap();
        vault.ensure_kek(A, at("2026-12-22T00:00:00Z")).unwrap();

        let again = Vault::open(&dir.path().join("keys"), KeyMaking::Forbidden).unwrap();
        let opened = again.unwrap(KEY, A, "202611", &wrapped.bytes).unwrap();
        assert_eq!(opened.secret(), key.secret());
        assert!(again.unwrap(KEY, B, "202611", &wrapped.bytes).is_err());
        assert!(again.unwrap(KEY, A, "202612", &wrapped.bytes).is_err());
        assert!(again.unwrap(DataKeyId::new(Uuid::from_u128(4)), A, "202611", &wrapped.bytes).is_err());
        for place in 0..wrapped.bytes.len() {
            let mut bytes = wrapped.bytes.clone();
            bytes[place] ^= 1;
            assert!(again.unwrap(KEY, A, "202611", &bytes).is_err(), "byte {place}");
        }
    }

    #[test]
    fn without_leave_to_make_keys_the_newest_earlier_one_serves() {
        let dir = tempfile::tempdir().unwrap();
        let maker = vault(dir.path());
        maker.ensure_kek(A, at("2026-09-10T00:00:00Z")).unwrap();
        maker.ensure_kek(A, at("2026-10-10T00:00:00Z")).unwrap();
        maker.ensure_kek(A, at("2027-01-10T00:00:00Z")).unwrap();
        let node = Vault::open(&dir.path().join("keys"), KeyMaking::Forbidden).unwrap();
        assert_eq!(node.ensure_kek(A, at("2026-12-10T00:00:00Z")).unwrap(), "202610");
        assert!(matches!(node.ensure_kek(A, at("2026-08-10T00:00:00Z")), Err(VaultError::NoKek { .. })));
        assert!(matches!(node.ensure_kek(B, at("2026-12-10T00:00:00Z")), Err(VaultError::NoKek { .. })));
        assert_eq!(node.kek_months(A).unwrap(), ["202609", "202610", "202701"]);
    }

    #[test]
    fn two_makers_end_with_one_key() {
        let dir = tempfile::tempdir().unwrap();
        let first = vault(dir.path());
        let second = Vault::open(&dir.path().join("keys"), KeyMaking::Allowed).unwrap();
        let now = at("2026-11-22T00:00:00Z");
        let (a, b) = std::thread::scope(|s| {
            let a = s.spawn(|| first.kek_for(A, Month::of(now)).unwrap().1);
            let b = s.spawn(|| second.kek_for(A, Month::of(now)).unwrap().1);
            (a.join().unwrap(), b.join().unwrap())
        });
        assert_eq!(*a, *b);
        let names = folder::names(&dir.path().join("keys/kek").join(A.to_string())).unwrap();
        assert_eq!(names, ["202611.key"], "no draft may stay behind");
    }

    #[test]
    fn a_destroyed_key_opens_nothing_any_more() {
        let dir = tempfile::tempdir().unwrap();
        let vault = vault(dir.path());
        let key = vault.new_data_key(KEY).unwrap();
        let wrapped = vault.wrap(&key, A, at("2026-11-22T00:00:00Z")).unwrap();
        assert!(vault.destroy_kek(A, "202611").unwrap());
        assert!(!vault.destroy_kek(A, "202611").unwrap());
        assert!(matches!(vault.unwrap(KEY, A, "202611", &wrapped.bytes), Err(VaultError::NoKek { .. })));
    }
}
