//! `GET /internal/organizations/{organization_id}/users/{user_id}/account`: what another service may know of an account.

use axum::extract::State;
use contracts::users::Account;
use kernel::{OrganizationId, UserId};
use platform::http::{Json, Path, Problem};
use platform::internal::Peer;

use crate::App;
use crate::store::accounts;

/// The account, without the person.
///
/// # Errors
/// 404 when there is no such account, or no more.
pub async fn get_account(
    _: Peer,
    State(app): State<App>,
    Path((organization, user)): Path<(OrganizationId, UserId)>,
) -> Result<Json<Account>, Problem> {
    let mut tx = app.context.db.begin(organization).await?;
    let account = accounts::load(&mut tx, organization, user).await?;
    Ok(Json((&account.ok_or_else(|| Problem::not_found("user"))?).into()))
}
