//! `GET /api/v1/resource-types`: the organization's resource types.

use axum::extract::State;
use kernel::ResourceTypeId;
use kernel::role::CatalogueRead;
use platform::auth::Can;
use platform::http::{Json, Page, PageQuery, Problem, Query};

use super::TypeBody;
use crate::App;
use crate::name::key;

/// Lists them by name, whatever its case. A name stands for one, so it is the whole key of the order.
#[utoipa::path(
    get,
    path = "/api/v1/resource-types",
    operation_id = "list_resource_types",
    tag = "catalogue",
    summary = "List resource types by name",
    params(PageQuery),
    responses(
        (status = 200, description = "A page, in the order of the lower-case names", body = Page<TypeBody>),
        (status = 400, description = "invalid_query, invalid_cursor"),
        (status = 422, description = "invalid_input")
    ),
    extensions(("x-permission" = json!("catalogue.read")))
)]
pub async fn list_resource_types(
    actor: Can<CatalogueRead>,
    State(app): State<App>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<TypeBody>>, Problem> {
    let after: String = page.after()?.unwrap_or_default();
    let mut tx = app.context.db.begin(actor.organization).await?;
    let items = sqlx::query_as!(
        TypeBody,
        r#"select id as "id: ResourceTypeId", version, name from resources.resource_type
           where organization_id = $1 and name_key > $2 order by name_key limit $3"#,
        actor.organization.0,
        after,
        page.limit() + 1,
    )
    .fetch_all(&mut *tx)
    .await?;
    Ok(Json(Page::of(items, page.limit(), |item: &TypeBody| key(&item.name))))
}
