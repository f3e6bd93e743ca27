//! Every way the notification service can fail.

use kernel::Kind;
use platform::http::Fault;

/// A failure of this service. All of them are ours: its one operation only reads the caller's own messages.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An event that a compatible publisher would never send.
    #[error("the event {id} of type {kind} cannot be read: {cause}")]
    UnreadableEvent {
        /// The event.
        id: kernel::EventId,
        /// Its type.
        kind: String,
        /// What is wrong with it.
        cause: serde_json::Error,
    },
    /// A message's data that cannot be written as JSON.
    #[error("a message's data cannot be written: {0}")]
    UnwritableMessage(#[from] serde_json::Error),
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        Kind::Internal
    }

    fn code(&self) -> &'static str {
        "internal"
    }
}
