//! `POST /api/v1/bookings/{id}/transfer`: a booking becomes somebody else's.

use axum::extract::State;
use garde::Validate;
use kernel::role::BookingsOwn;
use kernel::{BookingId, UserId};
use platform::auth::{Actor, Can};
use platform::http::{IfMatch, Json, Path, Problem};
use platform::idempotency::Answer;
use serde::Deserialize;
use utoipa::ToSchema;

use super::BookingBody;
use super::refusal::refuse;
use super::step;
use crate::App;
use crate::error::Error;
use crate::store::told::Told;
use crate::store::{bookings, quotas};

/// To whom.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TransferBooking)]
pub struct Request {
    /// Whose it is to be.
    #[garde(skip)]
    pub user_id: UserId,
    /// Why: at most 500 characters.
    #[garde(length(chars, max = 500))]
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

/// Hands it over. The new owner must be allowed to book the resources.
#[utoipa::path(
    post,
    path = "/api/v1/bookings/{id}/transfer",
    operation_id = "transfer_booking",
    tag = "bookings",
    summary = "Hand a booking over to somebody else",
    params(
        ("id" = BookingId, Path, description = "The booking"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still its version")
    ),
    request_body = Request,
    responses(
        (status = 200, description = "Transferred", body = BookingBody),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found"),
        (status = 409, description = "invalid_transition"),
        (status = 412, description = "stale_version"),
        (status = 422, description = "invalid_input, policy_violated")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn transfer_booking(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Path(id): Path<BookingId>,
    version: Option<IfMatch>,
    Json(request): Json<Request>,
) -> Result<Answer, Problem> {
    step::runs(|| attempt(&app, &actor, id, version, &request)).await
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
    // It would be paid from the other's credit, who was not asked.
    let spends = before.charged().is_some_and(|charge| charge.amount > 0) && request.user_id != actor.user;
    if spends && !bookings::is_managed_by(&mut tx, &before, actor).await? {
        return Err(Error::OnBehalfForbidden.into());
    }
    let after = before.clone().transfer(request.user_id, act.now)?;
    let ids: Vec<_> = after.resources.iter().map(|one| one.resource_id).collect();
    let (mut tx, known) = step::look(app, actor, tx, &ids, &[request.user_id]).await?;
    step::demand_open_account(&known, request.user_id, "/user_id")?;
    // Of the rules only who may book counts: its time and its terms are those it was made under.
    let verdict = known.verdict(&after, Some(after.slot), act.now);
    let mut broken = verdict.broken;
    broken.retain(|broken| broken.rule.starts_with("access"));
    broken.extend(quotas::overdrawn(&mut tx, actor.organization, &verdict.quotas, &after, act.now).await?);
    if !broken.is_empty() {
        return Err(refuse(&mut tx, app, actor, &known, &after, broken, &[]).await?);
    }
    let answer =
        step::finish(&mut tx, &act, before, after, Told::Transferred, request.reason.as_deref()).await?;
    tx.commit().await?;
    Ok(answer)
}
