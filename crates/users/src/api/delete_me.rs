//! `DELETE /api/v1/me`: the caller removes their own account, and with it what is known of them.

use axum::extract::State;
use http::StatusCode;
use kernel::role::ProfileOwn;
use platform::auth::{Can, Fresh};
use platform::events::Origin;
use platform::http::{IfMatch, Problem};

use crate::App;
use crate::store::{accounts, erasure};

/// Removes the caller's account.
#[utoipa::path(
    delete,
    path = "/api/v1/me",
    operation_id = "delete_me",
    tag = "profile",
    summary = "Remove one's own account and personal data",
    description = "At once here, within seconds in the other services. Bookings to come are cancelled; those of the past \
                   stay under the account's id alone.",
    params(("If-Match" = String, Header, description = "The ETag of the version to remove")),
    responses(
        (status = 204, description = "Removed; all sessions are over"),
        (status = 403, description = "step_up_required"),
        (status = 404, description = "not_found: the account has been removed already"),
        (status = 409, description = "last_administrator"),
        (status = 412, description = "stale_version"),
        (status = 428, description = "if_match_required")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn delete_me(
    actor: Can<ProfileOwn>,
    State(app): State<App>,
    _: Fresh,
    version: IfMatch,
) -> Result<StatusCode, Problem> {
    let organization = actor.organization;
    let mut tx = app.context.db.begin(organization).await?;
    let account = accounts::lock(&mut tx, organization, actor.user).await?;
    let account = account.ok_or_else(|| Problem::not_found("user"))?;
    version.check(account.version)?;
    erasure::erase(&mut tx, organization, &account, &Origin::from(&*actor), app.context.clock.now()).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
