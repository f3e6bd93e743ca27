//! A mail about an account is to be sent: it waits in the queue for the user service to write it.

use contracts::users::{LetterKind, LetterRequested};
use jiff_sqlx::ToSqlx as _;
use kernel::{MessageId, UserId};
use platform::db::Tx;
use platform::events::Envelope;
use platform::http::Problem;

use crate::App;
use crate::store::erasure::is_forgotten;
use crate::store::queue;

/// Queues the letter. Its addressee may have no account yet: then the letter's id stands for them.
///
/// # Errors
/// When the database fails.
pub async fn letter_requested(
    app: &App,
    tx: &mut Tx,
    event: &Envelope,
    told: &LetterRequested,
) -> Result<(), Problem> {
    let reader = told.user_id.map_or(told.letter_id.0, |user| user.0);
    if is_forgotten(tx, event.organizationid, UserId(reader)).await? {
        return Ok(());
    }
    let now = app.context.clock.now();
    let subject = match told.kind {
        LetterKind::EmailVerification => "Verify your e-mail address",
        LetterKind::Invitation => "An invitation",
        LetterKind::EmailChange => "Confirm your new e-mail address",
        LetterKind::EmailChangeAsked => "Your account is to have another e-mail address",
        LetterKind::EmailChanged => "Your e-mail address has changed",
        LetterKind::RegistrationRepeated => "A registration with your address",
    };
    let message = sqlx::query_scalar!(
        "insert into notifications.message (organization_id, id, event_id, user_id, kind, letter_id, subject,
                                            data, correlation_id, created_at)
         values ($1, $2, $3, $4, 'letter', $5, $6, '{}', $7, $8)
         on conflict on constraint message_told_once do nothing
         returning id",
        event.organizationid.0,
        MessageId::mint().0,
        event.id.0,
        reader,
        told.letter_id.0,
        subject,
        event.correlationid,
        now.to_sqlx(),
    )
    .fetch_optional(&mut **tx)
    .await?;
    match message {
        Some(message) => queue(tx, app.providers.way(), event.organizationid, MessageId(message), now).await,
        None => Ok(()),
    }
}
