//! `GET /api/v1/delegations`: who decides in one's place, and in whose place one decides.

use axum::extract::State;
use jiff_sqlx::ToSqlx as _;
use kernel::role::BookingsOwn;
use kernel::{DelegationId, UserId};
use platform::auth::Can;
use platform::http::{Json, Page, PageQuery, Problem, Query};
use uuid::Uuid;

use super::create_delegation::DelegationBody;
use crate::App;

/// The caller's, given and taken, that are not over.
#[utoipa::path(
    get,
    path = "/api/v1/delegations",
    operation_id = "list_delegations",
    tag = "approvals",
    summary = "List one's delegations",
    params(PageQuery),
    responses((status = 200, description = "A page of delegations", body = Page<DelegationBody>)),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn list_delegations(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<DelegationBody>>, Problem> {
    let after: Option<Uuid> = page.after()?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    let rows = sqlx::query!(
        "select id, user_id, delegate_id, starts_at, ends_at from bookings.delegation
         where organization_id = $1 and (user_id = $2 or delegate_id = $2) and ends_at > $3
           and ($4::uuid is null or id > $4)
         order by id limit $5",
        actor.organization.0,
        actor.user.0,
        app.context.clock.now().to_sqlx(),
        after,
        page.limit() + 1,
    )
    .fetch_all(&mut *tx)
    .await?;
    let items = rows.into_iter().map(|row| DelegationBody {
        id: DelegationId(row.id),
        user_id: UserId(row.user_id),
        delegate_id: UserId(row.delegate_id),
        starts_at: row.starts_at.to_jiff(),
        ends_at: row.ends_at.to_jiff(),
    });
    Ok(Json(Page::of(items.collect(), page.limit(), |item: &DelegationBody| item.id)))
}
