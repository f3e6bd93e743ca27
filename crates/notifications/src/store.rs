//! Writing a message with its deliveries: what every event that is told does.

pub mod devices;
pub mod erasure;
pub mod fates;
pub mod inbox;
pub mod phones;
pub mod preferences;
pub mod sealed;
pub mod suppressions;
pub mod templates;
pub mod webhook_queue;
pub mod webhooks;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{BookingId, DeliveryId, EventId, MessageId, OrganizationId, UserId};
use platform::db::Tx;
use platform::http::Problem;

use crate::App;
use crate::account::AccountFacts;
use crate::delivery::Way;
use crate::error::Error;
use crate::message::{Facts, Kind};
use crate::preferences::Channel;
use crate::store::erasure::is_forgotten;
use crate::templates::kept_subject;

/// Something to tell someone.
#[derive(Debug, Clone)]
pub struct Telling {
    /// In which organization.
    pub organization: OrganizationId,
    /// Because of which event.
    pub event: EventId,
    /// What ties it to the request that caused the event.
    pub correlation_id: String,
    /// Whom.
    pub user: UserId,
    /// What.
    pub kind: Kind,
    /// In detail.
    pub about: About,
}

/// What a message is about.
#[derive(Debug, Clone)]
pub enum About {
    /// A booking.
    Booking(BookingId, Facts),
    /// The person's account.
    Account(AccountFacts),
}

/// Keeps a message, unless this person was told of this event before, and queues it by the ways by which they want it.
///
/// # Errors
/// When the database fails.
pub async fn tell(app: &App, tx: &mut Tx, telling: &Telling) -> Result<(), Problem> {
    if is_forgotten(tx, telling.organization, telling.user).await? {
        return Ok(());
    }
    let now = app.context.clock.now();
    let organization = telling.organization.0;
    let (booking, reference, subject, data) = match &telling.about {
        About::Booking(id, facts) => (
            Some(id.0),
            Some(facts.reference.as_str()),
            kept_subject(telling.kind, facts),
            serde_json::to_value(facts),
        ),
        About::Account(facts) => (None, None, facts.subject().to_owned(), serde_json::to_value(facts)),
    };
    let message = sqlx::query_scalar!(
        "insert into notifications.message (organization_id, id, event_id, user_id, kind, booking_id, reference,
                                            subject, data, correlation_id, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict on constraint message_told_once do nothing
         returning id",
        organization,
        MessageId::mint().0,
        telling.event.0,
        telling.user.0,
        telling.kind as Kind,
        booking,
        reference,
        subject,
        data.map_err(Error::from)?,
        telling.correlation_id,
        now.to_sqlx(),
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(message) = message else { return Ok(()) };
    // Who wants none of them finds it in their list all the same.
    let wanted = preferences::wanted(tx, telling.organization, telling.user, telling.kind).await?;
    if wanted.contains(&Channel::Email) {
        queue(tx, app.providers.way(), telling.organization, MessageId(message), now).await?;
    }
    if wanted.contains(&Channel::Push) && matches!(telling.about, About::Booking(..)) {
        let whose = (telling.organization, telling.user, MessageId(message));
        devices::queue(tx, whose, &app.pushers.names(), now).await?;
    }
    if wanted.contains(&Channel::Sms) && app.texters.is_some() && matches!(telling.about, About::Booking(..))
    {
        let phone = phones::find(tx, (telling.organization, telling.user)).await?;
        if phone.is_some_and(|phone| phone.is_verified) {
            queue(tx, Way::Sms, telling.organization, MessageId(message), now).await?;
        }
    }
    Ok(())
}

/// Queues a message by a way that has one address for each person.
///
/// # Errors
/// When the database fails.
pub async fn queue(
    tx: &mut Tx,
    way: Way,
    organization: OrganizationId,
    message: MessageId,
    now: Timestamp,
) -> Result<(), Problem> {
    sqlx::query!(
        "insert into notifications.delivery (organization_id, id, message_id, channel, due_at, created_at)
         values ($1, $2, $3, $4, $5, $5)",
        organization.0,
        DeliveryId::mint().0,
        message.0,
        way as Way,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
