//! `GET /api/v1/waitlist`: what one waits for, or, for managers, what anyone does.

use axum::extract::State;
use kernel::role::BookingsOwn;
use platform::auth::Can;
use platform::http::{Json, Page, PageQuery, Problem, Query};
use uuid::Uuid;

use super::join_waitlist::EntryBody;
use crate::App;
use crate::store::reach::Reach;
use crate::store::waitlist;

/// Entries in the order of their making, those that are over among them.
#[utoipa::path(
    get,
    path = "/api/v1/waitlist",
    operation_id = "list_waitlist",
    tag = "waitlist",
    summary = "List places in the waitlist",
    params(PageQuery),
    responses((status = 200, description = "A page of entries", body = Page<EntryBody>)),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn list_waitlist(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<EntryBody>>, Problem> {
    let after: Option<Uuid> = page.after()?;
    let reach = Reach::of(&actor);
    let mut tx = app.context.db.begin(actor.organization).await?;
    let ids = sqlx::query_scalar!(
        "select id from bookings.waitlist_entry
         where organization_id = $1 and ($2::uuid is null or user_id = $2
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
    let entries = waitlist::many(&mut tx, actor.organization, &ids).await?;
    let items = entries.into_iter().map(EntryBody::from).collect();
    Ok(Json(Page::of(items, page.limit(), |item: &EntryBody| item.id)))
}
