//! `POST /api/v1/series/{id}/change`: what of a series lies ahead takes another time of day, length, place or title.

use axum::extract::State;
use contracts::bookings::SeriesChanged;
use garde::Validate;
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use kernel::role::BookingsOwn;
use kernel::{ResourceId, SeriesId, Slot};
use platform::auth::{Actor, Can};
use platform::db::Tx;
use platform::events;
use platform::http::{IfMatch, Json, Path, Problem};
use platform::idempotency::Answer;
use serde::Deserialize;
use utoipa::ToSchema;

use super::create_booking::{RequestedResource, booked, wanted};
use super::plan::{self, Draft};
use super::refusal::recorded;
use super::series::SeriesDetails;
use super::step;
use crate::App;
use crate::booking::{Booking, Wanted};
use crate::error::Error;
use crate::recurrence::{Local, Note, Occurrence, resolve};
use crate::series::Series;
use crate::store::known::Known;
use crate::store::quotas::Ledger;
use crate::store::told::Told;
use crate::store::write::{self, Applied, Change};
use crate::store::{bookings, series};

/// How much of a series.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SeriesPart)]
pub enum Part {
    /// All that lies ahead.
    #[default]
    All,
    /// What follows from an occurrence on, that one included.
    Following,
}

impl Part {
    /// The occurrence from which on it is; none for all.
    ///
    /// # Errors
    /// 422 when it is missing, or stands where it has no meaning.
    pub fn from(self, from: Option<Local>) -> Result<Option<Local>, Problem> {
        let wrong = |code, detail: &str| Err(Problem::invalid_field("/from", code, detail));
        match (self, from) {
            (Self::All, None) | (Self::Following, Some(_)) => Ok(from),
            (Self::All, Some(_)) => wrong("not_allowed", "It is for the scope `following`."),
            (Self::Following, None) => wrong("required", "Say from which occurrence on."),
        }
    }
}

/// What is to be different; what is absent stays.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChangeSeries)]
pub struct Request {
    /// All that lies ahead, or what follows from an occurrence on.
    #[garde(skip)]
    #[serde(default)]
    pub scope: Part,
    /// The occurrence, by the `occurrence` of its booking; for `following`.
    #[garde(skip)]
    pub from: Option<Local>,
    /// The new time of day by the clock of the series' zone; each booking keeps its day.
    #[garde(skip)]
    #[schema(value_type = Option<String>, example = "10:30")]
    pub starts_at: Option<Time>,
    /// The new length, in minutes: 1 to 44640.
    #[garde(range(min = 1, max = 44_640))]
    #[schema(minimum = 1, maximum = 44640)]
    pub duration_minutes: Option<i32>,
    /// The new resource; or several in `resources`.
    #[garde(skip)]
    pub resource_id: Option<ResourceId>,
    /// The new resources, all of them: 1 to 20.
    #[garde(length(min = 1, max = 20), dive)]
    #[schema(min_items = 1, max_items = 20)]
    pub resources: Option<Vec<RequestedResource>>,
    /// The new title: at most 200 characters.
    #[garde(length(chars, max = 200))]
    #[schema(max_length = 200)]
    pub title: Option<String>,
    /// Why: at most 500 characters.
    #[garde(length(chars, max = 500))]
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

impl Request {
    fn wanted(&self) -> Result<Option<Vec<Wanted>>, Problem> {
        let is_given = self.resource_id.is_some() || self.resources.is_some();
        is_given.then(|| wanted(self.resource_id, self.resources.as_deref())).transpose()
    }

    fn check(&self) -> Result<(), Problem> {
        if self.starts_at.is_some_and(|time| time.subsec_nanosecond() != 0) {
            return Err(Problem::invalid_field("/starts_at", "invalid", "Whole seconds only."));
        }
        let says_nothing =
            self.starts_at.is_none() && self.duration_minutes.is_none() && self.title.is_none();
        if says_nothing && self.resource_id.is_none() && self.resources.is_none() {
            return Err(Problem::invalid_field("/starts_at", "nothing_to_change", "Say what is to change."));
        }
        Ok(())
    }

