//! `DELETE /api/v1/me/sessions/{id}`: the caller signs out somewhere.

use axum::extract::State;
use contracts::users::SessionEnd;
use http::StatusCode;
use kernel::SessionId;
use kernel::role::ProfileOwn;
use platform::auth::Can;
use platform::events::Origin;
use platform::http::{Path, Problem};

use crate::App;
use crate::store::sessions::{Ending, Which};

/// Ends one of the caller's sessions.
#[utoipa::path(
    delete,
    path = "/api/v1/me/sessions/{id}",
    operation_id = "end_session",
    tag = "profile",
    summary = "End one of one's sessions",
    params(("id" = SessionId, Path, description = "The session")),
    responses(
        (status = 204, description = "Over; its access tokens are refused everywhere within seconds"),
        (status = 404, description = "not_found: the caller has no such session, or no more")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn end_session(
    actor: Can<ProfileOwn>,
    State(app): State<App>,
    Path(id): Path<SessionId>,
) -> Result<StatusCode, Problem> {
    let now = app.context.clock.now();
    let (organization, user, origin) = (actor.organization, actor.user, Origin::from(&*actor));
    let mut tx = app.context.db.begin(organization).await?;
    let ending = Ending { organization, user, reason: SessionEnd::Revoked, origin: &origin, now };
    if ending.of(&mut tx, Which::One(id)).await? == 0 {
        return Err(Problem::not_found("session"));
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
