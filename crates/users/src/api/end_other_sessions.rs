//! `DELETE /api/v1/me/sessions`: the caller signs out everywhere else.

use axum::extract::State;
use contracts::users::SessionEnd;
use http::StatusCode;
use kernel::role::ProfileOwn;
use platform::auth::Can;
use platform::events::Origin;
use platform::http::Problem;

use crate::App;
use crate::store::sessions::{Ending, Which};

/// Ends all of the caller's sessions but this one.
#[utoipa::path(
    delete,
    path = "/api/v1/me/sessions",
    operation_id = "end_other_sessions",
    tag = "profile",
    summary = "End all of one's other sessions",
    responses((status = 204, description = "Over; their access tokens are refused everywhere within seconds")),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn end_other_sessions(
    actor: Can<ProfileOwn>,
    State(app): State<App>,
) -> Result<StatusCode, Problem> {
    let now = app.context.clock.now();
    let (organization, user, origin) = (actor.organization, actor.user, Origin::from(&*actor));
    let mut tx = app.context.db.begin(organization).await?;
    let ending = Ending { organization, user, reason: SessionEnd::Revoked, origin: &origin, now };
    ending.of(&mut tx, Which::AllBut(actor.session)).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
