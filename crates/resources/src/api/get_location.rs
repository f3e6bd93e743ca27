//! `GET /api/v1/locations/{id}`: one place.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use kernel::LocationId;
use kernel::role::CatalogueRead;
use platform::auth::Can;
use platform::http::{ETag, Path, Problem};

use super::LocationBody;
use crate::App;
use crate::location::Kind;

/// Gives a location.
#[utoipa::path(
    get,
    path = "/api/v1/locations/{id}",
    operation_id = "get_location",
    tag = "catalogue",
    summary = "Get a location",
    params(("id" = LocationId, Path, description = "The location")),
    responses(
        (status = 200, description = "The location", body = LocationBody),
        (status = 304, description = "The caller has this version already (`If-None-Match`)"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("catalogue.read")))
)]
pub async fn get_location(
    actor: Can<CatalogueRead>,
    State(app): State<App>,
    Path(id): Path<LocationId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let row = sqlx::query!(
        "select version, parent_id, kind, name, code from resources.location where organization_id = $1 and id = $2",
        actor.organization.0,
        id.0,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| Problem::not_found("location"))?;
    let kind = Kind::of(&row.kind).ok_or_else(|| Problem::internal(&"an unknown kind of location"))?;
    let parent_id = row.parent_id.map(LocationId);
    let body = LocationBody { id, version: row.version, parent_id, kind, name: row.name, code: row.code };
    Ok(ETag(body.version).answer(&headers, body))
}
