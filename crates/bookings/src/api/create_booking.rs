//! `POST /api/v1/bookings`: a booking, or a hold for someone who makes up their mind.

use std::collections::BTreeSet;

use axum::extract::State;
use garde::Validate;
use jiff::{SignedDuration, Timestamp};
use kernel::role::{BookingsManage, BookingsOwn};
use kernel::{BookingId, ConflictId, ResourceId, Slot, UserId};
use platform::auth::{Actor, Can};
use platform::http::Problem;
use platform::idempotency::{Answer, Idempotent};
use serde::Deserialize;
use utoipa::ToSchema;

use super::refusal::{recorded, refuse};
use super::{BookingBody, preempt, step};
use crate::App;
use crate::booking::{BookedResource, Booking, Status, Wanted, reference};
use crate::error::{Error, invalid_slot};
use crate::guest::Guest;
use crate::store::conflicts;
use crate::store::resources::Tree;
use crate::store::write::{self, Applied, Change};
use crate::terms::Terms;

/// What to book, when, and for whom.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateBooking)]
pub struct Request {
    /// The one resource to book; or several in `resources`.
    #[garde(skip)]
    pub resource_id: Option<ResourceId>,
    /// Resources to book together, all or none: 1 to 20.
    #[garde(length(min = 1, max = 20), dive)]
    #[schema(min_items = 1, max_items = 20)]
    pub resources: Option<Vec<RequestedResource>>,
    /// When it starts, with an offset.
    #[garde(skip)]
    #[schema(example = "2026-11-23T14:00:00+01:00")]
    pub starts_at: Timestamp,
    /// When it ends, with an offset; the instant itself is free again.
    #[garde(skip)]
    #[schema(example = "2026-11-23T15:30:00+01:00")]
    pub ends_at: Timestamp,
    /// What it is for: at most 200 characters.
    #[garde(length(chars, max = 200))]
    #[schema(max_length = 200, example = "Design review")]
    pub title: Option<String>,
    /// How many people come: 1 to 100000.
    #[garde(range(min = 1, max = 100_000))]
    #[schema(minimum = 1, maximum = 100_000, example = 6)]
    pub attendees: Option<i32>,
    /// Who is invited: 200 at most. Users among them see the booking.
    #[garde(length(max = 200), dive)]
    #[schema(max_items = 200)]
    #[serde(default)]
    pub guests: Vec<Guest>,
    /// Whose it is to be; the caller's when absent. Needs `bookings.manage` for others.
    #[garde(skip)]
    pub on_behalf_of: Option<UserId>,
    /// Hold the slot for so long and wait for a confirmation: 1 to 3600 seconds.
    #[garde(range(min = 1, max = 3600))]
    #[schema(minimum = 1, maximum = 3600)]
    pub hold_seconds: Option<i64>,
    /// The refusal after which this is booked instead: its `conflict_id`.
    #[garde(skip)]
    pub conflict_id: Option<ConflictId>,
}

/// A resource to book.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestedResource {
    /// The resource.
    #[garde(skip)]
    pub resource_id: ResourceId,
    /// How many of its units: 1 to 1000, 1 when absent.
    #[garde(range(min = 1, max = 1000))]
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 1000, default = 1)]
    pub units: i32,
}

const fn one() -> i32 {
    1
}

impl Request {
    /// The booking that is asked for, without its resources.
    pub(super) fn booking(&self, actor: &Actor, now: Timestamp) -> Result<Booking, Problem> {
        let slot = Slot::new(self.starts_at, self.ends_at).map_err(invalid_slot)?;
        let user_id = self.on_behalf_of.unwrap_or(actor.user);
        if user_id != actor.user && !actor.may::<BookingsManage>() {
            return Err(Error::OnBehalfForbidden.into());
        }
        let id = BookingId::mint();
        Ok(Booking {
            id,
            reference: reference(id),
            version: 1,
            status: if self.hold_seconds.is_some() { Status::Held } else { Status::Confirmed },
            user_id,
            created_by: actor.user,
            title: self.title.clone(),
            slot,
            resources: Vec::new(),
            attendees: self.attendees,
            guests: self.guests.clone(),
            priority: 0,
            quote: None,
            terms: Terms::default(),
            expires_at: self.hold_seconds.map(|seconds| now + SignedDuration::from_secs(seconds)),
            checked_in_at: None,
            released_at: None,
            flag: None,
            series: None,
            created_at: now,
            updated_at: now,
        })
    }
}

/// The resources that a request names, one or several, each once.
pub(super) fn wanted(
    one: Option<ResourceId>,
    several: Option<&[RequestedResource]>,
) -> Result<Vec<Wanted>, Problem> {
    let wanted: Vec<Wanted> = match (one, several) {
        (Some(resource_id), None) => vec![Wanted { resource_id, units: 1 }],
        (None, Some(resources)) => {
            resources.iter().map(|one| Wanted { resource_id: one.resource_id, units: one.units }).collect()
        }
        _ => {
            let detail = "Send either resource_id or resources.";
            return Err(Problem::invalid_field("/resource_id", "one_of", detail));
        }
    };
    let ids: BTreeSet<_> = wanted.iter().map(|wanted| wanted.resource_id).collect();
    if ids.len() < wanted.len() {
        let detail = "A resource stands here twice; raise its units instead.";
        return Err(Problem::invalid_field("/resources", "repeated", detail));
    }
    Ok(wanted)
}

