//! `POST /api/v1/auth/logout`: ends a session.

use axum::extract::State;
use contracts::users::SessionEnd;
use http::StatusCode;
use platform::events::Origin;
use platform::http::{Correlation, Json, Problem};

use super::refresh::Request;
use crate::App;
use crate::opaque_token::RefreshToken;
use crate::store::sessions::{self, Ending, Which};

/// Signs out. A token that is of no session, or no more, leaves nothing to do (RFC 7009, section 2.2).
#[utoipa::path(
    post,
    path = "/api/v1/auth/logout",
    operation_id = "logout",
    tag = "auth",
    summary = "Sign out",
    request_body = Request,
    responses(
        (status = 204, description = "The session is over"),
        (status = 422, description = "invalid_input")
    )
)]
pub async fn logout(
    State(app): State<App>,
    correlation: Correlation,
    Json(request): Json<Request>,
) -> Result<StatusCode, Problem> {
    let now = app.context.clock.now();
    let Some(token) = RefreshToken::parse(&request.refresh_token) else {
        return Ok(StatusCode::NO_CONTENT);
    };
    let organization = token.organization;
    let mut tx = app.context.db.begin(organization).await?;
    if let Some(live) = sessions::find(&mut tx, &token, now).await? {
        let user = live.user;
        let origin = Origin { actor: Some(user), on_behalf_of: None, correlation };
        let ending = Ending { organization, user, reason: SessionEnd::SignedOut, origin: &origin, now };
        ending.of(&mut tx, Which::One(token.id)).await?;
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
