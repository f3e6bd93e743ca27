//! `GET /api/v1/resources`: the catalogue, filtered, page by page.

use axum::extract::State;
use garde::Validate;
use kernel::role::CatalogueRead;
use kernel::{LocationId, ResourceId};
use platform::auth::Can;
use platform::http::{Json, Page, PageQuery, Problem, Query};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::ResourceBody;
use crate::App;
use crate::name::key;
use crate::resource::{MAX_EXTERNAL_ID, MAX_SEATS, Status};
use crate::store::sight::Sight;
use crate::store::states;

/// Which resources.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Those of the type of this name.
    #[garde(length(chars, max = 200))]
    #[param(max_length = 200, example = "seminar room")]
    pub r#type: Option<String>,
    /// Those in this location or anywhere below it.
    #[garde(skip)]
    pub location_id: Option<LocationId>,
    /// Those of this status; when absent, all but the retired ones.
    #[garde(skip)]
    pub status: Option<Status>,
    /// Those with at least so many seats.
    #[garde(range(min = 0, max = MAX_SEATS))]
    #[param(minimum = 0, maximum = 1_000_000)]
    pub seats_min: Option<i32>,
    /// Those whose name contains this, whatever its case.
    #[garde(length(chars, max = 200))]
    #[param(max_length = 200)]
    pub q: Option<String>,
    /// The one that another system calls so.
    #[garde(length(chars, max = MAX_EXTERNAL_ID))]
    #[param(max_length = 200)]
    pub external_id: Option<String>,
    /// Items on the page: 1 to 200, 50 when absent.
    #[garde(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    #[garde(length(max = 1024))]
    pub cursor: Option<String>,
}

/// Lists resources by name, whatever its case, then by id: those that are there for the caller.
#[utoipa::path(
    get,
    path = "/api/v1/resources",
    operation_id = "list_resources",
    tag = "resources",
    summary = "List resources by name",
    params(Filter),
    responses(
        (status = 200, description = "A page, in the order of the lower-case names, then of the ids", body = Page<ResourceBody>),
        (status = 400, description = "invalid_query, invalid_cursor"),
        (status = 422, description = "invalid_input")
    ),
    extensions(("x-permission" = json!("catalogue.read")))
)]
pub async fn list_resources(
    actor: Can<CatalogueRead>,
    State(app): State<App>,
    Query(filter): Query<Filter>,
) -> Result<Json<Page<ResourceBody>>, Problem> {
    let page = PageQuery { limit: filter.limit, cursor: filter.cursor };
    let (after_key, after_id) = page.after::<(String, Uuid)>()?.unwrap_or_default();
    let mut tx = app.context.db.begin(actor.organization).await?;
    let sight = Sight::of(&mut tx, &actor).await?;
    // Two comparisons instead of one of rows: only leakproof operators use the index under row security.
    let ids = sqlx::query_scalar!(
        "select r.id from resources.resource r
         where r.organization_id = $1 and r.name_key >= $2 and (r.name_key > $2 or r.id > $3)
           and ($4::text is null or r.type_id in (
               select t.id from resources.resource_type t where t.organization_id = $1 and t.name_key = $4))
           and ($5::uuid is null or r.location_id in (
               with recursive down as (
                   select l.id from resources.location l where l.organization_id = $1 and l.id = $5
                   union all
                   select l.id from down join resources.location l on l.organization_id = $1 and l.parent_id = down.id
               )
               select id from down))
           and (r.status = $6 or ($6::text is null and r.status <> 'retired'))
           and ($7::int is null or r.seats >= $7)
           and ($8::text is null or position($8 in r.name_key) > 0)
           and ($9::text is null or r.external_id = $9)
           and resources.sees($1, r.id, r.type_id, r.location_id, $11, $12)
         order by r.name_key, r.id limit $10",
        actor.organization.0,
        after_key,
        after_id,
        filter.r#type.as_deref().map(key),
        filter.location_id.map(|id| id.0),
        filter.status.map(Status::name),
        filter.seats_min,
        filter.q.as_deref().map(key),
        filter.external_id,
        page.limit() + 1,
        &sight.hidden,
        &sight.places,
    )
    .fetch_all(&mut *tx)
    .await?;
    let ids: Vec<_> = ids.into_iter().map(ResourceId).collect();
    let mut states = states::states(&mut tx, actor.organization, &ids).await?;
    let parts = states.values().flat_map(|state| &state.resource.parts).copied();
    let seen = sight.among(&mut tx, actor.organization, parts).await?;
    let states = ids.iter().filter_map(|id| states.remove(id));
    let items = states.map(|state| ResourceBody::from(state).with_parts(&seen)).collect();
    Ok(Json(Page::of(items, page.limit(), |item: &ResourceBody| (key(&item.name), item.id))))
}
