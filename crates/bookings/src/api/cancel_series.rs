//! `POST /api/v1/series/{id}/cancel`: what of a series lies ahead is given up.

use axum::extract::State;
use contracts::bookings::SeriesCancelled;
use garde::Validate;
use kernel::role::BookingsOwn;
use kernel::{ResourceId, SeriesId};
use platform::auth::{Actor, Can};
use platform::events;
use platform::http::{IfMatch, Json, Path, Problem};
use platform::idempotency::Answer;
use serde::Deserialize;
use utoipa::ToSchema;

use super::change_series::Part;
use super::series::SeriesDetails;
use super::step;
use crate::App;
use crate::error::Error;
use crate::recurrence::Local;
use crate::store::told::Told;
use crate::store::write::{self, Applied, Change};
use crate::store::{bookings, resources, series};

/// How much of it, and why.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CancelSeries)]
pub struct Request {
    /// All that lies ahead, or what follows from an occurrence on.
    #[garde(skip)]
    #[serde(default)]
    pub scope: Part,
    /// The occurrence, by the `occurrence` of its booking; for `following`.
    #[garde(skip)]
    pub from: Option<Local>,
    /// Why: at most 500 characters.
    #[garde(length(chars, max = 500))]
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

/// Cancels those bookings of a series that have not begun; all or none.
#[utoipa::path(
    post,
    path = "/api/v1/series/{id}/cancel",
    operation_id = "cancel_series",
    tag = "series",
    summary = "Cancel what of a series lies ahead",
    params(
        ("id" = SeriesId, Path, description = "The series"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still its version")
    ),
    request_body = Request,
    responses(
        (status = 200, description = "Cancelled; the time is free", body = SeriesDetails),
        (status = 404, description = "not_found"),
        (status = 409, description = "series_over, too_late_to_cancel"),
        (status = 412, description = "stale_version"),
        (status = 422, description = "invalid_input")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn cancel_series(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Path(id): Path<SeriesId>,
    version: Option<IfMatch>,
    Json(request): Json<Request>,
) -> Result<Answer, Problem> {
    let from = request.scope.from(request.from)?;
    step::runs(|| attempt(&app, &actor, id, version, from, request.reason.as_deref())).await
}

/// One run of the transaction.
async fn attempt(
    app: &App,
    actor: &Actor,
    id: SeriesId,
    version: Option<IfMatch>,
    from: Option<Local>,
    reason: Option<&str>,
) -> Result<Answer, Problem> {
    let act = step::act(app, actor);
    let mut tx = app.context.db.begin(actor.organization).await?;
    let (mut found, ahead) = series::for_change(&mut tx, actor, id, version, from, act.now).await?;
    if ahead.is_empty() {
        return Err(Error::SeriesOver.into());
    }
    let mut changes = Vec::new();
    for before in ahead {
        let by_manager = bookings::is_managed_by(&mut tx, &before, actor).await?;
        let after = before.clone().cancel(by_manager, act.now)?;
        changes.push(Change::step(before, after, Told::Cancelled, reason.map(str::to_owned)));
    }
    let had: Vec<ResourceId> = changes
        .iter()
        .flat_map(|change| &change.after.resources)
        .map(|resource| resource.resource_id)
        .collect();
    let tree = resources::lock(&mut tx, actor.organization, &had).await?;
    if let Applied::No(_) = write::apply(&mut tx, &act, &tree, &changes).await? {
        return Err(Problem::internal(&"a cancellation met a rival"));
    }
    (found.version, found.updated_at) = (found.version + 1, act.now);
    series::save(&mut tx, actor.organization, &found).await?;
    let concerned = changes.iter().map(|change| change.after.id).collect();
    let event = SeriesCancelled { series: found.wire(from, concerned) };
    events::append(&mut tx, actor.organization, &act.origin, &event, act.now).await?;
    let all = series::bookings(&mut tx, actor, id).await?;
    tx.commit().await?;
    Answer::ok(found.version, &SeriesDetails::of(found, all))
}
