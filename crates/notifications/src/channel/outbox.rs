//! Mail as files in a folder, for installations without a mail server: `<folder>/<yyyy-mm-dd>/<delivery>.eml`.

use std::io;
use std::path::PathBuf;

use jiff::tz::TimeZone;
use tokio::fs;
use tokio::io::AsyncWriteExt as _;

use super::{Channel, Sending};
use crate::delivery::{Outcome, Way};
use crate::mail::Mail;

/// A folder of mails.
#[derive(Debug)]
pub struct Outbox {
    folder: PathBuf,
}

impl Outbox {
    /// The outbox in a folder, which is made when the first mail comes.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Writes the file whole or not at all; a second writing of the same delivery replaces the first.
    async fn write(&self, mail: &Mail) -> io::Result<PathBuf> {
        let folder = self.folder.join(mail.at.to_zoned(TimeZone::UTC).date().to_string());
        // Mails name people: others on this machine have no business with them.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).await?;
        let path = folder.join(format!("{}.eml", mail.delivery));
        let unfinished = path.with_extension("tmp");
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&unfinished).await?;
        file.write_all(&mail.bytes).await?;
        file.sync_all().await?;
        fs::rename(&unfinished, &path).await?;
        Ok(path)
    }
}

impl Channel for Outbox {
    fn way(&self) -> Way {
        Way::Outbox
    }

    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        Box::pin(async move {
            match self.write(mail).await {
                Ok(path) => Outcome::Sent(path.display().to_string()),
                Err(error) => Outcome::Away(format!("{}: {error}", self.folder.display())),
            }
        })
    }
}
