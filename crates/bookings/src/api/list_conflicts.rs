//! `GET /api/v1/conflicts`: who was refused what, what they did instead, and which bookings no longer fit.

use axum::extract::State;
use garde::Validate;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::role::BookingsManage;
use kernel::{BookingId, ConflictId, ResourceId, UserId, WaitlistEntryId};
use platform::auth::Can;
use platform::http::{Json, Page, PageQuery, Problem, Query};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::App;
use crate::booking::Wanted;
use crate::store::alternatives::Alternative;
use crate::store::conflicts::{self, Conflict, Outcome};
use crate::store::reach::Reach;

/// Which conflicts.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Those over this resource.
    #[garde(skip)]
    pub resource_id: Option<ResourceId>,
    /// Those of this user's bookings.
    #[garde(skip)]
    pub user_id: Option<UserId>,
    /// Those that ended like this.
    #[garde(skip)]
    pub outcome: Option<Outcome>,
    /// Those met from this instant on.
    #[garde(skip)]
    pub from: Option<Timestamp>,
    /// Those met before this instant.
    #[garde(skip)]
    pub to: Option<Timestamp>,
    /// Items on the page: 1 to 200, 50 when absent.
    #[garde(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    #[garde(length(max = 1024))]
    pub cursor: Option<String>,
}

/// A conflict and how it ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Conflict)]
pub struct ConflictBody {
    /// Its id.
    pub id: ConflictId,
    /// How it ended.
    pub outcome: Outcome,
    /// Whose booking it was to be, or is.
    pub user_id: UserId,
    /// Who asked; null when a change of the resource made it.
    pub actor_id: Option<UserId>,
    /// The booking it is about, or that was made instead.
    pub booking_id: Option<BookingId>,
    /// The place in the waitlist that was taken instead.
    pub waitlist_entry_id: Option<WaitlistEntryId>,
    /// What was asked for, or is booked.
    pub resources: Vec<Wanted>,
    /// From when.
    pub starts_at: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
    /// The rules that were broken as well.
    #[schema(value_type = Vec<Object>)]
    pub broken: Value,
    /// What was in the way.
    #[schema(value_type = Vec<Object>)]
    pub conflicts: Vec<Value>,
    /// What was offered instead.
    pub alternatives: Vec<Alternative>,
    /// Why a booking no longer fits: `resource_retired`, `unit_retired`, `parts_changed`, `outside_hours`.
    #[schema(example = "outside_hours")]
    pub reason: Option<String>,
    /// What the manager who dealt with it says.
    pub note: Option<String>,
    /// Who ended it.
    pub resolved_by: Option<UserId>,
    /// When it was ended.
    pub resolved_at: Option<Timestamp>,
    /// The request that met it.
    pub correlation_id: String,
    /// When it was met.
    pub created_at: Timestamp,
}

impl From<Conflict> for ConflictBody {
    fn from(conflict: Conflict) -> Self {
        Self {
            id: conflict.id,
            outcome: conflict.outcome,
            user_id: conflict.user_id,
            actor_id: conflict.actor_id,
            booking_id: conflict.booking_id,
            waitlist_entry_id: conflict.waitlist_entry_id,
            resources: conflict.detail.resources,
            starts_at: conflict.slot.starts_at(),
            ends_at: conflict.slot.ends_at(),
            broken: conflict.detail.broken,
            conflicts: conflict.detail.conflicts,
            alternatives: conflict.detail.alternatives,
            reason: conflict.reason,
            note: conflict.note,
            resolved_by: conflict.resolved_by,
            resolved_at: conflict.resolved_at,
            correlation_id: conflict.correlation_id,
            created_at: conflict.created_at,
        }
    }
}

/// Conflicts, the newest first.
#[utoipa::path(
    get,
    path = "/api/v1/conflicts",
    operation_id = "list_conflicts",
    tag = "conflicts",
    summary = "See how conflicts ended",
    params(Filter),
    responses(
        (status = 200, description = "A page of conflicts", body = Page<ConflictBody>),
        (status = 400, description = "invalid_query, invalid_cursor")
    ),
    extensions(("x-permission" = json!("bookings.manage")))
)]
pub async fn list_conflicts(
    actor: Can<BookingsManage>,
    State(app): State<App>,
    Query(filter): Query<Filter>,
) -> Result<Json<Page<ConflictBody>>, Problem> {
    let page = PageQuery { limit: filter.limit, cursor: filter.cursor };
    let after: Option<(Timestamp, Uuid)> = page.after()?;
    let reach = Reach::of(&actor);
    let mut tx = app.context.db.begin(actor.organization).await?;
    let ids = sqlx::query_scalar!(
        "select id from bookings.conflict_resolution
         where organization_id = $1
           and ($2::uuid is null or $2 = any(resource_ids))
           and ($3::uuid is null or user_id = $3)
           and ($4::text is null or outcome = $4)
           and ($5::timestamptz is null or created_at >= $5)
           and ($6::timestamptz is null or created_at < $6)
           and ($10::uuid is null or user_id = $10
                or ($11 and bookings.is_within(organization_id, user_id, resource_ids, $12, $13)))
           and ($7::timestamptz is null or (created_at, id) < ($7, $8))
         order by created_at desc, id desc limit $9",
        actor.organization.0,
        filter.resource_id.map(|id| id.0),
        filter.user_id.map(|id| id.0),
        filter.outcome.map(Outcome::name),
        filter.from.map(|at| at.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        filter.to.map(|at| at.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        after.map(|(at, _)| at.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        after.map(|(_, id)| id),
        page.limit() + 1,
        reach.own,
        reach.has_remit,
        &reach.locations,
        &reach.groups,
    )
    .fetch_all(&mut *tx)
    .await?;
    let found = conflicts::many(&mut tx, actor.organization, &ids).await?;
    let items = found.into_iter().map(ConflictBody::from).collect();
    Ok(Json(Page::of(items, page.limit(), |one: &ConflictBody| (one.created_at, one.id))))
}
