//! The shred list: data keys that were destroyed. It lies in the key store, so that a ledger restored from an old
//! backup, which still holds their wraps, opens nothing of what they sealed.

use std::{
    collections::HashSet,
    path::Path,
    sync::{PoisonError, RwLock},
};

use super::{Vault, VaultError, folder};
use crate::domain::ids::DataKeyId;

const FOLDER: &str = "shred";

/// The list as this process knows it.
pub(super) struct Shredded(RwLock<HashSet<DataKeyId>>);

impl Shredded {
    pub fn read(folder: &Path) -> Result<Self, VaultError> {
        Ok(Self(RwLock::new(listed(folder)?)))
    }

    /// Takes up what another process, or the operator, put on the list. Nothing ever leaves it.
    pub fn refresh(&self, folder: &Path) -> Result<(), VaultError> {
        let found = listed(folder)?;
        self.0.write().unwrap_or_else(PoisonError::into_inner).extend(found);
        Ok(())
    }
}

fn listed(folder: &Path) -> Result<HashSet<DataKeyId>, VaultError> {
    let names = folder::names(&folder.join(FOLDER))?;
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}

impl Vault {
    /// Puts data keys on the shred list, durably: from now on no wrap of them is opened.
    pub fn shred(&self, ids: &[DataKeyId]) -> Result<(), VaultError> {
        let dir = self.folder.join(FOLDER);
        folder::make_private(&dir)?;
        for id in ids {
            folder::write_new(&dir.join(id.to_string()), b"")?;
        }
        self.shredded.0.write().unwrap_or_else(PoisonError::into_inner).extend(ids);
        Ok(())
    }

    pub fn is_shredded(&self, id: DataKeyId) -> bool {
        self.shredded.0.read().unwrap_or_else(PoisonError::into_inner).contains(&id)
    }

    /// The whole list.
    pub fn shred_list(&self) -> Vec<DataKeyId> {
        let mut all: Vec<_> =
            self.shredded.0.read().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        all.sort_unstable();
        all
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{domain::ids::AgencyId, vault::KeyMaking};

    #[test]
    fn a_shredded_key_opens_nothing_also_after_a_restart_and_is_not_wrapped_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("keys");
        let vault = Vault::create(&folder, Uuid::from_u128(1), KeyMaking::Allowed).unwrap();
        let running = Vault::open(&folder, KeyMaking::Allowed).unwrap();
        let (id, agency) = (DataKeyId::new(Uuid::from_u128(2)), AgencyId::new(Uuid::from_u128(3)));
        let (then, now) = ("2026-10-22T00:00:00Z".parse().unwrap(), "2026-11-22T00:00:00Z".parse().unwrap());
        let wrap = vault.wrap(&vault.new_data_key(id).unwrap(), agency, then).unwrap();
        let opens = |vault: &Vault| vault.unwrap(id, agency, &wrap.kek_id, &wrap.bytes).is_ok();
        assert!(opens(&vault) && opens(&running));
        assert!(vault.rewrap(id, agency, &wrap.kek_id, &wrap.bytes, then).unwrap().is_none());
        vault.shred(&[id]).unwrap();
        vault.shred(&[id]).unwrap();
        assert!(!opens(&vault));
        let again = vault.rewrap(id, agency, &wrap.kek_id, &wrap.bytes, now);
        assert!(matches!(again, Err(VaultError::Shredded { .. })));
        assert!(opens(&running), "it has not looked yet");
        running.refresh().unwrap();
        assert!(!opens(&running));
        let restarted = Vault::open(&folder, KeyMaking::Allowed).unwrap();
        assert!(!opens(&restarted));
        assert_eq!(restarted.shred_list(), [id]);
    }
}
