//! `GET /api/v1/bookings/{id}/history`: who did what to a booking, oldest first.

use axum::extract::State;
use jiff::Timestamp;
use kernel::role::BookingsOwn;
use kernel::{BookingId, EventId, UserId};
use platform::auth::Can;
use platform::events::{Envelope, history};
use platform::http::{Json, Page, PageQuery, Path, Problem, Query};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::App;
use crate::store::bookings::{self, Lock};

/// Something that happened to a booking.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryEntry {
    /// The event.
    pub id: EventId,
    /// What happened.
    #[schema(example = "reservas.booking.moved.v1")]
    pub r#type: String,
    /// Its number in the booking's history, from 1.
    pub number: i64,
    /// When.
    pub occurred_at: Timestamp,
    /// Who did it; null when nobody did, such as for a hold that ran out.
    pub actor_id: Option<UserId>,
    /// For whom, when it was another.
    pub on_behalf_of: Option<UserId>,
    /// Why, in the words of who did it.
    pub reason: Option<String>,
    /// The booking before.
    pub before: Option<Value>,
    /// The booking after.
    pub after: Value,
    /// The request that did it.
    pub correlation_id: String,
}

impl From<Envelope> for HistoryEntry {
    fn from(mut event: Envelope) -> Self {
        let mut take = |name: &str| event.data.get_mut(name).map(Value::take);
        Self {
            id: event.id,
            number: event.streamversion,
            occurred_at: event.time,
            actor_id: event.actorid,
            on_behalf_of: event.onbehalfof,
            reason: take("reason").and_then(|reason| reason.as_str().map(str::to_owned)),
            before: take("before"),
            after: take("booking").unwrap_or_default(),
            r#type: event.kind,
            correlation_id: event.correlationid,
        }
    }
}

/// The history of a booking is its stream of events.
#[utoipa::path(
    get,
    path = "/api/v1/bookings/{id}/history",
    operation_id = "get_booking_history",
    tag = "bookings",
    summary = "Read who did what to a booking",
    params(("id" = BookingId, Path, description = "The booking"), PageQuery),
    responses(
        (status = 200, description = "What happened, oldest first", body = Page<HistoryEntry>),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn get_booking_history(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Path(id): Path<BookingId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<HistoryEntry>>, Problem> {
    let after = page.after()?.unwrap_or(0);
    let mut tx = app.context.db.begin(actor.organization).await?;
    let booking = bookings::load(&mut tx, actor.organization, id, Lock::None).await?;
    let booking = booking.ok_or_else(|| Problem::not_found("booking"))?;
    if !bookings::is_open_to(&mut tx, &booking, &actor).await? {
        return Err(Problem::not_found("booking"));
    }
    let events = history::history(&mut tx, actor.organization, id.0, after, page.limit() + 1).await?;
    let entries = events.into_iter().map(HistoryEntry::from).collect();
    Ok(Json(Page::of(entries, page.limit(), |entry: &HistoryEntry| entry.number)))
}
