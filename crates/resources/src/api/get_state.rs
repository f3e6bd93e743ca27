//! `GET /internal/organizations/{organization_id}/resources/{id}`: a resource as events carry it, for other services.

use axum::extract::State;
use contracts::resources::Resource;
use kernel::{OrganizationId, ResourceId};
use platform::http::{Json, Path, Problem};
use platform::internal::Peer;

use crate::App;
use crate::store::states;

/// Gives the state, always from the database: who asks needs what is true now.
///
/// # Errors
/// 404 when the organization has no such resource.
pub async fn get_state(
    _: Peer,
    State(app): State<App>,
    Path((organization, id)): Path<(OrganizationId, ResourceId)>,
) -> Result<Json<Resource>, Problem> {
    let mut tx = app.context.db.begin(organization).await?;
    Ok(Json(states::state(&mut tx, organization, id).await?.resource))
}
