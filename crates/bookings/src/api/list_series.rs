//! `GET /api/v1/series`: one's own series, or, for managers, those of the organization.

use axum::extract::State;
use kernel::role::BookingsOwn;
use platform::auth::Can;
use platform::http::{Json, Page, PageQuery, Problem, Query};
use uuid::Uuid;

use super::series::SeriesBody;
use crate::App;
use crate::store::reach::Reach;
use crate::store::series;

/// Series in the order in which they were made.
#[utoipa::path(
    get,
    path = "/api/v1/series",
    operation_id = "list_series",
    tag = "series",
    summary = "List series",
    params(PageQuery),
    responses(
        (status = 200, description = "A page of series", body = Page<SeriesBody>),
        (status = 400, description = "invalid_query, invalid_cursor")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn list_series(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<SeriesBody>>, Problem> {
    let after: Option<Uuid> = page.after()?;
    // Who may not see those of others sees their own.
    let reach = Reach::of(&actor);
    let mut tx = app.context.db.begin(actor.organization).await?;
    let ids = sqlx::query_scalar!(
        "select id from bookings.series
         where organization_id = $1 and ($2::uuid is null or user_id = $2 or created_by = $2
                or ($5 and bookings.is_within(organization_id, user_id, array(
                    select (one ->> 'resource_id')::uuid from jsonb_array_elements(resources) one), $6, $7)))
           and ($3::uuid is null or id > $3)
         order by id limit $4",
        actor.organization.0,
        reach.own,
        after,
        page.limit() + 1,
        reach.has_remit,
        &reach.locations,
        &reach.groups,
    )
    .fetch_all(&mut *tx)
    .await?;
    let found = series::many(&mut tx, actor.organization, &ids).await?;
    let items = found.into_iter().map(SeriesBody::from).collect();
    Ok(Json(Page::of(items, page.limit(), |series: &SeriesBody| series.id)))
}
