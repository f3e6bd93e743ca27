//! Making the data folder, once: whole or not at all.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::time::Duration;

use super::account::Account;
use super::binaries::Installation;
use super::error::Error;
use super::place::{Place, last_lines};
use super::{Durability, OWNER, leftover};

/// How long `initdb` may take; a second or two is usual.
const PATIENCE: Duration = Duration::from_secs(300);

/// Character classes and upper and lower case of all scripts, where the system has such a locale.
const LOCALES: [&str; 3] = ["C.UTF-8", "en_US.UTF-8", "C"];

/// The major version that wrote the folder; `None` when it is still to be made.
pub(super) fn version(data: &Path) -> Result<Option<u32>, Error> {
    let broken = |why: String| Error::Broken { folder: data.to_owned(), why };
    let mut entries = match data.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(broken(error.to_string())),
    };
    if entries.next().is_none() {
        return Ok(None);
    }
    let file = data.join("PG_VERSION");
    let text = fs::read_to_string(file)
        .map_err(|error| broken(format!("its file PG_VERSION cannot be read: {error}")))?;
    let version =
        text.trim().parse().map_err(|_| broken("its file PG_VERSION holds no version".to_owned()))?;
    Ok(Some(version))
}

/// Runs `initdb` beside the data folder and moves the result there: an interrupted one leaves no half of a folder.
pub(super) async fn create(
    place: &Place,
    installation: &Installation,
    account: &Account,
    durability: Durability,
) -> Result<(), Error> {
    for locale in LOCALES {
        leftover::clear_unfinished(&place.unfinished).await?;
        match initdb(place, installation, account, durability, locale).await {
            Err(Error::Initdb { output, .. }) if output.contains("locale") && locale != "C" => {}
            result => {
                result?;
                break;
            }
        }
    }
    fs::rename(&place.unfinished, &place.data).map_err(Error::io("put in place", &place.data))?;
    if durability == Durability::Safe
        && let Some(parent) = place.data.parent()
    {
        File::open(parent).and_then(|parent| parent.sync_all()).map_err(Error::io("write out", parent))?;
    }
    Ok(())
}

async fn initdb(
    place: &Place,
    installation: &Installation,
    account: &Account,
    durability: Durability,
    locale: &str,
) -> Result<(), Error> {
    let folder = &place.unfinished;
    DirBuilder::new().mode(0o700).create(folder).map_err(Error::io("create", folder))?;
    account.give(folder)?;
    let program = installation.bin.join("initdb");
    // Started in the folder it fills, by which it is found should we be killed.
    let mut command = account.command(&program, folder);
    command.arg("-D").arg(folder).args(["--username", OWNER, "--encoding=UTF8", "--data-checksums"]);
    // Text is compared by its bytes, in the same order on every system; everybody who can reach the socket is trusted.
    command
        .args(["--locale=C", "--auth-local=trust", "--auth-host=reject"])
        .arg(format!("--lc-ctype={locale}"));
    if durability == Durability::Throwaway {
        command.arg("--no-sync");
    }
    let failed = |output: String| Error::Initdb { folder: place.data.clone(), output };
    let run = command.kill_on_drop(true).output();
    let output = tokio::time::timeout(PATIENCE, run).await;
    let output = output.map_err(|_| failed(format!("not done after {} s", PATIENCE.as_secs())))?;
    let output = output.map_err(Error::io("run", &program))?;
    if output.status.success() { Ok(()) } else { Err(failed(last_lines(&output.stderr))) }
}
