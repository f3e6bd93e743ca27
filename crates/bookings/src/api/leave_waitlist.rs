//! `DELETE /api/v1/waitlist/{id}`: somebody no longer waits.

use axum::extract::State;
use http::StatusCode;
use kernel::WaitlistEntryId;
use kernel::role::BookingsOwn;
use platform::auth::{Actor, Can};
use platform::http::{Path, Problem};

use super::step;
use crate::App;
use crate::store::{leaving, reach, waitlist};

/// Leaves. An offer is passed on to the next.
#[utoipa::path(
    delete,
    path = "/api/v1/waitlist/{id}",
    operation_id = "leave_waitlist",
    tag = "waitlist",
    summary = "Wait no longer",
    params(("id" = WaitlistEntryId, Path, description = "The entry")),
    responses(
        (status = 204, description = "Left, now or before"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn leave_waitlist(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Path(id): Path<WaitlistEntryId>,
) -> Result<StatusCode, Problem> {
    step::runs(|| attempt(&app, &actor, id)).await
}

/// One run of the transaction.
async fn attempt(app: &App, actor: &Actor, id: WaitlistEntryId) -> Result<StatusCode, Problem> {
    let act = step::act(app, actor);
    let mut tx = app.context.db.begin(actor.organization).await?;
    let seen = waitlist::many(&mut tx, actor.organization, &[id.0]).await?.pop();
    let seen = seen.ok_or_else(|| Problem::not_found("entry"))?;
    let resources = seen.resources.iter().map(|one| one.resource_id);
    if seen.user_id != actor.user && !reach::covers(&mut tx, actor, seen.user_id, resources).await? {
        return Err(Problem::not_found("entry"));
    }
    leaving::leave(&mut tx, &act, &seen).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
