//! `GET /api/v1/series`: one's own series, or, for managers, those of the organization.

use axum::extract::State;
use kernel::role::{BookingsManage, BookingsOwn};
use platform::auth::Can;
use platform::http::{Json, Page, PageQuery, Problem, Query};
use uuid::Uuid;

use super::series::SeriesBody;
use crate::App;
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
    let theirs = (!actor.may::<BookingsManage>()).then_some(actor.user.0);
    let mut tx = app.context.db.begin(actor.organization).await?;
    let ids = sqlx::query_scalar!(
        "select id from bookings.series
         where organization_id = $1 and ($2::uuid is null or user_id = $2 or created_by = $2)
           and ($3::uuid is null or id > $3)
         order by id limit $4",
        actor.organization.0,
        theirs,
        after,
        page.limit() + 1,
    )
    .fetch_all(&mut *tx)
    .await?;
    let found = series::many(&mut tx, actor.organization, &ids).await?;
    let items = found.into_iter().map(SeriesBody::from).collect();
    Ok(Json(Page::of(items, page.limit(), |series: &SeriesBody| series.id)))
}
