//! What must be right before anything runs: a private data folder, no second hub on it, the keys, and a ledger
//! that belongs to them.
//!
//! Each step can be repeated: a process killed between two of them, or within one, starts again.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use crate::{
    clock::Clock,
    config::{Config, ConfigError},
    delivery::email,
    ledger::{Fence, Ledger, LedgerError, Mode},
    transport::amqp,
    vault::{KeyMaking, Vault, VaultError},
};

/// Why a hub did not start. Nothing is running, and nothing has to be cleared away before the next try.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot {doing} {path}: {source}; check the owner, the rights and the disk of the data folder")]
    DataFolder { doing: &'static str, path: PathBuf, source: io::Error },
    #[error(
        "the data folder {path} is open to other users (mode {mode:o}); close it with: chmod go= {path}",
        path = path.display()
    )]
    Exposed { path: PathBuf, mode: u32 },
    #[error(
        "another hub is running on the data folder {path}; stop it first, or give this one its own folder with --data"
    )]
    Running { path: PathBuf },
    #[error(
        "there are no keys in {folder}; make them once for the whole cluster with `tsunagu keys init`, \
         then copy the folder to every node"
    )]
    NoKeys { folder: PathBuf },
    #[error(
        "the ledger {ledger} is there, but its keys are not in {folder}; restore the key folder from its backup \
         (new keys would open nothing of what is stored)"
    )]
    KeysLost { folder: PathBuf, ledger: PathBuf },
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("the ledger cannot be used: {0}")]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("mail: {0}")]
    Mail(#[from] email::BadSettings),
    #[error("amqp.url: {0}")]
    Broker(#[from] amqp::BadSettings),
    #[error(
        "cannot listen on {address}: {source}; stop what listens there, or choose another address in server.listen"
    )]
    Listen { address: std::net::SocketAddr, source: io::Error },
}

impl StartError {
    /// Whether the configuration has to be changed before another try can do better.
    pub const fn is_wrong_use(&self) -> bool {
        matches!(
            self,
            Self::NoKeys { .. }
                | Self::Config(_)
                | Self::Broker(_)
                | Self::Mail(_)
                | Self::Ledger(LedgerError::Refused(_))
        )
    }
}

/// A hub's foundation. As long as it is there, no second embedded hub opens the same data folder.
pub struct Opened {
    pub vault: Vault,
    pub lock: Option<File>,
}

/// Opens the data folder, the keys and the database, brings the database to this version's schema and claims it.
///
/// # Errors
/// [`StartError`], all but its `Listen`.
pub async fn open(config: &Config, clock: &Clock) -> Result<Opened, StartError> {
    let data = &config.hub.data;
    private_folder(data)?;
    let lock = match config.hub.mode {
        Mode::Embedded => Some(lock(data)?),
        // Nodes of a cluster share a database, not a folder.
        Mode::Clustered => None,
    };
    let vault = keys(config, clock)?;
    inspect(config, &vault).await?;
    Ledger::migrate(config.ledger.url.expose()).await?;
    claim(config, clock, &vault).await?;
    shred_again(config, clock, &vault).await?;
    // The database's own files are synced by their engine; that they are in the folder is ours to sync.
    sync(data)?;
    Ok(Opened { vault, lock })
}

/// The same for a command that does one thing and leaves: where a hub runs on the data folder, its keys and its
/// ledger are used beside it, as they are.
///
/// # Errors
/// As [`open`], and `Running` only if the hub that runs has not made its keys yet.
pub async fn open_beside(config: &Config, clock: &Clock) -> Result<Vault, StartError> {
    match open(config, clock).await {
        Ok(opened) if config.hub.mode == Mode::Embedded => Ok(opened.vault),
        // Nodes of a cluster make no keys of agencies; who runs this command is the operator, who does.
        Ok(_) => Ok(Vault::open(&config.vault.folder, KeyMaking::Allowed)?),
        Err(StartError::Running { .. }) if Vault::exists(&config.vault.folder) => {
            let vault = keys(config, clock)?;
            claim(config, clock, &vault).await?;
            Ok(vault)
        }
        Err(error) => Err(error),
    }
}

