//! Finding the server's binaries: distributions keep them out of `PATH`, several versions side by side.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::Error;

/// The oldest major version whose features are relied on.
const OLDEST: u32 = 14;

/// Folders that hold one folder per version: the parent, how the version's folder starts, and where its binaries are.
const PLACES: [(&str, &str, &str); 9] = [
    ("/usr/lib/postgresql", "", "bin"),         // Debian, Ubuntu, SUSE
    ("/usr/lib", "postgresql", "bin"),          // openSUSE, Gentoo
    ("/usr", "pgsql-", "bin"),                  // Red Hat, from PostgreSQL's own repository
    ("/usr/libexec", "postgresql", ""),         // Alpine
    ("/usr/local", "pgsql", "bin"),             // built from source
    ("/opt/homebrew/opt", "postgresql", "bin"), // Homebrew on Apple silicon
    ("/usr/local/opt", "postgresql", "bin"),    // Homebrew on Intel
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"), // Homebrew on Linux
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// One installed version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Installation {
    /// The folder of `postgres` and `initdb`.
    pub(super) bin: PathBuf,
    /// The major version.
    pub(super) major: u32,
}

/// The installation that wrote a folder, or the newest one for a folder that is still to be made.
pub(super) fn find(folder: &Path, wanted: Option<u32>) -> Result<Installation, Error> {
    choose(installed(), folder, wanted)
}

fn choose(found: BTreeMap<u32, PathBuf>, folder: &Path, wanted: Option<u32>) -> Result<Installation, Error> {
    let versions = found.keys().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let chosen = match wanted {
        Some(wanted) if !found.is_empty() => {
            let exact = found.into_iter().find(|(major, _)| *major == wanted);
            let folder = folder.to_owned();
            exact.ok_or(Error::OtherVersion { folder, wanted, installed: versions })?
        }
        _ => {
            let seen = if versions.is_empty() { String::new() } else { format!(" (only {versions})") };
            let newest = found.into_iter().next_back().filter(|(major, _)| *major >= OLDEST);
            newest.ok_or(Error::NoBinaries { oldest: OLDEST, seen })?
        }
    };
    Ok(Installation { major: chosen.0, bin: chosen.1 })
}

/// Every version, the first folder found of each.
fn installed() -> BTreeMap<u32, PathBuf> {
    let mut found = BTreeMap::new();
    let mut looked_at = Vec::new();
    for folder in candidates() {
        // `postgres` in a folder of PATH is often a link; its libraries and `initdb` are beside the real one.
        let Ok(server) = folder.join("postgres").canonicalize() else {
            continue;
        };
        let Some(bin) = server.parent().map(Path::to_owned) else {
            continue;
        };
        if looked_at.contains(&bin) || !bin.join("initdb").exists() {
            continue;
        }
        if let Some(major) = major_of(&server) {
            found.entry(major).or_insert_with(|| bin.clone());
        }
        looked_at.push(bin);
    }
    found
}

fn candidates() -> Vec<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "PATH is the system's, not a setting of ours")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(said_by("pg_config", "--bindir").map(PathBuf::from));
    for (parent, start, rest) in PLACES {
        let Ok(entries) = Path::new(parent).read_dir() else {
            continue;
        };
        let named = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(start));
        folders.extend(named.map(|entry| entry.path().join(rest)));
    }
    folders
}

fn major_of(server: &Path) -> Option<u32> {
    parse_version(&said_by(server, "--version")?)
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, `postgres (PostgreSQL) 19beta1`.
fn parse_version(text: &str) -> Option<u32> {
    let number = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn said_by(program: impl AsRef<std::ffi::OsStr>, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(versions: &[u32]) -> BTreeMap<u32, PathBuf> {
        versions.iter().map(|major| (*major, PathBuf::from(format!("/pg/{major}")))).collect()
    }

    #[test]
    fn versions_are_read_as_they_are_printed() {
        assert_eq!(parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(parse_version("postgres (PostgreSQL) 19beta1"), Some(19));
        assert_eq!(parse_version("postgres"), None);
    }

    #[test]
    fn the_newest_serves_a_new_folder_and_the_same_version_an_old_one() {
        let folder = Path::new("/data/postgres");
        assert_eq!(choose(found(&[13, 15, 17]), folder, None).unwrap().major, 17);
        assert_eq!(choose(found(&[13, 15, 17]), folder, Some(15)).unwrap().bin, Path::new("/pg/15"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let folder = Path::new("/data/postgres");
        let none = choose(found(&[]), folder, None).unwrap_err().to_string();
        assert!(none.contains("apt-get install postgresql") && none.contains("DATABASE_URL"), "{none}");
        let old = choose(found(&[11]), folder, None).unwrap_err().to_string();
        assert!(old.contains("(only 11)"), "{old}");
        let other = choose(found(&[15]), folder, Some(14)).unwrap_err().to_string();
        assert!(other.contains("/data/postgres") && other.contains("postgresql-14"), "{other}");
        assert!(matches!(choose(found(&[]), folder, Some(14)), Err(Error::NoBinaries { .. })));
    }
}
