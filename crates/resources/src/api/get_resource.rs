//! `GET /api/v1/resources/{id}`: one resource, from the cache where possible.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use kernel::role::CatalogueRead;
use kernel::{OrganizationId, ResourceId};
use platform::auth::{Actor, Can};
use platform::http::{ETag, Path, Problem};

use super::ResourceBody;
use crate::App;
use crate::store::sight::{self, Sight};
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
    let state = match app.context.cache.get::<Resource>(&key).await {
        Some(state) => state,
        None => read(&app, actor.organization, id, &key).await?,
    };
    let body = seen(&app, &actor, state).await?;
    Ok(ETag(body.version).answer(&headers, body))
}

/// The resource as it is there for the caller.
async fn seen(app: &App, actor: &Actor, state: Resource) -> Result<ResourceBody, Problem> {
    if actor.manages_all() || !hides(app, actor.organization).await? {
        return Ok(state.into());
    }
    let mut tx = app.context.db.begin(actor.organization).await?;
    let sight = Sight::of(&mut tx, actor).await?;
    let id = state.resource.id;
    let asked = state.resource.parts.iter().copied().chain([id]);
    let seen = sight.among(&mut tx, actor.organization, asked).await?;
    if seen.contains(&id) {
        Ok(ResourceBody::from(state).with_parts(&seen))
    } else {
        Err(Problem::not_found("resource"))
    }
}

/// Whether any rules of the organization say who sees something, from the cache where possible. As with a resource, what
/// was kept is checked once more afterwards.
async fn hides(app: &App, organization: OrganizationId) -> Result<bool, Problem> {
    let key = hides_key(organization);
    if let Some(hides) = app.context.cache.get::<bool>(&key).await {
        return Ok(hides);
    }
    let mut tx = app.context.db.begin(organization).await?;
    let hides = sight::hides(&mut tx, organization).await?;
    app.context.cache.put(&key, &hides).await;
    let still = sight::hides(&mut tx, organization).await?;
    if still != hides {
        app.context.cache.forget(&key).await;
    }
    Ok(still)
}

/// Forgets whether any rules say who sees something; to be called after the commit of rules.
pub(super) async fn forget_sight(app: &App, organization: OrganizationId) {
    app.context.cache.forget(&hides_key(organization)).await;
}

fn hides_key(organization: OrganizationId) -> String {
    format!("resources/{organization}/hides")
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
