//! Files that hold a secret: made with the first start, for the owner's eyes only.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use platform::config::Secret;

/// What stands in a file; none when there is no such file.
///
/// # Errors
/// One line when it cannot be read.
pub fn read(path: &Path) -> Result<Option<Secret>, String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(Secret::from(text.trim().to_owned()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unusable(path, &error)),
    }
}

/// What stands in a file, which is made when it is missing.
///
/// # Errors
/// One line when it cannot be read or made.
pub fn read_or_make(path: &Path, make: impl FnOnce() -> Secret) -> Result<Secret, String> {
    if let Some(secret) = read(path)? {
        return Ok(secret);
    }
    let secret = make();
    write(path, &secret).map_err(|error| unusable(path, &error))?;
    Ok(secret)
}

/// Whole or not at all, and on the disk: what is sealed with a key must not outlive it in a crash.
fn write(path: &Path, secret: &Secret) -> std::io::Result<()> {
    let draft = path.with_extension("new");
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(secret.expose().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn unusable(path: &Path, error: &std::io::Error) -> String {
    format!("{} cannot be used: {error}", path.display())
}
