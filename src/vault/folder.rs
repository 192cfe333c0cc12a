//! How key files are read and written: private, whole, and on disk before anything depends on them.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::VaultError;

pub(super) fn io<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> VaultError + 'a {
    move |source| match source.kind() {
        ErrorKind::NotFound => VaultError::Missing { path: path.to_owned() },
        _ => VaultError::Io { doing, path: path.to_owned(), source },
    }
}

/// Refuses a file or folder that its group or others may read, write or enter.
pub(super) fn check_private(path: &Path) -> Result<(), VaultError> {
    let mode = fs::metadata(path).map_err(io("look at", path))?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(VaultError::Exposed { path: path.to_owned(), mode });
    }
    Ok(())
}

/// Makes a folder of mode 0700, or checks that the existing one is private.
pub(super) fn make_private(path: &Path) -> Result<(), VaultError> {
    if !path.is_dir() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io("make", path))?;
        sync_parent(path)?;
    }
    check_private(path)
}

pub(super) fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    check_private(path)?;
    fs::read(path).map(Zeroizing::new).map_err(io("read", path))
}

/// Writes a file that must not exist yet; `false` if it does. Another process that writes the same name
/// at the same moment wins or loses as a whole: a key is never overwritten by a second one.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<bool, VaultError> {
    let draft = write_draft(path, bytes)?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft).map_err(io("remove", &draft))?;
    match linked {
        Ok(()) => sync_parent(path).map(|()| true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(io("write", path)(error)),
    }
}

/// Writes a file in place of the one there, whole or not at all.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    let draft = write_draft(path, bytes)?;
    fs::rename(&draft, path).map_err(io("write", path))?;
    sync_parent(path)
}

/// Removes a file, durably. `false` if it was not there.
pub(super) fn remove(path: &Path) -> Result<bool, VaultError> {
    match fs::remove_file(path) {
        Ok(()) => sync_parent(path).map(|()| true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(io("remove", path)(error)),
    }
}

/// The names in a folder, sorted; none if the folder is not there.
pub(super) fn names(path: &Path) -> Result<Vec<String>, VaultError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io("list", path)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        if let Ok(name) = entry.map_err(io("list", path))?.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

pub(super) fn sync_parent(path: &Path) -> Result<(), VaultError> {
    match path.parent() {
        Some(parent) => File::open(parent).and_then(|dir| dir.sync_all()).map_err(io("sync", parent)),
        None => Ok(()),
    }
}

/// Writes the bytes beside their final place and waits until they are on disk.
fn write_draft(path: &Path, bytes: &[u8]) -> Result<PathBuf, VaultError> {
    let mut suffix = [0; 8];
    aws_lc_rs::rand::fill(&mut suffix).map_err(|_| VaultError::Crypto("draw random bytes"))?;
    let draft = path.with_extension(format!("{:016x}.draft", u64::from_be_bytes(suffix)));
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(io("write", &draft))?;
    Ok(draft)
}
