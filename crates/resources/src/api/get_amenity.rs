//! `GET /api/v1/amenities/{id}`: one amenity.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use kernel::AmenityId;
use kernel::role::CatalogueRead;
use platform::auth::Can;
use platform::http::{ETag, Path, Problem};

use super::AmenityBody;
use crate::App;

/// Gives an amenity.
#[utoipa::path(
    get,
    path = "/api/v1/amenities/{id}",
    operation_id = "get_amenity",
    tag = "catalogue",
    summary = "Get an amenity",
    params(("id" = AmenityId, Path, description = "The amenity")),
    responses(
        (status = 200, description = "The amenity", body = AmenityBody),
        (status = 304, description = "The caller has this version already (`If-None-Match`)"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("catalogue.read")))
)]
pub async fn get_amenity(
    actor: Can<CatalogueRead>,
    State(app): State<App>,
    Path(id): Path<AmenityId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let body = sqlx::query_as!(
        AmenityBody,
        r#"select id as "id: AmenityId", version, name from resources.amenity where organization_id = $1 and id = $2"#,
        actor.organization.0,
        id.0,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| Problem::not_found("amenity"))?;
    Ok(ETag(body.version).answer(&headers, body))
}
