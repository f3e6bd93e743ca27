//! `DELETE /api/v1/me/passkeys/{id}`: a passkey is worth nothing any more.

use axum::extract::State;
use contracts::users::SecondFactorChange;
use http::StatusCode;
use kernel::PasskeyId;
use kernel::role::ProfileOwn;
use platform::auth::{Can, Fresh};
use platform::events::Origin;
use platform::http::{Path, Problem};

use crate::App;
use crate::error::Error;
use crate::store::{accounts, passkeys, second_factor};

/// Removes one of the caller's passkeys. The last second factor of an account goes with `…/second-factor/disable`, which
/// makes sure that the password may stand alone.
#[utoipa::path(
    delete,
    path = "/api/v1/me/passkeys/{id}",
    operation_id = "remove_passkey",
    tag = "profile",
    summary = "Remove one of one's passkeys",
    params(("id" = PasskeyId, Path, description = "The passkey")),
    responses(
        (status = 204, description = "Removed"),
        (status = 403, description = "step_up_required"),
        (status = 404, description = "not_found: the caller has no such passkey, or no more"),
        (status = 409, description = "last_second_factor")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn remove_passkey(
    actor: Can<ProfileOwn>,
    State(app): State<App>,
    _: Fresh,
    Path(id): Path<PasskeyId>,
) -> Result<StatusCode, Problem> {
    let (organization, user, now) = (actor.organization, actor.user, app.context.clock.now());
    let mut tx = app.context.db.begin(organization).await?;
    accounts::lock(&mut tx, organization, user).await?.ok_or_else(|| Problem::not_found("user"))?;
    if !passkeys::remove(&mut tx, organization, user, id).await? {
        return Err(Problem::not_found("passkey"));
    }
    if !second_factor::is_enabled(&mut tx, organization, user).await? {
        return Err(Error::LastSecondFactor.into());
    }
    let (change, origin) = (SecondFactorChange::PasskeyRemoved, Origin::from(&*actor));
    second_factor::tell(&mut tx, organization, user, change, &origin, now).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
