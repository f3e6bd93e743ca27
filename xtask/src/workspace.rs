//! The workspace as cargo sees it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand};

use crate::Outcome;

/// Everything cargo knows, for this machine's platform, with the versions of `Cargo.lock`. What has not been downloaded yet is.
pub fn metadata() -> Outcome<Metadata> {
    let version = Command::new("rustc").arg("-vV").output()?;
    let version = String::from_utf8(version.stdout)?;
    let host =
        version.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc -vV names no host")?;
    let options = ["--locked", "--filter-platform", host].map(str::to_owned);
    Ok(MetadataCommand::new().other_options(options).exec()?)
}

/// The folder of the workspace.
pub fn root() -> Outcome<PathBuf> {
    // Compiled in: the binary is this checkout's.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("xtask lies in no workspace")?;
    Ok(folder.to_owned())
}

/// Every Rust file below a folder, sorted.
pub fn rust_files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
