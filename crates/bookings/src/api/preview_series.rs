//! `POST /api/v1/series/preview`: what a series would book, without booking it.

use axum::extract::State;
use kernel::role::BookingsOwn;
use platform::auth::{Actor, Can};
use platform::http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::plan::{self, Planned};
use super::series::{Request, drafts};
use super::step;
use crate::App;

/// What would become of a series.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SeriesPreview)]
pub struct Preview {
    /// Whether it would be booked, with what it leaves out or moves.
    pub bookable: bool,
    /// Each occurrence, in order.
    pub occurrences: Vec<Planned>,
}

/// Previews: each occurrence with its time, what the clocks do to it, what is in its way, and what is free instead.
#[utoipa::path(
    post,
    path = "/api/v1/series/preview",
    operation_id = "preview_series",
    tag = "series",
    summary = "See what a series would book",
    request_body = Request,
    responses(
        (status = 200, description = "What would become of it", body = Preview),
        (status = 403, description = "permission_required, outside_remit"),
        (status = 422, description = "invalid_input, policy_violated, not_enough_units"),
        (status = 503, description = "service_unavailable, busy, database_unavailable")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn preview_series(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Json(request): Json<Request>,
) -> Result<Json<Preview>, Problem> {
    step::runs(|| attempt(&app, &actor, &request)).await.map(Json)
}

/// One run of the transaction, of which nothing is kept.
async fn attempt(app: &App, actor: &Actor, request: &Request) -> Result<Preview, Problem> {
    let now = app.context.clock.now();
    let (series, occurrences) = request.series(actor, now)?;
    let ids: Vec<_> = series.resources.iter().map(|one| one.resource_id).collect();
    let tx = app.context.db.begin(actor.organization).await?;
    let (mut tx, known) = step::look(app, actor, tx, &ids, &[series.user_id]).await?;
    step::demand_seen(&known, &ids, &ids)?;
    step::demand_reach(&known, actor, series.user_id, &ids)?;
    step::demand_bookable(&known.tree, &ids, &ids)?;
    let drafts = drafts(&series, &occurrences, &known.tree, now)?;
    if let Some(first) = drafts.first() {
        plan::demand_few(&known, &first.booking, drafts.len())?;
    }
    let mut occurrences = plan::plan(&mut tx, app, actor, &known, drafts, request.on_conflict).await?;
    let booked = occurrences.iter().any(|one| one.booking().is_some());
    let refused = occurrences.iter().any(|one| one.outcome == plan::Outcome::Refused);
    // Nothing is booked: there are no ids yet.
    occurrences.iter_mut().for_each(|one| one.booking_id = None);
    Ok(Preview { bookable: booked && !refused, occurrences })
}
