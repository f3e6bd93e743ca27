//! `GET /api/v1/resources/{id}`: one resource, from the cache where possible.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use kernel::role::CatalogueRead;
use kernel::{OrganizationId, ResourceId};
use platform::auth::Can;
use platform::http::{ETag, Path, Problem};

use super::ResourceBody;
use crate::App;
use crate::store::states::{self, State as Resource};

/// Gives a resource.
#[utoipa::path(
    get,
    path = "/api/v1/resources/{id}",
    operation_id = "get_resource",
    tag = "resources",
    summary = "Get a resource",
    params(("id" = ResourceId, Path, description = "The resource")),
    responses(
        (status = 200, description = "The resource; `ETag` is its version", body = ResourceBody),
        (status = 304, description = "The caller has this version already (`If-None-Match`)"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("catalogue.read")))
)]
pub async fn get_resource(
    actor: Can<CatalogueRead>,
    State(app): State<App>,
    Path(id): Path<ResourceId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = key(actor.organization, id);
    let body = match app.context.cache.get::<Resource>(&key).await {
        Some(state) => ResourceBody::from(state),
        None => ResourceBody::from(read(&app, actor.organization, id, &key).await?),
    };
    Ok(ETag(body.version).answer(&headers, body))
}

/// Reads the state and keeps it. A change may commit, and forget the key, after the read and before the keeping; so the
/// version is read again afterwards, and what is outdated by then is forgotten.
async fn read(
    app: &App,
    organization: OrganizationId,
    id: ResourceId,
    key: &str,
) -> Result<Resource, Problem> {
    let mut tx = app.context.db.begin(organization).await?;
    let state = states::state(&mut tx, organization, id).await?;
    app.context.cache.put(key, &state).await;
    let version = sqlx::query_scalar!(
        "select version from resources.resource where organization_id = $1 and id = $2",
        organization.0,
        id.0,
    )
    .fetch_optional(&mut *tx)
    .await?;
    if version != Some(state.resource.version) {
        app.context.cache.forget(key).await;
    }
    Ok(state)
}

/// Forgets a resource that has changed; to be called after the commit.
pub(super) async fn forget(app: &App, organization: OrganizationId, id: ResourceId) {
    app.context.cache.forget(&key(organization, id)).await;
}

/// Led by the organization, so that no two of them can ever meet under a key.
fn key(organization: OrganizationId, id: ResourceId) -> String {
    format!("resources/{organization}/resource/{id}")
}