/// Looks at the fence before anything of the database is changed: another hub's is left as it is.
pub(super) async fn inspect(config: &Config, vault: &Vault) -> Result<(), LedgerError> {
    let hub_id = vault.hub_id().to_string();
    Ledger::inspect(config.ledger.url.expose(), &fence(config, vault, &hub_id)).await
}

async fn claim(config: &Config, clock: &Clock, vault: &Vault) -> Result<(), LedgerError> {
    let hub_id = vault.hub_id().to_string();
    Ledger::claim(config.ledger.url.expose(), &fence(config, vault, &hub_id), clock.now()).await
}

/// Destroys what a restored database brought back, before anybody can read it; and takes up what a restored key store
/// has forgotten.
async fn shred_again(config: &Config, clock: &Clock, vault: &Vault) -> Result<(), StartError> {
    let (again, known) =
        Ledger::shred_again(config.ledger.url.expose(), &vault.shred_list(), clock.now()).await?;
    if again > 0 {
        tracing::warn!(keys = again, "the ledger was restored from before an erasure; it was erased again");
    }
    let forgotten: Vec<_> = known.into_iter().filter(|id| !vault.is_shredded(*id)).collect();
    if !forgotten.is_empty() {
        tracing::warn!(
            keys = forgotten.len(),
            "the key store had forgotten erasures; they are on its list again"
        );
        vault.shred(&forgotten)?;
    }
    Ok(())
}

fn fence<'a>(config: &Config, vault: &'a Vault, hub_id: &'a str) -> Fence<'a> {
    Fence { hub_id, mode: config.hub.mode, root_fingerprint: vault.fingerprint() }
}

pub(super) fn private_folder(path: &Path) -> Result<(), StartError> {
    let missing: Vec<_> =
        path.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists()).collect();
    if !missing.is_empty() {
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(at("make", path))?;
        return missing.into_iter().filter_map(Path::parent).try_for_each(sync);
    }
    let mode = fs::metadata(path).map_err(at("look at", path))?.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    // An empty folder was made for this hub; one with something in it may have other readers.
    if fs::read_dir(path).map_err(at("read", path))?.next().is_none() {
        return fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(at("close", path));
    }
    Err(StartError::Exposed { path: path.to_owned(), mode })
}

/// Takes the lock of an embedded hub. The file stays for ever: removing it would let two hubs lock two files.
fn lock(data: &Path) -> Result<File, StartError> {
    let path = data.join("hub.lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = file.map_err(at("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::Running { path: data.to_owned() }),
        Err(TryLockError::Error(source)) => Err(at("lock", &path)(source)),
    }
}

