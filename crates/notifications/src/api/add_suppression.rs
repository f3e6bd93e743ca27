//! `POST /api/v1/suppressions`: an address gets no mail from now on.

use axum::extract::State;
use garde::Validate;
use http::StatusCode;
use kernel::role::NotificationsManage;
use kernel::{Email, SuppressionId};
use platform::auth::Can;
use platform::http::{Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::error::Error;
use crate::store::suppressions::insert;
use crate::suppression::{Reason, digest};

/// The address.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AddSuppression)]
pub struct Request {
    /// The address. It is kept as a digest: write down elsewhere which it was.
    #[garde(skip)]
    #[schema(value_type = String, format = "email", example = "ada@example.com")]
    pub email: Email,
}

/// The entry that was made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SuppressionAdded)]
pub struct Added {
    /// By it the address can be taken off the list.
    pub id: SuppressionId,
}

/// Puts an address on the list of those that get no mail.
///
/// # Errors
/// When it is there already.
#[utoipa::path(
    post,
    path = "/api/v1/suppressions",
    operation_id = "add_suppression",
    tag = "notifications",
    summary = "Send no more mail to an address",
    request_body = Request,
    responses(
        (status = 201, description = "On the list", body = Added),
        (status = 403, description = "permission_required"),
        (status = 409, description = "suppressed_already"),
        (status = 422, description = "invalid_input")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn add_suppression(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
    Json(request): Json<Request>,
) -> Result<(StatusCode, Json<Added>), Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let digest = digest(actor.organization, &request.email);
    let now = app.context.clock.now();
    let added = insert(&mut tx, actor.organization, &digest, Reason::Manual, None, now).await?;
    let id = added.ok_or(Error::Suppressed)?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(Added { id })))
}
