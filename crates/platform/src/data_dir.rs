//! The data folder of an installation: where it is, and that only one instance works in it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder cannot be made, or its lock file not be written.
    #[error("the data folder {} cannot be used ({source}): make it writable, or choose another with RESERVAS_DATA_DIR", .folder.display())]
    Unusable {
        /// The data folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another instance works in it.
    #[error("the data folder {} is in use by another instance ({owner}): stop that one, or choose another folder with RESERVAS_DATA_DIR", .folder.display())]
    InUse {
        /// The data folder.
        folder: PathBuf,
        /// `pid 123`, or that it is not known.
        owner: String,
    },
}

/// A data folder that belongs to this process until the value is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    // The lock is the kernel's and ends with the open file: a kill -9 leaves nothing behind.
    _lock: File,
}

impl DataDir {
    /// Creates the folder when it is missing and takes its lock, without waiting.
    ///
    /// # Errors
    /// When the folder cannot be created or written, or another instance holds it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let unusable = |source| Error::Unusable { folder: path.to_owned(), source };
        // Root's PostgreSQL runs as another user, who has to pass through the folder, not to list it.
        let mode = if is_root() { 0o711 } else { 0o700 };
        DirBuilder::new().recursive(true).mode(mode).create(path).map_err(unusable)?;
        let path = path.canonicalize().map_err(unusable)?;
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::InUse { owner: owner(&mut lock), folder: path });
            }
            Err(TryLockError::Error(source)) => return Err(Error::Unusable { folder: path, source }),
        }
        // Only for the message to a second instance: what counts is the lock.
        write_pid(&mut lock).map_err(unusable)?;
        Ok(Self { path, _lock: lock })
    }

    /// The folder, absolute and without symbolic links.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn write_pid(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", std::process::id())
}

fn owner(lock: &mut File) -> String {
    let mut text = String::new();
    let known = lock.read_to_string(&mut text).is_ok() && text.trim().parse::<u32>().is_ok();
    if known { format!("pid {}", text.trim()) } else { "its pid is not known".to_owned() }
}

/// Where data is kept when nobody says: `/var/lib/reservas` for root, else below `$XDG_DATA_HOME`, else below
/// `~/.local/share`. `None` when there is neither.
#[must_use]
pub fn default_data_dir(home: Option<&Path>, xdg_data_home: Option<&Path>, is_root: bool) -> Option<PathBuf> {
    if is_root {
        return Some(PathBuf::from("/var/lib/reservas"));
    }
    // The specification says to ignore a relative one.
    let xdg = xdg_data_home.filter(|path| path.is_absolute()).map(Path::to_owned);
    xdg.or_else(|| home.map(|home| home.join(".local/share"))).map(|base| base.join("reservas"))
}

/// Whether this process runs as root.
#[must_use]
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_follows_the_user() {
        let home = Some(Path::new("/home/ada"));
        let xdg = Some(Path::new("/data/ada"));
        assert_eq!(default_data_dir(home, xdg, true), Some("/var/lib/reservas".into()));
        assert_eq!(default_data_dir(home, xdg, false), Some("/data/ada/reservas".into()));
        assert_eq!(default_data_dir(home, None, false), Some("/home/ada/.local/share/reservas".into()));
        assert_eq!(
            default_data_dir(home, Some(Path::new("x")), false),
            Some("/home/ada/.local/share/reservas".into())
        );
        assert_eq!(default_data_dir(None, None, false), None);
    }

    #[test]
    fn a_second_instance_is_told_who_has_the_folder() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a/b");
        let first = DataDir::open(&folder).unwrap();
        let refusal = DataDir::open(&folder).unwrap_err().to_string();
        assert!(refusal.contains(&format!("pid {}", std::process::id())), "{refusal}");
        assert!(refusal.contains(folder.to_str().unwrap()), "{refusal}");
        drop(first);
        DataDir::open(&folder).unwrap();
    }

    #[test]
    fn a_file_in_the_way_is_said_in_one_line() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("file");
        std::fs::write(&folder, "x").unwrap();
        let refusal = DataDir::open(&folder).unwrap_err().to_string();
        assert!(refusal.contains("file") && !refusal.contains('\n'), "{refusal}");
    }
}
