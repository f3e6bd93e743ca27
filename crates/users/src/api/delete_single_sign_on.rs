//! `DELETE /api/v1/organization/single-sign-on`: nobody signs in through the identity provider any more.

use axum::extract::State;
use http::StatusCode;
use kernel::role::OrganizationManage;
use platform::auth::{Can, Fresh};
use platform::events::Origin;
use platform::http::Problem;

use crate::App;
use crate::store::single_sign_on;

/// Turns single sign-on off, the secret included. Sessions go on, and everybody with a password may use it again; others
/// have one set by mail.
#[utoipa::path(
    delete,
    path = "/api/v1/organization/single-sign-on",
    operation_id = "delete_single_sign_on",
    tag = "organization",
    summary = "Turn single sign-on off",
    responses(
        (status = 204, description = "It is off"),
        (status = 403, description = "permission_required, step_up_required")
    ),
    extensions(("x-permission" = json!("organization.manage")))
)]
pub async fn delete_single_sign_on(
    actor: Can<OrganizationManage>,
    State(app): State<App>,
    _: Fresh,
) -> Result<StatusCode, Problem> {
    let (organization, now) = (actor.organization, app.context.clock.now());
    let mut tx = app.context.db.begin(organization).await?;
    if let Some(before) = single_sign_on::lock(&mut tx, &app.context.keyring, organization).await? {
        single_sign_on::remove(&mut tx, organization, before, &Origin::from(&*actor), now).await?;
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
