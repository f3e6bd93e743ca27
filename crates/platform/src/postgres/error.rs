//! Every way a private PostgreSQL can fail, each in one line that says what to do.

use std::io;
use std::path::{Path, PathBuf};

/// Why the private PostgreSQL does not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There are no server binaries, or only old ones.
    #[error(
        "no PostgreSQL server (version {oldest} or newer) found{seen}: install it (Debian: apt-get install postgresql), or set DATABASE_URL to use a server of yours"
    )]
    NoBinaries {
        /// The oldest major version that would do.
        oldest: u32,
        /// What was found instead, to be added to the sentence; may be empty.
        seen: String,
    },
    /// The data was written by a major version that is not installed.
    #[error("{} was written by PostgreSQL {wanted}, but only {installed} is installed: install version {wanted} (Debian: apt-get install postgresql-{wanted}), or convert the folder with pg_upgrade", .folder.display())]
    OtherVersion {
        /// The data folder.
        folder: PathBuf,
        /// Its major version.
        wanted: u32,
        /// The major versions that are installed.
        installed: String,
    },
    /// Root needs another user to run the server, and there is none.
    #[error(
        "PostgreSQL does not run as root, and there is no user postgres or nobody to run it as: create one (useradd --system postgres)"
    )]
    NoAccount,
    /// The data was written by another user.
    #[error("{} belongs to the user {owner}: start as that user, or choose another data folder with RESERVAS_DATA_DIR", .folder.display())]
    Foreign {
        /// The data folder.
        folder: PathBuf,
        /// Whose it is.
        owner: String,
    },
    /// The server's user cannot reach its folder.
    #[error("{} is closed to the user {user}, as whom PostgreSQL runs because it refuses to run as root: choose another data folder with RESERVAS_DATA_DIR, or open it with chmod o+x {}", .closed.display(), .closed.display())]
    Closed {
        /// The folder that bars the way.
        closed: PathBuf,
        /// The user it bars.
        user: String,
    },
    /// `initdb` failed.
    #[error("initdb could not make the PostgreSQL data folder {}: {output}", .folder.display())]
    Initdb {
        /// The data folder.
        folder: PathBuf,
        /// The last lines it said.
        output: String,
    },
    /// The folder is no data folder, or a damaged one.
    #[error("{} is not a whole PostgreSQL data folder ({why}): restore it from a backup, or move it away to start with an empty one", .folder.display())]
    Broken {
        /// The data folder.
        folder: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The server ended, or does not answer.
    #[error("PostgreSQL does not start on {} ({why}); it said: {said} (more in {})", .folder.display(), .log.display())]
    NotReady {
        /// The data folder.
        folder: PathBuf,
        /// What was seen of it.
        why: String,
        /// The last lines of its log.
        said: String,
        /// The log.
        log: PathBuf,
    },
    /// A server of an earlier run cannot be stopped.
    #[error("a PostgreSQL of an earlier run still works in {} and does not stop: end it (kill -9 {pids})", .folder.display())]
    LeftOver {
        /// The data folder.
        folder: PathBuf,
        /// The processes, separated by spaces.
        pids: String,
    },
    /// The socket's folder exists and is not ours.
    #[error("{} should be a folder of {user}'s that is closed to others, for PostgreSQL's socket: remove it", .folder.display())]
    Socket {
        /// The socket's folder.
        folder: PathBuf,
        /// Who should own it.
        user: String,
    },
    /// A file or a process could not be handled.
    #[error("PostgreSQL: cannot {action} {}: {source}", .path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The running server refused something.
    #[error("PostgreSQL refused: {0}")]
    Database(#[from] sqlx::Error),
}

impl Error {
    /// For `map_err` of file operations.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
