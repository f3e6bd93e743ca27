//! `POST /api/v1/me/second-factor/recovery-codes`: new codes on paper in place of the old ones.

use axum::extract::State;
use contracts::users::SecondFactorChange;
use kernel::role::ProfileOwn;
use platform::auth::{Can, Fresh};
use platform::events::Origin;
use platform::http::Problem;

use super::confirm_totp::{Body, CodesAnswer, shown};
use crate::App;
use crate::error::Error;
use crate::store::{accounts, second_factor};

/// Replaces the recovery codes.
#[utoipa::path(
    post,
    path = "/api/v1/me/second-factor/recovery-codes",
    operation_id = "replace_recovery_codes",
    tag = "profile",
    summary = "Get new recovery codes",
    responses(
        (status = 200, description = "Recovery codes, shown this once; the old ones are worth nothing", body = Body),
        (status = 403, description = "step_up_required"),
        (status = 404, description = "not_found: the account has been removed"),
        (status = 409, description = "no_second_factor")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn replace_recovery_codes(
    actor: Can<ProfileOwn>,
    State(app): State<App>,
    _: Fresh,
) -> Result<CodesAnswer, Problem> {
    let (organization, user) = (actor.organization, actor.user);
    let mut tx = app.context.db.begin(organization).await?;
    accounts::lock(&mut tx, organization, user).await?.ok_or_else(|| Problem::not_found("user"))?;
    if !second_factor::is_enabled(&mut tx, organization, user).await? {
        return Err(Error::NoSecondFactor.into());
    }
    let codes = second_factor::replace_recovery_codes(&mut tx, organization, user).await?;
    let change = SecondFactorChange::RecoveryCodesReplaced;
    let (origin, now) = (Origin::from(&*actor), app.context.clock.now());
    second_factor::tell(&mut tx, organization, user, change, &origin, now).await?;
    tx.commit().await?;
    Ok(shown(codes))
}
