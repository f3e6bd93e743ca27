//! Who runs the server: ourselves, or an unprivileged user when we are root, because PostgreSQL refuses root.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, lchown};
use std::path::Path;
use std::process::Stdio;

use nix::unistd::{Uid, User};
use tokio::process::Command;

use super::error::Error;

/// The user that runs the server.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    gid: u32,
    /// We are root, and it is somebody else.
    other: bool,
}

impl Account {
    /// Ourselves; as root, the owner of an existing data folder, else `postgres`, else `nobody`.
    ///
    /// # Errors
    /// When the folder is somebody else's, or root has nobody to run the server as.
    pub(super) fn for_folder(data: &Path) -> Result<Self, Error> {
        let own = nix::unistd::geteuid();
        let folder = fs::metadata(data).ok();
        if !own.is_root() {
            if let Some(folder) = folder.filter(|folder| folder.uid() != own.as_raw()) {
                let owner = name_of(Uid::from_raw(folder.uid()));
                return Err(Error::Foreign { folder: data.to_owned(), owner });
            }
            let gid = nix::unistd::getegid().as_raw();
            return Ok(Self { name: name_of(own), uid: own.as_raw(), gid, other: false });
        }
        if let Some(folder) = folder.filter(|folder| folder.uid() != 0) {
            let name = name_of(Uid::from_raw(folder.uid()));
            return Ok(Self { name, uid: folder.uid(), gid: folder.gid(), other: true });
        }
        let user = ["postgres", "nobody"].into_iter().find_map(|name| User::from_name(name).ok().flatten());
        let user = user.ok_or(Error::NoAccount)?;
        Ok(Self { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw(), other: true })
    }

    /// A command that runs as this user, apart from our terminal and without our environment, which holds secrets.
    pub(super) fn command(&self, program: &Path, folder: &Path) -> Command {
        #[expect(clippy::disallowed_methods, reason = "PATH is the system's, not a setting of ours")]
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        // Its own process group: Ctrl-C in the terminal is for us, who then stop the server after its clients.
        command
            .env_clear()
            .env("PATH", path)
            .env("LC_ALL", OsStr::new("C"))
            .current_dir(folder)
            .process_group(0);
        command.stdin(Stdio::null());
        if self.other {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Gives a file or a whole folder to this user.
    pub(super) fn give(&self, path: &Path) -> Result<(), Error> {
        if !self.other {
            return Ok(());
        }
        // Never through a link: it could lead out of the folder.
        lchown(path, Some(self.uid), Some(self.gid)).map_err(Error::io("give away", path))?;
        if fs::symlink_metadata(path).is_ok_and(|file| file.is_dir()) {
            for entry in path.read_dir().map_err(Error::io("read", path))? {
                self.give(&entry.map_err(Error::io("read", path))?.path())?;
            }
        }
        Ok(())
    }

    /// Takes over a data folder that is root's, as a restored backup is: all of it.
    pub(super) fn adopt(&self, data: &Path) -> Result<(), Error> {
        let owner = fs::metadata(data).map_err(Error::io("look at", data))?.uid();
        if owner == self.uid { Ok(()) } else { self.give(data) }
    }

    /// Whether this user can pass through a folder and all above it.
    ///
    /// # Errors
    /// Names the first folder that bars the way.
    pub(super) fn can_reach(&self, folder: &Path) -> Result<(), Error> {
        if !self.other {
            return Ok(());
        }
        let mut way: Vec<&Path> = folder.ancestors().collect();
        way.reverse();
        for step in way {
            let about = fs::metadata(step).map_err(Error::io("look at", step))?;
            let bit = match () {
                () if about.uid() == self.uid => 0o100,
                () if about.gid() == self.gid => 0o010,
                () => 0o001,
            };
            if about.mode() & bit == 0 {
                return Err(Error::Closed { closed: step.to_owned(), user: self.name.clone() });
            }
        }
        Ok(())
    }
}

fn name_of(uid: Uid) -> String {
    User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}
