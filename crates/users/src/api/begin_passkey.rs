//! `POST /api/v1/me/passkeys/options`: what a browser needs to make a passkey.

use axum::extract::State;
use kernel::role::ProfileOwn;
use platform::auth::{Can, Fresh};
use platform::http::Problem;

use super::begin_passkey_login::{Body, Options, options};
use crate::App;
use crate::store::{accounts, passkeys};

/// Begins to make a passkey. There is none until the authenticator's answer has been sent to `/api/v1/me/passkeys`.
#[utoipa::path(
    post,
    path = "/api/v1/me/passkeys/options",
    operation_id = "begin_passkey",
    tag = "profile",
    summary = "Begin to make a passkey",
    responses(
        (status = 200, description = "What the browser is to be given", body = Body),
        (status = 403, description = "step_up_required"),
        (status = 404, description = "not_found: the account has been removed"),
        (status = 409, description = "passkeys_unavailable")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn begin_passkey(
    actor: Can<ProfileOwn>,
    State(app): State<App>,
    _: Fresh,
) -> Result<Options, Problem> {
    let (organization, user, now) = (actor.organization, actor.user, app.context.clock.now());
    let party = app.relying_party()?;
    let mut tx = app.context.db.begin(organization).await?;
    let account = accounts::load(&mut tx, organization, user).await?;
    let account = account.ok_or_else(|| Problem::not_found("user"))?;
    let known = passkeys::known(&mut tx, organization, user).await?;
    tx.commit().await?;
    let account = (organization, user, account.email.as_str(), account.name.as_str());
    Ok(options(party.begin_registration(&app.context.keyring, actor.session, account, known, now)?))
}
