//! `POST /api/v1/unsubscribe/{id}`: a reader wants no more mails of a kind, by one click in their mail program (RFC 8058).

use axum::extract::State;
use http::StatusCode;
use platform::http::{Path, Problem};

use crate::App;
use crate::preferences::token::Token;
use crate::preferences::{Channel, Choice};
use crate::store::preferences as stored;

/// Switches mails of a kind off for who has one of them. To repeat it changes nothing.
///
/// # Errors
/// When the token is none of ours.
#[utoipa::path(
    post,
    path = "/api/v1/unsubscribe/{id}",
    operation_id = "unsubscribe",
    tag = "notifications",
    summary = "Send me no more mails of this kind",
    params(("id" = String, Path, description = "The token of the mail's link")),
    responses(
        (status = 204, description = "Done"),
        (status = 404, description = "not_found")
    ),
)]
pub async fn unsubscribe(State(app): State<App>, Path(token): Path<String>) -> Result<StatusCode, Problem> {
    let token = Token::read(&token).ok_or_else(|| Problem::not_found("link"))?;
    let mut tx = app.context.db.begin(token.organization).await?;
    if !stored::is_real(&mut tx, &token).await? {
        return Err(Problem::not_found("link"));
    }
    let choice = Choice { kind: token.kind, channel: Channel::Email, is_wanted: false };
    stored::choose(&mut tx, token.organization, token.user, choice).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
