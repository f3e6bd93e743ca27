//! `POST /api/v1/waitlist`: somebody waits for a time that is taken.

use axum::extract::State;
use garde::Validate;
use jiff::Timestamp;
use kernel::role::{BookingsManage, BookingsOwn};
use kernel::{BookingId, ConflictId, ResourceId, Slot, UserId, WaitlistEntryId};
use platform::auth::{Actor, Can};
use platform::db::Tx;
use platform::http::Problem;
use platform::idempotency::{Answer, Idempotent};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::create_booking::{RequestedResource, wanted};
use super::refusal::refuse;
use super::step;
use crate::App;
use crate::booking::Wanted;
use crate::error::{Error, invalid_slot};
use crate::policy::Broken;
use crate::store::known::Known;
use crate::store::{conflicts, resources, waitlist, write};
use crate::waiting::{Entry, WaitlistStatus};

/// Rules that do not come to be kept by waiting.
const LASTING: [&str; 5] = ["access", "access_for_others", "attendees_required", "min_attendees", "seats"];

/// What to wait for.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = JoinWaitlist)]
pub struct Request {
    /// The one resource to wait for; or several in `resources`.
    #[garde(skip)]
    pub resource_id: Option<ResourceId>,
    /// Resources to wait for, all of them together: 1 to 20.
    #[garde(length(min = 1, max = 20), dive)]
    #[schema(min_items = 1, max_items = 20)]
    pub resources: Option<Vec<RequestedResource>>,
    /// When it is to start, with an offset.
    #[garde(skip)]
    #[schema(example = "2026-11-23T14:00:00+01:00")]
    pub starts_at: Timestamp,
    /// When it is to end, with an offset.
    #[garde(skip)]
    #[schema(example = "2026-11-23T15:30:00+01:00")]
    pub ends_at: Timestamp,
    /// A part of the time, of so many minutes at least, is welcome as well: 5 to 44640; only all of it when absent.
    #[garde(range(min = 5, max = 44640))]
    #[schema(minimum = 5, maximum = 44640, example = 30)]
    pub accept_minutes: Option<i32>,
    /// What it is for: at most 200 characters.
    #[garde(length(chars, max = 200))]
    #[schema(max_length = 200, example = "Design review")]
    pub title: Option<String>,
    /// How many people come: 1 to 100000.
    #[garde(range(min = 1, max = 100_000))]
    #[schema(minimum = 1, maximum = 100_000, example = 6)]
    pub attendees: Option<i32>,
    /// Who is to wait; the caller when absent. Needs `bookings.manage` for others.
    #[garde(skip)]
    pub on_behalf_of: Option<UserId>,
    /// The refusal after which they wait: its `conflict_id`.
    #[garde(skip)]
    pub conflict_id: Option<ConflictId>,
}

/// A place in a waitlist.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WaitlistEntry)]
pub struct EntryBody {
    /// Its id.
    pub id: WaitlistEntryId,
    /// Where it is in its life.
    pub status: WaitlistStatus,
    /// Who waits.
    pub user_id: UserId,
    /// What for, all of it together.
    pub resources: Vec<Wanted>,
    /// From when.
    pub starts_at: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
    /// A part of so many minutes is welcome as well.
    pub accept_minutes: Option<i32>,
    /// The hold that is offered; confirm it to take it, cancel it to pass it on.
    pub booking_id: Option<BookingId>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl From<Entry> for EntryBody {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id,
            status: entry.status,
            user_id: entry.user_id,
            resources: entry.resources,
            starts_at: entry.slot.starts_at(),
            ends_at: entry.slot.ends_at(),
            accept_minutes: entry.accept_minutes,
            booking_id: entry.booking_id,
            created_at: entry.created_at,
        }
    }
}

