//! `GET /api/v1/calendar`: many resources side by side, for a calendar view.

use axum::extract::State;
use garde::Validate;
use jiff::Timestamp;
use kernel::ResourceId;
use kernel::role::BookingsOwn;
use platform::auth::Can;
use platform::http::{Json, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::get_free_busy::{FreeBusy, times, wide, window};
use super::search_availability::known;
use crate::App;
use crate::store::{calendar, resources};

/// Resources in one call at most.
const MOST: usize = 100;

/// Which resources, and when.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Grid {
    /// Ids of resources, separated by commas: 1 to 100.
    #[garde(length(min = 1, max = 3700))]
    #[param(max_length = 3700)]
    pub resource_ids: String,
    /// Start of the window, with an offset.
    #[garde(skip)]
    #[param(example = "2026-11-23T00:00:00Z")]
    pub from: Timestamp,
    /// End of the window, at most 93 days later.
    #[garde(skip)]
    #[param(example = "2026-11-24T00:00:00Z")]
    pub to: Timestamp,
}

/// The times of each resource, in the order of the request; those that are not known are left out.
#[derive(Debug, Serialize, ToSchema)]
pub struct Calendar {
    /// The resources.
    pub items: Vec<FreeBusy>,
}

/// Free and busy times of many resources at once. Units of pools are not told one by one.
#[utoipa::path(
    get,
    path = "/api/v1/calendar",
    operation_id = "get_calendar",
    tag = "availability",
    summary = "See many resources side by side",
    params(Grid),
    responses(
        (status = 200, description = "The times of each", body = Calendar),
        (status = 400, description = "invalid_query"),
        (status = 422, description = "invalid_input")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn get_calendar(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Query(grid): Query<Grid>,
) -> Result<Json<Calendar>, Problem> {
    let window = window(grid.from, grid.to)?;
    let ids: Result<Vec<ResourceId>, _> = grid.resource_ids.split(',').map(|id| id.trim().parse()).collect();
    let ids = ids.map_err(|_| {
        Problem::invalid_field("resource_ids", "invalid", "Ids are UUIDs, separated by commas.")
    })?;
    if ids.len() > MOST {
        return Err(Problem::invalid_field("resource_ids", "too_many", "At most 100 resources at once."));
    }
    let mut tx = app.context.db.begin(actor.organization).await?;
    let tree = resources::tree(&mut tx, actor.organization, &ids).await?;
    let now = app.context.clock.now();
    let calendar = calendar::read(&mut tx, actor.organization, &tree, &wide(&window), now).await?;
    let known = known(&mut tx, &actor, tree).await?;
    let found = ids.iter().filter_map(|id| known.tree.get(id));
    Ok(Json(Calendar { items: found.map(|resource| times(&known, resource, &calendar, &window)).collect() }))
}
