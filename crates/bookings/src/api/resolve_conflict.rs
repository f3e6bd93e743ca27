//! `POST /api/v1/conflicts/{id}/resolve`: a manager has dealt with it; a booking that was flagged for it no longer is.

use axum::extract::State;
use garde::Validate;
use kernel::ConflictId;
use kernel::role::BookingsManage;
use platform::auth::{Actor, Can};
use platform::http::{Json, Path, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::list_conflicts::ConflictBody;
use super::step;
use crate::App;
use crate::booking::Booking;
use crate::error::Error;
use crate::store::bookings::{self, Lock};
use crate::store::conflicts::{self, Conflict, Outcome};
use crate::store::reach;
use crate::store::told::Told;
use crate::store::write::{self, Change};

/// What was done about it.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ResolveConflict)]
pub struct Request {
    /// What was done about it: 1 to 500 characters.
    #[garde(length(chars, min = 1, max = 500))]
    #[schema(min_length = 1, max_length = 500, example = "The caretaker opens the door")]
    pub note: String,
}

/// Ends a conflict that nobody has ended yet.
#[utoipa::path(
    post,
    path = "/api/v1/conflicts/{id}/resolve",
    operation_id = "resolve_conflict",
    tag = "conflicts",
    summary = "Say that a conflict is dealt with",
    description = "A booking that was flagged for it stands as it is, and is not flagged for the same again.",
    params(("id" = ConflictId, Path, description = "The conflict")),
    request_body = Request,
    responses(
        (status = 200, description = "Dealt with", body = ConflictBody),
        (status = 404, description = "not_found"),
        (status = 409, description = "conflict_over"),
        (status = 422, description = "invalid_input")
    ),
    extensions(("x-permission" = json!("bookings.manage")))
)]
pub async fn resolve_conflict(
    actor: Can<BookingsManage>,
    State(app): State<App>,
    Path(id): Path<ConflictId>,
    Json(request): Json<Request>,
) -> Result<Json<ConflictBody>, Problem> {
    step::runs(|| attempt(&app, &actor, id, &request)).await
}

/// One run of the transaction.
async fn attempt(
    app: &App,
    actor: &Actor,
    id: ConflictId,
    request: &Request,
) -> Result<Json<ConflictBody>, Problem> {
    let act = step::act(app, actor);
    let mut tx = app.context.db.begin(actor.organization).await?;
    let seen = conflicts::many(&mut tx, actor.organization, &[id.0]).await?.pop();
    let seen = seen.ok_or_else(|| Problem::not_found("conflict"))?;
    let resources = seen.detail.resources.iter().map(|one| one.resource_id);
    if !reach::covers(&mut tx, actor, seen.user_id, resources).await? {
        return Err(Problem::not_found("conflict"));
    }
    // The booking before the conflict, as everywhere.
    let booking = match seen.booking_id {
        Some(id) => bookings::load(&mut tx, actor.organization, id, Lock::ForUpdate).await?,
        None => None,
    };
    let conflict = conflicts::find(&mut tx, actor.organization, id).await?;
    let conflict = conflict.filter(|one| one.outcome.is_open()).ok_or(Error::ConflictOver)?;
    let was_overlap = conflict.outcome == Outcome::Overlap;
    let after = Conflict { outcome: Outcome::Resolved, ..conflict };
    let after = conflicts::save(&mut tx, &act, after, Some(&request.note)).await?;
    if let Some(before) = booking.filter(|one| was_overlap && one.flag.is_some() && one.flag == after.reason)
    {
        let booking = Booking { flag: None, ..before.clone().touch(act.now) };
        let change = Change::step(before, booking, Told::Changed, Some(request.note.clone()));
        write::step(&mut tx, &act, change).await?;
    }
    tx.commit().await?;
    Ok(Json(after.into()))
}
