//! `GET /api/v1/approvals`: the requests that the caller may decide on now.

use axum::extract::State;
use garde::Validate;
use jiff_sqlx::ToSqlx as _;
use kernel::role::BookingsOwn;
use platform::auth::Can;
use platform::http::{Json, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::BookingBody;
use crate::App;
use crate::store::{approvals, bookings};

/// Requests looked at, the next to start first; those beyond show when these are decided.
const MOST: i64 = 500;

/// How many.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct First {
    /// Requests at most: 1 to 500, 500 when absent.
    #[garde(range(min = 1, max = 500))]
    #[param(minimum = 1, maximum = 500, default = 500)]
    pub limit: Option<u16>,
}

/// What waits for the caller's word.
#[derive(Debug, Serialize, ToSchema)]
pub struct Approvals {
    /// Requests, the next to start first.
    pub items: Vec<BookingBody>,
}

/// Of the next 500 requests of the organization, those on which the caller may decide.
#[utoipa::path(
    get,
    path = "/api/v1/approvals",
    operation_id = "list_approvals",
    tag = "approvals",
    summary = "List the requests that wait for one's approval",
    params(First),
    responses((status = 200, description = "Requests, the next to start first", body = Approvals)),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn list_approvals(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Query(first): Query<First>,
) -> Result<Json<Approvals>, Problem> {
    let now = app.context.clock.now();
    let mut tx = app.context.db.begin(actor.organization).await?;
    let ids = sqlx::query_scalar!(
        "select id from bookings.booking
         where organization_id = $1 and status = 'pending' and starts_at > $2 order by starts_at, id limit $3",
        actor.organization.0,
        now.to_sqlx(),
        MOST,
    )
    .fetch_all(&mut *tx)
    .await?;
    let people = approvals::people(&mut tx, &actor, now).await?;
    let most = first.limit.map_or(usize::MAX, usize::from);
    let mut items = Vec::new();
    for request in bookings::many(&mut tx, actor.organization, &ids).await? {
        if items.len() < most && !approvals::voices(&mut tx, &people, &actor, &request).await?.is_empty() {
            items.push(BookingBody::for_decision(&mut tx, request, &actor).await?);
        }
    }
    Ok(Json(Approvals { items }))
}
