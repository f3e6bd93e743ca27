//! `GET /internal/organizations/{organization_id}/users/{user_id}/contact`: how another service reaches a person.

use axum::extract::State;
use contracts::users::Contact;
use kernel::{OrganizationId, UserId};
use platform::http::{Json, Path, Problem};
use platform::internal::Peer;

use crate::App;
use crate::store::{accounts, settings};

/// The contact, also of an account that may not sign in: its bookings still have an owner.
///
/// # Errors
/// 404 when there is no such account, or no more.
pub async fn get_contact(
    _: Peer,
    State(app): State<App>,
    Path((organization, user)): Path<(OrganizationId, UserId)>,
) -> Result<Json<Contact>, Problem> {
    let mut tx = app.context.db.begin(organization).await?;
    let account =
        accounts::load(&mut tx, organization, user).await?.ok_or_else(|| Problem::not_found("user"))?;
    let settings = settings::load(&mut tx, organization).await?.settings;
    tx.commit().await?;
    Ok(Json(Contact {
        user_id: account.id,
        email: account.email,
        name: account.name,
        locale: account.locale,
        time_zone: account.time_zone,
        organization: settings.name,
        branding: settings.branding,
    }))
}
