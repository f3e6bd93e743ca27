//! `DELETE /api/v1/waitlist/{id}`: somebody no longer waits.

use axum::extract::State;
use http::StatusCode;
use kernel::WaitlistEntryId;
use kernel::role::{BookingsManage, BookingsOwn};
use platform::auth::{Actor, Can};
use platform::http::{Path, Problem};

use super::step;
use crate::App;
use crate::booking::Status;
use crate::store::bookings::{self, Lock};
use crate::store::told::Told;
use crate::store::write::{self, Change};
use crate::store::{resources, waitlist};
use crate::waiting::{Entry, WaitlistStatus};

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
    // The hold and its resources before the entry, as all do who confirm, move or cancel one.
    let seen = waitlist::many(&mut tx, actor.organization, &[id.0]).await?.pop();
    let may = |entry: &Entry| entry.user_id == actor.user || actor.may::<BookingsManage>();
    let seen = seen.filter(may).ok_or_else(|| Problem::not_found("entry"))?;
    let mut hold = None;
    if let Some(id) = seen.booking_id {
        hold = bookings::load(&mut tx, actor.organization, id, Lock::ForUpdate).await?;
        let ids: Vec<_> = hold.iter().flat_map(|one| &one.resources).map(|one| one.resource_id).collect();
        resources::lock(&mut tx, actor.organization, &ids).await?;
    }
    let entry = waitlist::find(&mut tx, actor.organization, id).await?;
    let entry = entry.ok_or_else(|| Problem::not_found("entry"))?;
    if entry.booking_id != seen.booking_id {
        return Err(Problem::unavailable("busy", "It was changed meanwhile. Try again.", 1).or_run_again());
    }
    if matches!(entry.status, WaitlistStatus::Waiting | WaitlistStatus::Offered) {
        // Withdrawn first: the end of its hold then finds nothing to settle.
        waitlist::save(&mut tx, &act, &Entry { status: WaitlistStatus::Withdrawn, ..entry }).await?;
        if let Some(before) = hold.filter(|hold| hold.status == Status::Held)
            && let Ok(after) = before.clone().cancel(true, act.now)
        {
            write::step(&mut tx, &act, Change::step(before, after, Told::Cancelled, None)).await?;
        }
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
