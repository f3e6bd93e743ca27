//! Every way the notification service can fail.

use kernel::Kind;
use platform::http::Fault;

/// A failure of this service.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Only what has failed is sent again.
    #[error("The delivery has not failed: it waits or was sent.")]
    NotFailed,
    /// The address gets no mail already.
    #[error("The address is on the list already.")]
    Suppressed,
    /// As many webhooks as an organization can have.
    #[error("An organization has at most 50 webhooks.")]
    TooManyWebhooks,
    /// As many devices as a person can have.
    #[error("A person has at most 20 devices.")]
    TooManyDevices,
    /// As many codes as may be sent in an hour.
    #[error("Too many codes were sent in the last hour. Try again later.")]
    TooManyCodes,
    /// A provider's call-back that the provider has not signed.
    #[error("It is not signed as it should be.")]
    WrongSignature,
    /// A provider's call-back that it has signed, and nobody can read.
    #[error("It cannot be read: {0}")]
    WrongReport(String),
    /// Nothing is sent to a webhook that is disabled.
    #[error("The webhook is disabled. Enable it first.")]
    WebhookDisabled,
    /// It will be sent anyway.
    #[error("The delivery waits to be sent already.")]
    DeliveryWaits,
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
        match self {
            Self::NotFailed
            | Self::Suppressed
            | Self::TooManyWebhooks
            | Self::TooManyDevices
            | Self::TooManyCodes
            | Self::WebhookDisabled
            | Self::DeliveryWaits => Kind::Conflict,
            Self::WrongSignature => Kind::Forbidden,
            Self::WrongReport(_) => Kind::Malformed,
            Self::UnreadableEvent { .. } | Self::UnwritableMessage(_) => Kind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFailed => "not_failed",
            Self::Suppressed => "suppressed_already",
            Self::TooManyWebhooks => "too_many_webhooks",
            Self::TooManyDevices => "too_many_devices",
            Self::TooManyCodes => "too_many_codes",
            Self::WrongSignature => "wrong_signature",
            Self::WrongReport(_) => "unreadable_report",
            Self::WebhookDisabled => "webhook_disabled",
            Self::DeliveryWaits => "delivery_waits",
            Self::UnreadableEvent { .. } | Self::UnwritableMessage(_) => "internal",
        }
    }
}
