//! `POST /api/v1/auth/step-up/options`: what a browser needs to ask for a passkey as a fresh proof.

use axum::extract::State;
use kernel::role::ProfileOwn;
use platform::auth::Can;
use platform::http::Problem;

use super::begin_passkey_login::{Body, Options, options};
use crate::App;
use crate::passkey::Purpose;

/// Begins to prove again who one is, with a passkey.
#[utoipa::path(
    post,
    path = "/api/v1/auth/step-up/options",
    operation_id = "begin_step_up",
    tag = "auth",
    summary = "Begin to prove again who you are with a passkey",
    responses(
        (status = 200, description = "What the browser is to be given", body = Body),
        (status = 409, description = "passkeys_unavailable")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn begin_step_up(actor: Can<ProfileOwn>, State(app): State<App>) -> Result<Options, Problem> {
    let (keyring, now) = (&app.context.keyring, app.context.clock.now());
    let purpose = Purpose::StepUp(actor.organization, actor.session);
    Ok(options(app.relying_party()?.begin_assertion(keyring, purpose, now)?))
}
