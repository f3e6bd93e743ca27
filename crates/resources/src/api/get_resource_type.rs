//! `GET /api/v1/resource-types/{id}`: one resource type.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use kernel::ResourceTypeId;
use kernel::role::CatalogueRead;
use platform::auth::Can;
use platform::http::{ETag, Path, Problem};

use super::TypeBody;
use crate::App;

/// Gives a resource type.
#[utoipa::path(
    get,
    path = "/api/v1/resource-types/{id}",
    operation_id = "get_resource_type",
    tag = "catalogue",
    summary = "Get a resource type",
    params(("id" = ResourceTypeId, Path, description = "The resource type")),
    responses(
        (status = 200, description = "The resource type", body = TypeBody),
        (status = 304, description = "The caller has this version already (`If-None-Match`)"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("catalogue.read")))
)]
pub async fn get_resource_type(
    actor: Can<CatalogueRead>,
    State(app): State<App>,
    Path(id): Path<ResourceTypeId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let body = sqlx::query_as!(
        TypeBody,
        r#"select id as "id: ResourceTypeId", version, name from resources.resource_type where organization_id = $1 and id = $2"#,
        actor.organization.0,
        id.0,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| Problem::not_found("resource type"))?;
    Ok(ETag(body.version).answer(&headers, body))
}
