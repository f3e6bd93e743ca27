//! `DELETE /api/v1/api-keys/{id}`: a key works no more, nor do the tokens that it got.

use axum::extract::State;
use http::StatusCode;
use kernel::ApiKeyId;
use kernel::role::{ProfileOwn, UsersManage};
use platform::auth::Can;
use platform::events::Origin;
use platform::http::{Path, Problem};

use crate::App;
use crate::store::api_keys;

/// Revokes a key: one's own, or anyone's for those who may manage users. No fresh proof is asked for: taking rights away is
/// what is done in haste.
#[utoipa::path(
    delete,
    path = "/api/v1/api-keys/{id}",
    operation_id = "revoke_api_key",
    tag = "api keys",
    summary = "Revoke an API key",
    params(("id" = ApiKeyId, Path, description = "The key")),
    responses(
        (status = 204, description = "Revoked; its access tokens are refused everywhere within seconds"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn revoke_api_key(
    actor: Can<ProfileOwn>,
    State(app): State<App>,
    Path(id): Path<ApiKeyId>,
) -> Result<StatusCode, Problem> {
    let of = (!actor.may::<UsersManage>()).then_some(actor.user);
    let mut tx = app.context.db.begin(actor.organization).await?;
    let (origin, now) = (Origin::from(&*actor), app.context.clock.now());
    let revoked = api_keys::revoke(&mut tx, (actor.organization, id), of, &origin, now).await?;
    revoked.ok_or_else(|| Problem::not_found("API key"))?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
