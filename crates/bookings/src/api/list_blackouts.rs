//! `GET /api/v1/blackouts`: the times in which nobody can book.

use axum::extract::State;
use contracts::rules::Scope;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::role::BookingsOwn;
use kernel::{BlackoutId, ResourceId};
use platform::auth::Can;
use platform::http::{Json, Page, PageQuery, Problem, Query};
use uuid::Uuid;

use super::create_blackout::BlackoutBody;
use crate::App;
use crate::store::sight;

/// Those that are not over, by start. A page is shorter by those over a resource that is not there for the caller.
#[utoipa::path(
    get,
    path = "/api/v1/blackouts",
    operation_id = "list_blackouts",
    tag = "blackouts",
    summary = "List what is closed",
    params(PageQuery),
    responses((status = 200, description = "A page of blackouts, by start", body = Page<BlackoutBody>)),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn list_blackouts(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<BlackoutBody>>, Problem> {
    let after: Option<(Timestamp, Uuid)> = page.after()?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    let rows = sqlx::query!(
        "select id, scope, scope_id, starts_at, ends_at, reason from bookings.blackout
         where organization_id = $1 and removed_at is null and ends_at > $2
           and ($3::timestamptz is null or (starts_at, id) > ($3, $4))
         order by starts_at, id limit $5",
        actor.organization.0,
        app.context.clock.now().to_sqlx(),
        after.map(|(at, _)| at.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        after.map(|(_, id)| id),
        page.limit() + 1,
    )
    .fetch_all(&mut *tx)
    .await?;
    let items = rows.into_iter().map(|row| {
        Ok(BlackoutBody {
            id: BlackoutId(row.id),
            scope: serde_json::from_value::<Scope>(row.scope.into())
                .map_err(|error| Problem::internal(&error))?,
            scope_id: row.scope_id,
            starts_at: row.starts_at.to_jiff(),
            ends_at: row.ends_at.to_jiff(),
            reason: row.reason,
            flagged: Vec::new(),
        })
    });
    let items = items.collect::<Result<Vec<_>, Problem>>()?;
    let resource = |item: &BlackoutBody| (item.scope == Scope::Resource).then_some(ResourceId(item.scope_id));
    let hidden = sight::hidden(&mut tx, &actor, items.iter().filter_map(resource).collect()).await?;
    let mut page = Page::of(items, page.limit(), |item| (item.starts_at, item.id));
    page.items.retain(|item| resource(item).is_none_or(|id| !hidden.contains(&id)));
    Ok(Json(page))
}