/// Waits. What is free already is offered at once.
#[utoipa::path(
    post,
    path = "/api/v1/waitlist",
    operation_id = "join_waitlist",
    tag = "waitlist",
    summary = "Wait for a time that is taken",
    description = "The order is priority, then time. Whoever is first gets a hold for 15 minutes when it becomes free: confirm it, or it is passed on. What the rules would never allow (who may book, how many people) is refused at once, and so is a 21st place of one person.",
    request_body = Request,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat a request safely: the first answer is given again for 24 h")),
    responses(
        (status = 201, description = "Waiting, or offered when it is free", body = EntryBody),
        (status = 403, description = "permission_required, outside_remit, account_closed"),
        (status = 409, description = "waits_too_often, request_in_progress"),
        (status = 422, description = "invalid_input, policy_violated (with `broken` and `alternatives`), not_enough_units, idempotency_key_reused"),
        (status = 503, description = "service_unavailable")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn join_waitlist(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    request: Idempotent<Request>,
) -> Result<Answer, Problem> {
    step::runs(|| attempt(&app, &actor, &request)).await
}

/// One run of the transaction.
async fn attempt(app: &App, actor: &Actor, request: &Idempotent<Request>) -> Result<Answer, Problem> {
    let (act, body) = (step::act(app, actor), &request.body);
    let mut tx = app.context.db.begin(actor.organization).await?;
    if let Some(answer) = request.replay(&mut tx, actor, act.now).await? {
        return Ok(answer);
    }
    let slot = Slot::new(body.starts_at, body.ends_at).map_err(invalid_slot)?;
    if slot.starts_at() <= act.now {
        return Err(Problem::invalid_field("/starts_at", "in_the_past", "It must not start in the past."));
    }
    let user_id = body.on_behalf_of.unwrap_or(actor.user);
    if user_id != actor.user && !actor.may::<BookingsManage>() {
        return Err(Error::OnBehalfForbidden.into());
    }
    let wanted = wanted(body.resource_id, body.resources.as_deref())?;
    let ids: Vec<ResourceId> = wanted.iter().map(|one| one.resource_id).collect();
    let (mut tx, known) = step::look(app, actor, tx, &ids, &[user_id]).await?;
    step::demand_seen(&known, &ids, &ids)?;
    step::demand_reach(&known, actor, user_id, &ids)?;
    step::demand_open_account(&known, user_id, "/on_behalf_of")?;
    let owner = known.person(user_id);
    let entry = Entry {
        id: WaitlistEntryId::mint(),
        user_id,
        created_by: actor.user,
        title: body.title.clone(),
        attendees: body.attendees,
        priority: known.priority(&wanted, &owner),
        resources: wanted,
        slot,
        accept_minutes: body.accept_minutes,
        status: WaitlistStatus::Waiting,
        booking_id: None,
        created_at: act.now,
    };
    if waitlist::open_entries(&mut tx, actor.organization, user_id).await? >= waitlist::MOST_OPEN {
        return Err(Error::WaitsTooOften { most: waitlist::MOST_OPEN }.into());
    }
    let known = demand_hope(&mut tx, app, actor, known, &entry).await?;
    let nodes: std::collections::BTreeSet<_> =
        ids.iter().flat_map(|id| resources::nodes(&known.tree, *id)).collect();
    let nodes: Vec<ResourceId> = nodes.into_iter().collect();
    waitlist::insert(&mut tx, &act, &entry, &nodes).await?;
    conflicts::waits(&mut tx, &act, body.conflict_id, &entry).await?;
    waitlist::serve(&mut tx, &act, &nodes, &slot).await?;
    let entry = waitlist::find(&mut tx, actor.organization, entry.id).await?.unwrap_or(entry);
    let answer = Answer::created(&format!("/api/v1/waitlist/{}", entry.id), 1, &EntryBody::from(entry))?;
    request.record(&mut tx, actor, &answer, act.now).await?;
    tx.commit().await?;
    Ok(answer)
}

/// Refuses to wait for what could never be offered: not to this person, not for so many people, or more units than there
/// are. Times may yet fit, a part of them or by other hours.
async fn demand_hope(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    mut known: Known,
    entry: &Entry,
) -> Result<Known, Problem> {
    let act = step::act(app, actor);
    let asked = waitlist::hold(entry, &known, act.now);
    let mut broken = known.verdict(&asked, None, act.now).broken;
    // The offer is to the owner, whatever the caller may do for others.
    let owner = known.person(entry.user_id);
    let caller = std::mem::replace(&mut known.actor, owner);
    let offered = known.verdict(&asked, None, act.now).broken;
    known.actor = caller;
    let more: Vec<Broken> = offered.into_iter().filter(|one| !broken.contains(one)).collect();
    broken.extend(more);
    broken.retain(|one| LASTING.contains(&one.rule));
    if !broken.is_empty() {
        return Err(refuse(tx, app, actor, &known, &asked, broken, &[]).await?);
    }
    // Only for its complaint about the units.
    write::rivals(tx, &act, &known.tree, &asked).await?;
    Ok(known)
}
