//! `GET /api/v1/locations`: the places of the organization.

use axum::extract::State;
use garde::Validate;
use kernel::LocationId;
use kernel::role::CatalogueRead;
use platform::auth::Can;
use platform::http::{Json, Page, PageQuery, Problem, Query};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::LocationBody;
use crate::App;
use crate::location::Kind;
use crate::name::key;

/// Which locations.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Those that lie in this one, not counting those further down.
    #[garde(skip)]
    pub parent_id: Option<LocationId>,
    /// Those of this kind.
    #[garde(skip)]
    pub kind: Option<Kind>,
    /// Items on the page: 1 to 200, 50 when absent.
    #[garde(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    #[garde(length(max = 1024))]
    pub cursor: Option<String>,
}

/// Lists locations by name, whatever its case, then by id.
#[utoipa::path(
    get,
    path = "/api/v1/locations",
    operation_id = "list_locations",
    tag = "catalogue",
    summary = "List locations by name",
    params(Filter),
    responses(
        (status = 200, description = "A page, in the order of the lower-case names, then of the ids", body = Page<LocationBody>),
        (status = 400, description = "invalid_query, invalid_cursor"),
        (status = 422, description = "invalid_input")
    ),
    extensions(("x-permission" = json!("catalogue.read")))
)]
pub async fn list_locations(
    actor: Can<CatalogueRead>,
    State(app): State<App>,
    Query(filter): Query<Filter>,
) -> Result<Json<Page<LocationBody>>, Problem> {
    let page = PageQuery { limit: filter.limit, cursor: filter.cursor };
    let (after_key, after_id) = page.after::<(String, Uuid)>()?.unwrap_or_default();
    let mut tx = app.context.db.begin(actor.organization).await?;
    // Two comparisons instead of one of rows: only leakproof operators use the index under row security.
    let rows = sqlx::query!(
        "select id, version, parent_id, kind, name, code from resources.location
         where organization_id = $1 and name_key >= $2 and (name_key > $2 or id > $3)
           and ($4::uuid is null or parent_id = $4) and ($5::text is null or kind = $5)
         order by name_key, id limit $6",
        actor.organization.0,
        after_key,
        after_id,
        filter.parent_id.map(|id| id.0),
        filter.kind.map(Kind::name),
        page.limit() + 1,
    )
    .fetch_all(&mut *tx)
    .await?;
    let items = rows.into_iter().map(|row| {
        let kind = Kind::of(&row.kind).ok_or_else(|| Problem::internal(&"an unknown kind of location"))?;
        let parent_id = row.parent_id.map(LocationId);
        Ok(LocationBody {
            id: LocationId(row.id),
            version: row.version,
            parent_id,
            kind,
            name: row.name,
            code: row.code,
        })
    });
    let items = items.collect::<Result<_, Problem>>()?;
    Ok(Json(Page::of(items, page.limit(), |item: &LocationBody| (key(&item.name), item.id))))
}