    /// The time of a booking after the change, and what the clocks do to it.
    fn slot(&self, before: &Slot, zone: &TimeZone) -> Option<(Slot, Option<Note>)> {
        let (starts_at, note) = match self.starts_at {
            None => (before.starts_at(), None),
            Some(time) => resolve(zone.to_datetime(before.starts_at()).date().to_datetime(time), zone)?,
        };
        let length = self
            .duration_minutes
            .map_or_else(|| before.duration(), |minutes| jiff::SignedDuration::from_mins(i64::from(minutes)));
        Some((Slot::new(starts_at, starts_at.checked_add(length).ok()?).ok()?, note))
    }
}

/// Changes those bookings of a series that have not begun; all or none. One booking alone is moved as any other.
#[utoipa::path(
    post,
    path = "/api/v1/series/{id}/change",
    operation_id = "change_series",
    tag = "series",
    summary = "Change what of a series lies ahead",
    params(
        ("id" = SeriesId, Path, description = "The series"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still its version")
    ),
    request_body = Request,
    responses(
        (status = 200, description = "Changed", body = SeriesDetails),
        (status = 403, description = "outside_remit"),
        (status = 404, description = "not_found"),
        (status = 409, description = "series_conflict (with `occurrences` and `conflict_id`), series_over, too_late_to_cancel"),
        (status = 412, description = "stale_version"),
        (status = 422, description = "invalid_input, policy_violated (with `broken`, `occurrences`), not_enough_units")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn change_series(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Path(id): Path<SeriesId>,
    version: Option<IfMatch>,
    Json(request): Json<Request>,
) -> Result<Answer, Problem> {
    request.check()?;
    let from = request.scope.from(request.from)?;
    let wanted = request.wanted()?;
    let attempt = || attempt(&app, &actor, id, version, &request, from, wanted.as_deref());
    recorded(&app, &actor, step::runs(attempt).await).await
}

/// One run of the transaction.
async fn attempt(
    app: &App,
    actor: &Actor,
    id: SeriesId,
    version: Option<IfMatch>,
    request: &Request,
    from: Option<Local>,
    wanted: Option<&[Wanted]>,
) -> Result<Answer, Problem> {
    let act = step::act(app, actor);
    let mut tx = app.context.db.begin(actor.organization).await?;
    let (mut found, ahead) = series::for_change(&mut tx, actor, id, version, from, act.now).await?;
    if ahead.is_empty() {
        return Err(Error::SeriesOver.into());
    }
    let asked: Vec<ResourceId> = wanted.unwrap_or_default().iter().map(|one| one.resource_id).collect();
    let had: Vec<ResourceId> =
        ahead.iter().flat_map(|one| &one.resources).map(|one| one.resource_id).collect();
    let concerned: Vec<ResourceId> = asked.iter().chain(&had).copied().collect();
    let (mut tx, known) = step::look(app, actor, tx, &concerned, &[found.user_id]).await?;
    let fresh: Vec<ResourceId> = asked.iter().filter(|id| !had.contains(id)).copied().collect();
    step::demand_seen(&known, &fresh, &asked)?;
    if found.created_by != actor.user {
        step::demand_reach(&known, actor, found.user_id, &asked)?;
    }
    step::demand_bookable(&known.tree, &fresh, &asked)?;
    let drafts = moved(&found, &ahead, request, wanted, &known)?;
    let changes = judged(&mut tx, app, actor, &known, &ahead, drafts.clone(), request).await?;
    if let Applied::No(rivals) = write::apply(&mut tx, &act, &known.tree, &changes).await? {
        return Err(plan::refuse(&mut tx, app, actor, &known, drafts, &rivals).await?);
    }
    if from.is_none() {
        redefine(&mut found, request, wanted);
    }
    (found.version, found.updated_at) = (found.version + 1, act.now);
    series::save(&mut tx, actor.organization, &found).await?;
    let concerned = changes.iter().map(|change| change.after.id).collect();
    let event = SeriesChanged { series: found.wire(from, concerned) };
    events::append(&mut tx, actor.organization, &act.origin, &event, act.now).await?;
    let all = series::bookings(&mut tx, actor, id).await?;
    tx.commit().await?;
    Answer::ok(found.version, &SeriesDetails::of(found, all))
}

/// The bookings as they are asked for now.
fn moved(
    series: &Series,
    ahead: &[Booking],
    request: &Request,
    wanted: Option<&[Wanted]>,
    known: &Known,
) -> Result<Vec<Draft>, Problem> {
    let zone = TimeZone::get(&series.time_zone).map_err(|error| Problem::internal(&error))?;
    let drafts = ahead.iter().map(|before| {
        let (slot, note) = request.slot(&before.slot, &zone)?;
        let resources = wanted.map_or_else(|| before.resources.clone(), |wanted| booked(&known.tree, wanted));
        let local = before.series.map_or(series.starts_at, |(_, local)| local);
        let title = request.title.clone().or_else(|| before.title.clone());
        let booking = Booking { slot, resources, title, ..before.clone() };
        Some(Draft { occurrence: Occurrence { local, starts_at: slot.starts_at(), note }, booking })
    });
    let all: Option<Vec<Draft>> = drafts.collect();
    all.ok_or_else(|| Problem::invalid_field("/starts_at", "too_far", "It is at the end of time."))
}

/// The changes under the rules and quotas; those that only change their title are not judged anew.
async fn judged(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    known: &Known,
    ahead: &[Booking],
    drafts: Vec<Draft>,
    request: &Request,
) -> Result<Vec<Change>, Problem> {
    let ids: Vec<_> = ahead.iter().map(|before| before.id).collect();
    let mut planner = plan::Planner::new(tx, app, actor, known, Ledger::without(&ids));
    let judged = planner.judge_changes(ahead, drafts).await?;
    let now = app.context.clock.now();
    let mut changes = Vec::new();
    for (before, asked) in ahead.iter().zip(judged) {
        let is_late = before.is_past_deadline(now) && asked.slot.starts_at() != before.slot.starts_at();
        if is_late && !bookings::is_managed_by(tx, before, actor).await? {
            return Err(Error::TooLateToCancel.into());
        }
        changes.push(change(known, before, asked, now, request)?);
    }
    Ok(changes)
}

fn change(
    known: &Known,
    before: &Booking,
    asked: Booking,
    now: Timestamp,
    request: &Request,
) -> Result<Change, Problem> {
    let reason = request.reason.clone();
    if asked.slot == before.slot && asked.wanted() == before.wanted() {
        let after = Booking { title: asked.title, ..before.clone().touch(now) };
        return Ok(Change::step(before.clone(), after, Told::Changed, reason));
    }
    let after = before.clone().relocate(asked.slot, asked.resources, asked.terms, now)?;
    let flag = step::flag_after(&known.tree, before, &after);
    let after = Booking { quote: asked.quote, priority: asked.priority, title: asked.title, flag, ..after };
    Ok(Change::step(before.clone(), after, Told::Moved, reason))
}

/// The series as a whole is another one.
fn redefine(series: &mut Series, request: &Request, wanted: Option<&[Wanted]>) {
    if let Some(time) = request.starts_at {
        series.starts_at = Local(series.starts_at.0.date().to_datetime(time));
    }
    series.duration_minutes = request.duration_minutes.unwrap_or(series.duration_minutes);
    series.title = request.title.clone().or_else(|| series.title.take());
    if let Some(wanted) = wanted {
        series.resources = wanted.to_vec();
    }
}
