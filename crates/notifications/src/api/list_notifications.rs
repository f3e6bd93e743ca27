//! `GET /api/v1/notifications`: the caller's messages about bookings, newest first, each with its deliveries.

use std::collections::HashMap;

use axum::extract::State;
use jiff::Timestamp;
use kernel::role::NotificationsOwn;
use kernel::{BookingId, MessageId};
use platform::auth::Can;
use platform::db::Tx;
use platform::http::{Json, Page, PageQuery, Problem, Query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::delivery::{State as DeliveryState, Way};
use crate::fate::Fate;
use crate::message::Kind;

/// What the caller was told.
#[derive(Debug, Serialize, ToSchema)]
pub struct Notification {
    /// The message.
    pub id: MessageId,
    /// What it is about.
    pub kind: Kind,
    /// The booking it is about; none where it is about the caller's account.
    pub booking_id: Option<BookingId>,
    /// What people call the booking.
    #[schema(example = "R7K2-M9QD")]
    pub reference: Option<String>,
    /// Its subject.
    #[schema(example = "Booking confirmed: Blue Room, Mon 2 Mar 2026, 14:00–15:30 (Europe/Lisbon)")]
    pub subject: String,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When the caller said that they have seen it.
    pub read_at: Option<Timestamp>,
    /// Its ways to the caller.
    pub deliveries: Vec<Delivery>,
}

/// A message's way through one channel.
#[derive(Debug, Serialize, ToSchema)]
pub struct Delivery {
    /// The channel.
    pub channel: Way,
    /// Where it is in its life.
    pub status: DeliveryState,
    /// Attempts begun.
    #[schema(minimum = 0, example = 1)]
    pub attempts: i32,
    /// When the latest began.
    pub last_attempt_at: Option<Timestamp>,
    /// When the provider took it.
    pub sent_at: Option<Timestamp>,
    /// What became of it then, where the provider tells.
    pub fate: Option<Fate>,
    /// Why the latest attempt failed.
    #[schema(example = "permanent error (550): no such mailbox")]
    pub error: Option<String>,
}

/// Lists the caller's messages, newest first.
///
/// # Errors
/// When the cursor is none of ours or the database fails.
#[utoipa::path(
    get,
    path = "/api/v1/notifications",
    operation_id = "list_notifications",
    tag = "notifications",
    summary = "List my notifications, newest first",
    params(PageQuery),
    responses(
        (status = 200, description = "A page of the caller's messages, newest first.", body = Page<Notification>),
        (status = 400, description = "`invalid_query`, `invalid_cursor`."),
        (status = 401, description = "`token_required`, `invalid_token`, `token_expired`."),
        (status = 403, description = "`permission_required`."),
        (status = 422, description = "`invalid_input`: the limit is not 1 to 200."),
    ),
    extensions(("x-permission" = json!("notifications.own")))
)]
pub async fn list_notifications(
    State(app): State<App>,
    actor: Can<NotificationsOwn>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Notification>>, Problem> {
    let before: Option<MessageId> = query.after()?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    let rows = sqlx::query!(
        r#"select id, kind as "kind: Kind", booking_id, reference, subject, created_at, read_at
         from notifications.message
         where organization_id = $1 and user_id = $2 and letter_id is null and ($3::uuid is null or id < $3)
         order by id desc limit $4"#,
        actor.organization.0,
        actor.user.0,
        before.map(|id| id.0),
        query.limit() + 1,
    )
    .fetch_all(&mut *tx)
    .await?;
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let mut deliveries = deliveries(&mut tx, actor.organization.0, &ids).await?;
    tx.commit().await?;
    let items = rows.into_iter().map(|row| Notification {
        id: MessageId(row.id),
        kind: row.kind,
        booking_id: row.booking_id.map(BookingId),
        reference: row.reference,
        subject: row.subject,
        created_at: row.created_at.to_jiff(),
        read_at: row.read_at.map(|at| at.to_jiff()),
        deliveries: deliveries.remove(&row.id).unwrap_or_default(),
    });
    Ok(Json(Page::of(items.collect(), query.limit(), |item| item.id)))
}

/// The deliveries of messages, by message.
async fn deliveries(
    tx: &mut Tx,
    organization: Uuid,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Delivery>>, Problem> {
    let rows = sqlx::query!(
        r#"select message_id, channel as "channel: Way", state as "state: DeliveryState", attempts, last_attempt_at,
                sent_at, fate as "fate: Fate", error
         from notifications.delivery where organization_id = $1 and message_id = any($2)
         order by message_id, id"#,
        organization,
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut deliveries: HashMap<Uuid, Vec<Delivery>> = HashMap::new();
    for row in rows {
        deliveries.entry(row.message_id).or_default().push(Delivery {
            channel: row.channel,
            status: row.state,
            attempts: row.attempts,
            last_attempt_at: row.last_attempt_at.map(|at| at.to_jiff()),
            sent_at: row.sent_at.map(|at| at.to_jiff()),
            fate: row.fate,
            error: row.error,
        });
    }
    Ok(deliveries)
}
