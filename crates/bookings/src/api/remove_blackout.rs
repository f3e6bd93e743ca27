//! `DELETE /api/v1/blackouts/{id}`: it is open again.

use axum::extract::State;
use contracts::bookings::{Blackout, BlackoutRemoved};
use http::StatusCode;
use jiff_sqlx::ToSqlx as _;
use kernel::role::BookingsManage;
use kernel::{BlackoutId, ResourceId, Slot};
use platform::auth::{Actor, Can};
use platform::db::Tx;
use platform::events;
use platform::http::{Path, Problem};
use uuid::Uuid;

use super::step;
use crate::App;
use crate::store::write::Act;
use crate::store::{blackouts, reach, resources, waitlist};

/// Opens again, for those who wait first; removing it again changes nothing. Other blackouts over the same time stay.
#[utoipa::path(
    delete,
    path = "/api/v1/blackouts/{id}",
    operation_id = "remove_blackout",
    tag = "blackouts",
    summary = "Open what was closed",
    params(("id" = BlackoutId, Path, description = "The blackout")),
    responses(
        (status = 204, description = "Open"),
        (status = 403, description = "permission_required, outside_remit"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("bookings.manage")))
)]
pub async fn remove_blackout(
    actor: Can<BookingsManage>,
    State(app): State<App>,
    Path(id): Path<BlackoutId>,
) -> Result<StatusCode, Problem> {
    step::runs(|| attempt(&app, &actor, id)).await
}

/// One run of the transaction.
async fn attempt(app: &App, actor: &Actor, id: BlackoutId) -> Result<StatusCode, Problem> {
    let act = step::act(app, actor);
    let mut tx = app.context.db.begin(actor.organization).await?;
    let row = sqlx::query!(
        "select scope, scope_id, starts_at, ends_at, removed_at is not null as \"removed!\" from bookings.blackout
         where organization_id = $1 and id = $2 for update",
        actor.organization.0,
        id.0,
    );
    let row = row.fetch_optional(&mut *tx).await?.ok_or_else(|| Problem::not_found("blackout"))?;
    if row.removed {
        return Ok(StatusCode::NO_CONTENT);
    }
    let slot = Slot::new(row.starts_at.to_jiff(), row.ends_at.to_jiff())
        .map_err(|error| Problem::internal(&error))?;
    let scope = serde_json::from_value(row.scope.into()).map_err(|error| Problem::internal(&error))?;
    open(&mut tx, actor, &act, id, &slot).await?;
    let event = BlackoutRemoved { blackout: Blackout { id, scope, scope_id: row.scope_id, slot } };
    events::append(&mut tx, actor.organization, &act.origin, &event, act.now).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives up the claims of a blackout, to other blackouts first and then to those who wait.
async fn open(tx: &mut Tx, actor: &Actor, act: &Act, id: BlackoutId, slot: &Slot) -> Result<(), Problem> {
    let covered: Vec<Uuid> = sqlx::query_scalar!(
        "select distinct u.resource_id from bookings.claim c
         join bookings.unit u on u.organization_id = $1 and u.id = c.unit_id
         where c.organization_id = $1 and c.blackout_id = $2 and c.live",
        act.organization.0,
        id.0,
    )
    .fetch_all(&mut **tx)
    .await?;
    let ids: Vec<ResourceId> = covered.into_iter().map(ResourceId).collect();
    reach::demand_places(tx, actor, &ids).await?;
    let tree = resources::lock(tx, act.organization, &ids).await?;
    sqlx::query!(
        "update bookings.claim set live = false where organization_id = $1 and blackout_id = $2 and live",
        act.organization.0,
        id.0,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "update bookings.blackout set removed_at = $3, version = version + 1 where organization_id = $1 and id = $2",
        act.organization.0,
        id.0,
        act.now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    let all: Vec<ResourceId> = tree.keys().copied().collect();
    blackouts::fill(tx, act.organization, &all, slot).await?;
    waitlist::serve(tx, act, &all, slot).await
}
