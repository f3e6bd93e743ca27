//! `POST /internal/organizations/{organization_id}/password-resets/{reset_id}/link`: what the link carries, made at the
//! moment the mail is written.

use axum::extract::State;
use contracts::users::ResetLink;
use kernel::{OrganizationId, PasswordResetId};
use platform::http::{Json, Path, Problem};
use platform::internal::Peer;

use crate::App;
use crate::store::passwords;

/// The token. Asked for again, because the mail did not go out, it is another one, and the one before is worth nothing: so no
/// secret has to be kept where mails wait.
///
/// # Errors
/// 404 when it was never asked for, was used or is too old.
pub async fn make_reset_link(
    _: Peer,
    State(app): State<App>,
    Path((organization, reset)): Path<(OrganizationId, PasswordResetId)>,
) -> Result<Json<ResetLink>, Problem> {
    let now = app.context.clock.now();
    let made = passwords::mint_reset(&app.context.db, organization, reset, now).await?;
    let (token, expires_at) = made.ok_or_else(|| Problem::not_found("password reset"))?;
    Ok(Json(ResetLink { token: token.text(), expires_at }))
}
