//! `GET /api/v1/bookings`: one's own bookings, or, for managers, those of the organization.

use axum::extract::State;
use garde::Validate;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::role::BookingsOwn;
use kernel::{ResourceId, UserId};
use platform::auth::Can;
use platform::http::{Json, Page, PageQuery, Problem, Query};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::BookingBody;
use crate::App;
use crate::booking::Status;
use crate::store::bookings;
use crate::store::reach::Reach;

/// Whose invitations: one's own.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvitedOnly {
    /// The caller's.
    Me,
}

/// Which bookings.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Those of this resource.
    #[garde(skip)]
    pub resource_id: Option<ResourceId>,
    /// Those of this user.
    #[garde(skip)]
    pub user_id: Option<UserId>,
    /// `me`: those that the caller is invited to.
    #[garde(skip)]
    pub guest: Option<InvitedOnly>,
    /// Those at this point of their life.
    #[garde(skip)]
    pub status: Option<Status>,
    /// Those that end after this instant.
    #[garde(skip)]
    pub from: Option<Timestamp>,
    /// Those that start before this instant.
    #[garde(skip)]
    pub to: Option<Timestamp>,
    /// Those that stand and no longer fit their resource, or (false) all others.
    #[garde(skip)]
    pub flagged: Option<bool>,
    /// Those that stand and have not ended yet.
    #[garde(skip)]
    pub upcoming: Option<bool>,
    /// Items on the page: 1 to 200, 50 when absent.
    #[garde(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    #[garde(length(max = 1024))]
    pub cursor: Option<String>,
}

/// Bookings in the order of their start, then of their id.
#[utoipa::path(
    get,
    path = "/api/v1/bookings",
    operation_id = "list_bookings",
    tag = "bookings",
    summary = "List bookings by start",
    params(Filter),
    responses(
        (status = 200, description = "A page of bookings", body = Page<BookingBody>),
        (status = 400, description = "invalid_query, invalid_cursor")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn list_bookings(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Query(filter): Query<Filter>,
) -> Result<Json<Page<BookingBody>>, Problem> {
    let page = PageQuery { limit: filter.limit, cursor: filter.cursor };
    let after: Option<(Timestamp, Uuid)> = page.after()?;
    // Who may not see those of others sees their own, whatever the filter says.
    let reach = Reach::of(&actor);
    let upcoming = filter.upcoming.unwrap_or(false);
    let from = filter.from.max(upcoming.then(|| app.context.clock.now()));
    let mut tx = app.context.db.begin(actor.organization).await?;
    let ids = sqlx::query_scalar!(
        "select id from bookings.booking b
         where organization_id = $1
           and ($2::uuid is null or user_id = $2 or created_by = $2 or $12::uuid is not null
                or ($14 and bookings.is_within(organization_id, user_id, array(
                    select r.resource_id from bookings.booking_resource r
                    where r.organization_id = b.organization_id and r.booking_id = b.id), $15, $16)))
           and ($12::uuid is null or exists (
               select from bookings.booking_guest g
               where g.organization_id = b.organization_id and g.booking_id = b.id and g.user_id = $12))
           and ($3::uuid is null or user_id = $3)
           and ($4::text is null or status = $4)
           and ($5::timestamptz is null or ends_at > $5)
           and ($6::timestamptz is null or starts_at < $6)
           and ($7::uuid is null or exists (
               select from bookings.booking_resource r
               where r.organization_id = b.organization_id and r.booking_id = b.id and r.resource_id = $7))
           and ($11::bool is null or $11 = (flag is not null
               and status in ('held', 'pending', 'confirmed', 'checked_in')))
           and (not $13::bool or status in ('held', 'pending', 'confirmed', 'checked_in'))
           and ($8::timestamptz is null or (starts_at, id) > ($8, $9))
         order by starts_at, id limit $10",
        actor.organization.0,
        reach.own,
        filter.user_id.map(|id| id.0),
        filter.status.map(Status::name),
        from.map(|at| at.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        filter.to.map(|at| at.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        filter.resource_id.map(|id| id.0),
        after.map(|(at, _)| at.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        after.map(|(_, id)| id),
        page.limit() + 1,
        filter.flagged,
        filter.guest.map(|InvitedOnly::Me| actor.user.0),
        upcoming,
        reach.has_remit,
        &reach.locations,
        &reach.groups,
    )
    .fetch_all(&mut *tx)
    .await?;
    let items =
        bookings::many(&mut tx, actor.organization, &ids).await?.into_iter().map(BookingBody::from).collect();
    Ok(Json(Page::of(items, page.limit(), |booking: &BookingBody| (booking.starts_at, booking.id))))
}
