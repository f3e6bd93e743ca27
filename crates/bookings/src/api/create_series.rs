//! `POST /api/v1/series`: bookings that recur, all in one transaction.

use axum::extract::State;
use contracts::bookings::SeriesCreated;
use kernel::role::BookingsOwn;
use platform::auth::{Actor, Can};
use platform::events;
use platform::http::Problem;
use platform::idempotency::{Answer, Idempotent};
use serde::Serialize;
use utoipa::ToSchema;

use super::plan::{self, Draft, Outcome, Planned};
use super::refusal::recorded;
use super::series::{Request, SeriesDetails, drafts};
use super::step;
use crate::App;
use crate::booking::Booking;
use crate::recurrence::Occurrence;
use crate::store::series;
use crate::store::write::{self, Applied, Change};

/// A series that was booked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CreatedSeries)]
pub struct Created {
    /// The series with its bookings.
    #[serde(flatten)]
    pub details: SeriesDetails,
    /// What became of each occurrence, in order: booked, moved or left out.
    pub occurrences: Vec<Planned>,
}

/// Books a series: all of it or nothing, unless the request says what to do with occurrences that cannot be booked.
#[utoipa::path(
    post,
    path = "/api/v1/series",
    operation_id = "create_series",
    tag = "series",
    summary = "Book again and again",
    request_body = Request,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat a request safely: the first answer is given again for 24 h")),
    responses(
        (status = 201, description = "Booked", body = Created),
        (status = 403, description = "permission_required, outside_remit"),
        (status = 409, description = "series_conflict (with `occurrences` and `conflict_id`), request_in_progress"),
        (status = 422, description = "invalid_input, policy_violated (with `broken`, `occurrences`), not_enough_units, idempotency_key_reused"),
        (status = 503, description = "service_unavailable, busy, database_unavailable")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn create_series(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    request: Idempotent<Request>,
) -> Result<Answer, Problem> {
    recorded(&app, &actor, step::runs(|| attempt(&app, &actor, &request)).await).await
}

/// One run of the transaction.
async fn attempt(app: &App, actor: &Actor, request: &Idempotent<Request>) -> Result<Answer, Problem> {
    let act = step::act(app, actor);
    let mut tx = app.context.db.begin(actor.organization).await?;
    if let Some(answer) = request.replay(&mut tx, actor, act.now).await? {
        return Ok(answer);
    }
    let (series, occurrences) = request.body.series(actor, act.now)?;
    let ids: Vec<_> = series.resources.iter().map(|one| one.resource_id).collect();
    let (mut tx, known) = step::look(app, actor, tx, &ids, &[series.user_id]).await?;
    step::demand_seen(&known, &ids, &ids)?;
    step::demand_reach(&known, actor, series.user_id, &ids)?;
    step::demand_open_account(&known, series.user_id, "/on_behalf_of")?;
    step::demand_bookable(&known.tree, &ids, &ids)?;
    let drafts = drafts(&series, &occurrences, &known.tree, act.now)?;
    if let Some(first) = drafts.first() {
        plan::demand_few(&known, &first.booking, drafts.len())?;
    }
    let planned = plan::plan(&mut tx, app, actor, &known, drafts, request.body.on_conflict).await?;
    let mut bookings: Vec<Booking> = planned.iter().filter_map(|one| one.booking().cloned()).collect();
    if bookings.is_empty() || planned.iter().any(|one| one.outcome == Outcome::Refused) {
        return Err(plan::refusal(&planned)?);
    }
    bookings.sort_by_key(|booking| (booking.slot, booking.id));
    series::insert(&mut tx, actor.organization, &series).await?;
    let changes: Vec<Change> = bookings.iter().cloned().map(Change::create).collect();
    if let Applied::No(rivals) = write::apply(&mut tx, &act, &known.tree, &changes).await? {
        let drafts = again(&bookings, &occurrences);
        return Err(plan::refuse(&mut tx, app, actor, &known, drafts, &rivals).await?);
    }
    let made = bookings.iter().map(|booking| booking.id).collect();
    let event = SeriesCreated { series: series.wire(None, made) };
    events::append(&mut tx, actor.organization, &act.origin, &event, act.now).await?;
    let (location, version) = (format!("/api/v1/series/{}", series.id), series.version);
    let created = Created { details: SeriesDetails::of(series, bookings), occurrences: planned };
    let answer = Answer::created(&location, version, &created)?;
    request.record(&mut tx, actor, &answer, act.now).await?;
    tx.commit().await?;
    Ok(answer)
}

/// Bookings with the occurrences that they were to be.
fn again(bookings: &[Booking], occurrences: &[Occurrence]) -> Vec<Draft> {
    let of = |booking: &Booking| {
        let local = booking.series.map(|(_, local)| local);
        let occurrence = occurrences.iter().find(|one| Some(one.local) == local)?;
        Some(Draft { occurrence: *occurrence, booking: booking.clone() })
    };
    bookings.iter().filter_map(of).collect()
}
