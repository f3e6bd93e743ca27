//! The ways to deliver: a mail by SMTP, by vendors that take it by HTTP, or into a folder of files; a short message likewise; a
//! push to the services that reach devices.

pub mod address;
pub mod http;
pub mod outbox;
pub mod providers;
pub mod sendgrid;
pub mod ses;
pub mod sigv4;
pub mod smtp;
pub mod sns;
pub mod twilio;

use std::pin::Pin;

use crate::delivery::{Outcome, Way};
use crate::mail::Mail;

pub use outbox::Outbox;
pub use providers::{Provider, Providers};
pub use sendgrid::SendGrid;
pub use ses::Ses;
pub use smtp::Smtp;
pub use sns::Sns;
pub use twilio::Twilio;

/// An attempt under way.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// A way to deliver messages of a sort.
pub trait Channel<M = Mail>: Send + Sync {
    /// Its name.
    fn way(&self) -> Way;

    /// Tries once, within a time limit of its own.
    fn send<'a>(&'a self, message: &'a M) -> Sending<'a>;
}
