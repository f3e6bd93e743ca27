//! `PATCH /api/v1/bookings/{id}`: what it is for, how many come, and who is invited.

use axum::extract::State;
use garde::Validate;
use kernel::BookingId;
use kernel::role::BookingsOwn;
use platform::auth::{Actor, Can};
use platform::http::{IfMatch, Json, Path, Problem};
use platform::idempotency::Answer;
use serde::Deserialize;
use utoipa::ToSchema;

use super::BookingBody;
use super::refusal::refuse;
use super::step;
use crate::App;
use crate::booking::Booking;
use crate::guest::Guest;
use crate::store::told::Told;

/// What is to be otherwise; what is absent stays.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateBooking)]
pub struct Request {
    /// What it is for: at most 200 characters.
    #[garde(length(chars, max = 200))]
    #[schema(max_length = 200, example = "Design review")]
    pub title: Option<String>,
    /// How many people come: 1 to 100000.
    #[garde(range(min = 1, max = 100_000))]
    #[schema(minimum = 1, maximum = 100_000, example = 6)]
    pub attendees: Option<i32>,
    /// Who is invited: 200 at most. Users among them see the booking.
    #[garde(length(max = 200), dive)]
    #[schema(max_items = 200)]
    pub guests: Option<Vec<Guest>>,
}

/// Changes what is neither its time nor its place; for those see `move_booking`.
#[utoipa::path(
    patch,
    path = "/api/v1/bookings/{id}",
    operation_id = "update_booking",
    tag = "bookings",
    summary = "Change the title, the number of attendees or the guests",
    params(
        ("id" = BookingId, Path, description = "The booking"),
        ("If-Match" = String, Header, description = "The `ETag` of the version to change")
    ),
    request_body = Request,
    responses(
        (status = 200, description = "Changed", body = BookingBody),
        (status = 404, description = "not_found"),
        (status = 412, description = "stale_version"),
        (status = 422, description = "invalid_input, policy_violated"),
        (status = 428, description = "if_match_required")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn update_booking(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Path(id): Path<BookingId>,
    version: IfMatch,
    Json(request): Json<Request>,
) -> Result<Answer, Problem> {
    step::invite(&app, &actor, request.guests.as_deref().unwrap_or_default()).await?;
    step::runs(|| attempt(&app, &actor, id, Some(version), &request)).await
}

/// One run of the transaction.
async fn attempt(
    app: &App,
    actor: &Actor,
    id: BookingId,
    version: Option<IfMatch>,
    request: &Request,
) -> Result<Answer, Problem> {
    let act = step::act(app, actor);
    let mut tx = app.context.db.begin(actor.organization).await?;
    let before = step::begin(&mut tx, actor, id, version).await?;
    let title = request.title.clone().or_else(|| before.title.clone());
    let guests = request.guests.clone().unwrap_or_else(|| before.guests.clone());
    let attendees = request.attendees.or(before.attendees);
    let after = Booking { title, attendees, guests, ..before.clone().touch(act.now) };
    let ids: Vec<_> = after.resources.iter().map(|one| one.resource_id).collect();
    let (mut tx, known) = step::look(app, actor, tx, &ids, &[before.user_id]).await?;
    let mut broken = known.verdict(&after, Some(after.slot), act.now).broken;
    broken.retain(|broken| ["seats", "min_attendees"].contains(&broken.rule) && request.attendees.is_some());
    if !broken.is_empty() {
        return Err(refuse(&mut tx, app, actor, &known, &after, broken, &[]).await?);
    }
    let answer = step::finish(&mut tx, &act, before, after, Told::Changed, None).await?;
    tx.commit().await?;
    Ok(answer)
}
