//! The ways to deliver a mail: to a server by SMTP, or into a folder of files.

pub mod outbox;
pub mod providers;
pub mod smtp;

use std::pin::Pin;

use crate::delivery::{Outcome, Way};
use crate::mail::Mail;

pub use outbox::Outbox;
pub use providers::{Provider, Providers};
pub use smtp::Smtp;

/// An attempt under way.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// A way to deliver.
pub trait Channel: Send + Sync {
    /// Its name.
    fn way(&self) -> Way;

    /// Tries once, within a time limit of its own.
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a>;
}
