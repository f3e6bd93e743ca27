//! `GET /api/v1/amenities`: the organization's amenities.

use axum::extract::State;
use kernel::AmenityId;
use kernel::role::CatalogueRead;
use platform::auth::Can;
use platform::http::{Json, Page, PageQuery, Problem, Query};

use super::AmenityBody;
use crate::App;
use crate::name::key;

/// Lists them by name, whatever its case. A name stands for one, so it is the whole key of the order.
#[utoipa::path(
    get,
    path = "/api/v1/amenities",
    operation_id = "list_amenities",
    tag = "catalogue",
    summary = "List amenities by name",
    params(PageQuery),
    responses(
        (status = 200, description = "A page, in the order of the lower-case names", body = Page<AmenityBody>),
        (status = 400, description = "invalid_query, invalid_cursor"),
        (status = 422, description = "invalid_input")
    ),
    extensions(("x-permission" = json!("catalogue.read")))
)]
pub async fn list_amenities(
    actor: Can<CatalogueRead>,
    State(app): State<App>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<AmenityBody>>, Problem> {
    let after: String = page.after()?.unwrap_or_default();
    let mut tx = app.context.db.begin(actor.organization).await?;
    let items = sqlx::query_as!(
        AmenityBody,
        r#"select id as "id: AmenityId", version, name from resources.amenity
           where organization_id = $1 and name_key > $2 order by name_key limit $3"#,
        actor.organization.0,
        after,
        page.limit() + 1,
    )
    .fetch_all(&mut *tx)
    .await?;
    Ok(Json(Page::of(items, page.limit(), |item: &AmenityBody| key(&item.name))))
}