/// Whether an embedded hub runs on the data folder.
pub(super) fn is_running(data: &Path) -> Result<bool, StartError> {
    match lock(data) {
        Ok(_free) => Ok(false),
        Err(StartError::Running { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

/// An embedded hub makes its keys at its first start, and only then: before there is a ledger.
fn keys(config: &Config, clock: &Clock) -> Result<Vault, StartError> {
    let folder = &config.vault.folder;
    match (config.hub.mode, Vault::exists(folder)) {
        (Mode::Embedded, true) => Ok(Vault::open(folder, KeyMaking::Allowed)?),
        (Mode::Embedded, false) => {
            no_keys(config)?;
            Ok(Vault::create(folder, clock.new_random_id(), KeyMaking::Allowed)?)
        }
        (Mode::Clustered, true) => Ok(Vault::open(folder, KeyMaking::Forbidden)?),
        (Mode::Clustered, false) => Err(StartError::NoKeys { folder: folder.clone() }),
    }
}

/// Refuses an embedded hub that has a ledger and no keys: they are lost.
pub(super) fn no_keys(config: &Config) -> Result<(), StartError> {
    match sqlite_file(config.ledger.url.expose()).filter(|file| file.exists()) {
        Some(ledger) => {
            Err(StartError::KeysLost { folder: config.vault.folder.clone(), ledger: ledger.to_owned() })
        }
        None => Ok(()),
    }
}

/// The file of `sqlite:PATH?…` or `sqlite://PATH?…`.
fn sqlite_file(url: &str) -> Option<&Path> {
    let rest = url.strip_prefix("sqlite:")?;
    let path = rest.strip_prefix("//").unwrap_or(rest);
    path.split('?').next().map(Path::new)
}

/// Waits until a folder's entries are on disk.
fn sync(folder: &Path) -> Result<(), StartError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder).and_then(|open| open.sync_all()).map_err(at("sync", folder))
}

fn at<'a>(doing: &'static str, path: &'a Path) -> impl Fn(io::Error) -> StartError + 'a {
    move |source| StartError::DataFolder { doing, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode_of(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn embedded(folder: &Path) -> Config {
        Config::embedded(&folder.join("data")).unwrap()
    }

    #[tokio::test]
    async fn the_first_start_makes_a_private_folder_and_the_second_finds_the_same_keys() {
        let folder = tempfile::tempdir().unwrap();
        let config = embedded(folder.path());
        let first = open(&config, &Clock::System).await.unwrap();
        let (hub, root) = (first.vault.hub_id(), first.vault.fingerprint().to_owned());
        assert_eq!(mode_of(&config.hub.data), 0o700);
        assert_eq!(mode_of(&config.hub.data.join("hub.lock")), 0o600);
        drop(first);
        let second = open(&config, &Clock::System).await.unwrap();
        assert_eq!((second.vault.hub_id(), second.vault.fingerprint()), (hub, root.as_str()));
    }

    #[tokio::test]
    async fn a_folder_with_something_in_it_is_not_closed_behind_its_owners_back() {
        let folder = tempfile::tempdir().unwrap();
        let config = embedded(folder.path());
        let data = &config.hub.data;
        fs::create_dir(data).unwrap();
        set_mode(data, 0o755);
        drop(open(&config, &Clock::System).await.unwrap());
        assert_eq!(mode_of(data), 0o700, "an empty folder is the hub's own");
        set_mode(data, 0o750);
        let refused = open(&config, &Clock::System).await.err().unwrap().to_string();
        assert!(refused.contains("mode 750") && refused.contains("chmod go="), "{refused}");
    }

    #[tokio::test]
    async fn a_ledger_without_its_keys_gets_no_new_ones() {
        let folder = tempfile::tempdir().unwrap();
        let config = embedded(folder.path());
        drop(open(&config, &Clock::System).await.unwrap());
        fs::rename(&config.vault.folder, folder.path().join("elsewhere")).unwrap();
        let refused = open(&config, &Clock::System).await.err().unwrap();
        assert!(matches!(refused, StartError::KeysLost { .. }), "{refused}");
        assert!(!config.vault.folder.exists());
        fs::rename(folder.path().join("elsewhere"), &config.vault.folder).unwrap();
        open(&config, &Clock::System).await.unwrap();
    }

    #[tokio::test]
    async fn a_cluster_makes_no_keys_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = embedded(folder.path());
        config.hub.mode = Mode::Clustered;
        let refused = open(&config, &Clock::System).await.err().unwrap();
        assert!(refused.to_string().contains("tsunagu keys init"), "{refused}");
        assert!(refused.is_wrong_use() && !config.vault.folder.exists());
    }

    #[test]
    fn a_ledgers_file_is_found_in_its_url() {
        assert_eq!(sqlite_file("sqlite:a/ledger.db?mode=rwc"), Some(Path::new("a/ledger.db")));
        assert_eq!(sqlite_file("sqlite:///a/ledger.db"), Some(Path::new("/a/ledger.db")));
        assert_eq!(sqlite_file("postgres://host/name"), None);
    }
}
