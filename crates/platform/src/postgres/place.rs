//! The files of a private PostgreSQL. All but the data itself lie beside the data folder, in a folder of ours:
//! root never writes where the server's user could have put a link.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::account::Account;
use super::error::Error;

/// The port is only part of the socket's name; fixed, so that `PGPORT` around us does not count.
pub(super) const PORT: u16 = 5432;

/// The shortest limit of the systems we know for a socket's path: 103 bytes on macOS, 107 on Linux.
const SOCKET_PATH: usize = 103;

/// Where everything lies.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The data folder.
    pub(super) data: PathBuf,
    /// Where `initdb` works until it is whole.
    pub(super) unfinished: PathBuf,
    /// What the server says since its start.
    pub(super) log: PathBuf,
    /// The folder of the socket.
    pub(super) socket: PathBuf,
}

impl Place {
    /// Makes the folder above the data folder, and names the rest.
    pub(super) fn new(folder: &Path) -> Result<Self, Error> {
        let folder = std::path::absolute(folder).map_err(Error::io("find", folder))?;
        let (Some(parent), Some(name)) = (folder.parent(), folder.file_name()) else {
            return Err(Error::Broken { folder, why: "it is the root of the file system".to_owned() });
        };
        fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
        let parent = parent.canonicalize().map_err(Error::io("find", parent))?;
        let beside = |end: &str| {
            let mut name = OsString::from(name);
            name.push(end);
            parent.join(name)
        };
        let data = beside("");
        let socket = match beside(".socket") {
            fitting if fits(&fitting) => fitting,
            _ => short(&data),
        };
        Ok(Self { unfinished: beside(".new"), log: beside(".log"), socket, data })
    }

    /// Makes the folder of the socket, closed to all but the server's user, or checks that it is.
    pub(super) fn prepare_socket(&self, account: &Account) -> Result<(), Error> {
        let folder = &self.socket;
        match DirBuilder::new().mode(0o700).create(folder) {
            Ok(()) => account.give(folder)?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io("create", folder)(error)),
        }
        // It may lie in a folder where everybody may write: what somebody else put there is not to be trusted.
        let about = fs::symlink_metadata(folder).map_err(Error::io("look at", folder))?;
        if !about.is_dir() || about.mode() & 0o077 != 0 || (about.uid() != account.uid && about.uid() != 0) {
            return Err(Error::Socket { folder: folder.clone(), user: account.name.clone() });
        }
        account.give(folder)?;
        // Left by a killed server; its process number may meanwhile be another program's, which would bar the start.
        for name in [format!(".s.PGSQL.{PORT}"), format!(".s.PGSQL.{PORT}.lock")] {
            remove(&folder.join(name))?;
        }
        Ok(())
    }

    /// An empty log; the one of the last run stays beside it, so that both together are bounded.
    pub(super) fn fresh_log(&self) -> Result<File, Error> {
        let mut before = self.log.clone().into_os_string();
        before.push(".1");
        match fs::rename(&self.log, &before) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("rename", &self.log)(error));
            }
            _ => {}
        }
        let log = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&self.log);
        log.map_err(Error::io("create", &self.log))
    }

    /// The last lines of the log, in one line.
    pub(super) fn last_words(&self) -> String {
        const ENOUGH: u64 = 4096;
        let mut bytes = Vec::new();
        if let Ok(mut log) = File::open(&self.log) {
            let length = log.metadata().map_or(0, |about| about.len());
            let _ = log.seek(SeekFrom::Start(length.saturating_sub(ENOUGH)));
            let _ = log.take(ENOUGH).read_to_end(&mut bytes);
        }
        last_lines(&bytes)
    }
}

/// The last four lines that say something, in one line.
pub(super) fn last_lines(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(4)..).unwrap_or_default();
    if last.is_empty() { "nothing".to_owned() } else { last.join(" | ") }
}

/// Removes a file that may not be there.
pub(super) fn remove(file: &Path) -> Result<(), Error> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", file)(error)),
        _ => Ok(()),
    }
}

fn fits(folder: &Path) -> bool {
    // The path goes into a URL and a setting, too: both want text.
    folder.to_str().is_some() && folder.join(format!(".s.PGSQL.{PORT}")).as_os_str().len() <= SOCKET_PATH
}

/// A short folder that is always the same for the same data folder.
fn short(data: &Path) -> PathBuf {
    let digest = Sha256::digest(data.as_os_str().as_encoded_bytes());
    let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let folder = std::env::temp_dir().join(format!("postgres-{name}"));
    if fits(&folder) { folder } else { Path::new("/tmp").join(format!("postgres-{name}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_gets_a_short_socket() {
        assert!(!fits(Path::new(&format!("/{}", "x".repeat(90)))));
        let folder = short(Path::new("/some/where"));
        assert!(fits(&folder));
        assert_eq!(folder, short(Path::new("/some/where")));
        assert_ne!(folder, short(Path::new("/some/where/else")));
    }

    #[test]
    fn last_words_are_one_line() {
        assert_eq!(last_lines(b"a\n\nb\nc\nd\ne\n"), "b | c | d | e");
        assert_eq!(last_lines(b""), "nothing");
    }
}
