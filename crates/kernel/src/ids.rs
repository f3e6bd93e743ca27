//! Typed ids: UUID version 7 (RFC 9562, section 5.7), so that rows written together lie together on disk.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! id {
    ($(#[doc = $doc:literal] $name:ident;)+) => {$(
        #[doc = $doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema, sqlx::Type)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        #[schema(value_type = Uuid)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Mints a new id.
            #[expect(clippy::disallowed_methods, reason = "ids are minted here and nowhere else")]
            #[must_use]
            pub fn mint() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )+};
}

id! {
    /// A tenant. Everything belongs to one.
    OrganizationId;
    /// A person or service account of one organization.
    UserId;
    /// Users gathered for permissions, quotas and prices.
    GroupId;
    /// A signed-in session of a user.
    SessionId;
    /// A sign-in at an identity provider, on its way.
    SignOnId;
    /// Something bookable.
    ResourceId;
    /// A kind of resource.
    ResourceTypeId;
    /// A node of the location tree.
    LocationId;
    /// A feature that a resource may have.
    AmenityId;
    /// A set of claims with one life.
    BookingId;
    /// Bookings that recur.
    SeriesId;
    /// Somebody's place in a waitlist.
    WaitlistEntryId;
    /// A time in which nobody can book.
    BlackoutId;
    /// Two that wanted the same, and how that ended.
    ConflictId;
    /// Somebody who decides for somebody else for a while.
    DelegationId;
    /// A message to one person.
    MessageId;
    /// A message's way through one channel.
    DeliveryId;
    /// A telephone or browser that a person is told things on.
    DeviceId;
    /// An address that gets no mail.
    SuppressionId;
    /// Somebody else's address that is told what happens.
    WebhookId;
    /// An event's way to a webhook.
    WebhookDeliveryId;
    /// An entry of the event table.
    EventId;
    /// A mail about an account.
    LetterId;
    /// Somebody asked to make an account.
    InvitationId;
    /// A key with which tokens are signed.
    KeyId;
    /// A wish for a new password, whose old one is lost.
    PasswordResetId;
    /// A sign-in between its two factors.
    ChallengeId;
    /// A key of a device with which a person signs in.
    PasskeyId;
    /// A key with which programs get access tokens.
    ApiKeyId;
}