/// Books.
#[utoipa::path(
    post,
    path = "/api/v1/bookings",
    operation_id = "create_booking",
    tag = "bookings",
    summary = "Book, or hold for a moment",
    request_body = Request,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat a request safely: the first answer is given again for 24 h")),
    responses(
        (status = 201, description = "Booked", body = BookingBody),
        (status = 403, description = "permission_required, outside_remit"),
        (status = 409, description = "slot_taken (with `conflicts`, `alternatives` and `conflict_id`), request_in_progress"),
        (status = 422, description = "invalid_input, policy_violated (with `broken`, `conflicts`, `alternatives`), not_enough_units, idempotency_key_reused"),
        (status = 503, description = "service_unavailable, busy, database_unavailable")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn create_booking(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    request: Idempotent<Request>,
) -> Result<Answer, Problem> {
    let wanted = wanted(request.body.resource_id, request.body.resources.as_deref())?;
    let ids: Vec<_> = wanted.iter().map(|wanted| wanted.resource_id).collect();
    step::invite(&app, &actor, &request.body.guests).await?;
    recorded(&app, &actor, step::runs(|| rounds(&app, &actor, &request, &wanted, &ids)).await).await
}

/// How one run of the transaction ended.
enum Attempt {
    /// Booked, or answered before.
    Done(Answer),
    /// These would have to make way, and may: another run, with them.
    Preempt(BTreeSet<BookingId>),
}

/// Runs of the transaction until nobody more has to make way; each adds at least one who has.
async fn rounds(
    app: &App,
    actor: &Actor,
    request: &Idempotent<Request>,
    wanted: &[Wanted],
    ids: &[ResourceId],
) -> Result<Answer, Problem> {
    let mut losers = BTreeSet::new();
    loop {
        match attempt(app, actor, request, (wanted, ids), &losers).await? {
            Attempt::Done(answer) => return Ok(answer),
            Attempt::Preempt(more) => losers = more,
        }
    }
}

/// One run of the transaction.
async fn attempt(
    app: &App,
    actor: &Actor,
    request: &Idempotent<Request>,
    (wanted, ids): (&[Wanted], &[ResourceId]),
    losers: &BTreeSet<BookingId>,
) -> Result<Attempt, Problem> {
    let act = step::act(app, actor);
    let mut tx = app.context.db.begin_planned(actor.organization).await?;
    if let Some(answer) = request.replay(&mut tx, actor, act.now).await? {
        return Ok(Attempt::Done(answer));
    }
    let mut booking = request.body.booking(actor, act.now)?;
    // Bookings before resources, as everywhere.
    let locked = preempt::lock(&mut tx, &act, losers).await?;
    let theirs = locked.iter().flat_map(|one| &one.resources).map(|one| one.resource_id);
    let concerned: Vec<_> = ids.iter().copied().chain(theirs).collect();
    let (mut tx, known) = step::look(app, actor, tx, &concerned, &[booking.user_id]).await?;
    step::demand_seen(&known, ids, ids)?;
    step::demand_reach(&known, actor, booking.user_id, ids)?;
    step::demand_open_account(&known, booking.user_id, "/on_behalf_of")?;
    step::demand_bookable(&known.tree, ids, ids)?;
    booking.resources = booked(&known.tree, wanted);
    let mut booking = step::judge(&mut tx, app, actor, &known, booking, None).await?;
    if booking.status != Status::Held {
        booking.status = booking.asked_for();
    }
    let lost = preempt::changes(&mut tx, &act, &booking, locked).await?;
    let changes: Vec<_> = lost.iter().cloned().chain([Change::create(booking.clone())]).collect();
    if let Applied::No(rivals) = write::apply(&mut tx, &act, &known.tree, &changes).await? {
        let rivals: Vec<_> = rivals.into_values().flatten().collect();
        // What may yet lapse takes nobody's place.
        if booking.status == Status::Confirmed
            && let Some(losers) =
                preempt::losers(&mut tx, &act, &known.tree, &booking, losers, &rivals).await?
        {
            return Ok(Attempt::Preempt(losers));
        }
        return Err(refuse(&mut tx, app, actor, &known, &booking, Vec::new(), &rivals).await?);
    }
    preempt::tell(&mut tx, &act, &booking, &lost).await?;
    conflicts::booked(&mut tx, &act, request.body.conflict_id, &booking).await?;
    let location = format!("/api/v1/bookings/{}", booking.id);
    let answer = Answer::created(&location, booking.version, &BookingBody::from(booking))?;
    request.record(&mut tx, actor, &answer, act.now).await?;
    tx.commit().await?;
    Ok(Attempt::Done(answer))
}

/// The resources as they stand in the booking.
pub(super) fn booked(tree: &Tree, wanted: &[Wanted]) -> Vec<BookedResource> {
    wanted
        .iter()
        .filter_map(|one| tree.get(&one.resource_id).map(|resource| resource.booked(one.units)))
        .collect()
}
