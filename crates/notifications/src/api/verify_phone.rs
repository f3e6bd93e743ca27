//! `POST /api/v1/notification-phone/verify`: the caller has the code that was sent to their number.

use axum::extract::State;
use garde::Validate;
use kernel::role::NotificationsOwn;
use platform::auth::Can;
use platform::http::{Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::App;
use crate::store::phones::{Phone, find, verify};

/// The code.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VerifyPhone)]
pub struct Request {
    /// Six digits.
    #[schema(max_length = 20, example = "042137")]
    #[garde(length(max = 20))]
    pub code: String,
}

/// Proves the caller's number: from now on short messages go to it. A code counts for ten minutes, and for five tries.
///
/// # Errors
/// When it is another code, too old, or was tried too often.
#[utoipa::path(
    post,
    path = "/api/v1/notification-phone/verify",
    operation_id = "verify_phone",
    tag = "notifications",
    summary = "Prove my number with the code that was sent to it",
    request_body = Request,
    responses(
        (status = 200, description = "The number", body = Phone),
        (status = 404, description = "not_found"),
        (status = 422, description = "invalid_input: the code is wrong, too old, or was tried too often")
    ),
    extensions(("x-permission" = json!("notifications.own")))
)]
pub async fn verify_phone(
    State(app): State<App>,
    actor: Can<NotificationsOwn>,
    Json(request): Json<Request>,
) -> Result<Json<Phone>, Problem> {
    let whose = (actor.organization, actor.user);
    let mut tx = app.context.db.begin(actor.organization).await?;
    let is_right = verify(&mut tx, whose, &request.code, app.context.clock.now()).await?;
    let phone = find(&mut tx, whose).await?;
    tx.commit().await?;
    let phone = phone.ok_or_else(|| Problem::not_found("number"))?;
    if is_right {
        return Ok(Json(phone));
    }
    let detail =
        "It is not the code that was sent, or too old, or was tried too often. Have another one sent.";
    Err(Problem::invalid_field("/code", "wrong_code", detail))
}
