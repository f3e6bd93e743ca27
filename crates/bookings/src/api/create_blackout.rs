//! `POST /api/v1/blackouts`: a time in which nobody can book.

use axum::extract::State;
use contracts::bookings::BlackoutCreated;
use contracts::rules::Scope;
use garde::Validate;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::role::BookingsManage;
use kernel::{BlackoutId, BookingId, OrganizationId, ResourceId, Slot};
use platform::auth::{Actor, Can};
use platform::db::Tx;
use platform::events;
use platform::http::Problem;
use platform::idempotency::{Answer, Idempotent};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::step;
use crate::App;
use crate::error::invalid_slot;
use crate::store::blackouts::CLOSED;
use crate::store::bookings::{self, Lock};
use crate::store::told::Told;
use crate::store::write::{self, Act, Change};
use crate::store::{blackouts, reach, resources};

/// Resources that one blackout is over at most.
const MOST: usize = 10_000;

/// Bookings that may stand there already, at most: each is flagged, with an event of its own, in the same transaction.
const MOST_FLAGGED: usize = 1000;

/// What is closed, and when.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateBlackout)]
pub struct Request {
    /// What kind of thing is closed: the organization, a type, a location with all below it, or a resource with its parts.
    #[garde(skip)]
    pub scope: Scope,
    /// Its id.
    #[garde(skip)]
    pub scope_id: Uuid,
    /// From when, with an offset.
    #[garde(skip)]
    #[schema(example = "2026-12-24T12:00:00+01:00")]
    pub starts_at: Timestamp,
    /// Until when, with an offset.
    #[garde(skip)]
    #[schema(example = "2026-12-27T00:00:00+01:00")]
    pub ends_at: Timestamp,
    /// Why, for people: 1 to 200 characters.
    #[garde(length(chars, min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, example = "Renovation")]
    pub reason: String,
}

/// A blackout.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Blackout)]
pub struct BlackoutBody {
    /// Its id.
    pub id: BlackoutId,
    /// What kind of thing is closed.
    pub scope: Scope,
    /// Its id.
    pub scope_id: Uuid,
    /// From when.
    pub starts_at: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
    /// Why.
    pub reason: String,
    /// Bookings that stood there already: they stay, and are flagged. Told once, when it is made.
    pub flagged: Vec<BookingId>,
}

/// Closes. Bookings that stand there already are never dropped: they are flagged, and what they give up is closed as well.
#[utoipa::path(
    post,
    path = "/api/v1/blackouts",
    operation_id = "create_blackout",
    tag = "blackouts",
    summary = "Close resources for a time",
    request_body = Request,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat a request safely: the first answer is given again for 24 h")),
    responses(
        (status = 201, description = "Closed", body = BlackoutBody),
        (status = 403, description = "permission_required, outside_remit"),
        (status = 422, description = "invalid_input")
    ),
    extensions(("x-permission" = json!("bookings.manage")))
)]
pub async fn create_blackout(
    actor: Can<BookingsManage>,
    State(app): State<App>,
    request: Idempotent<Request>,
) -> Result<Answer, Problem> {
    step::runs(|| attempt(&app, &actor, &request)).await
}

/// One run of the transaction.
async fn attempt(app: &App, actor: &Actor, request: &Idempotent<Request>) -> Result<Answer, Problem> {
    let (act, body) = (step::act(app, actor), &request.body);
    let slot = Slot::new(body.starts_at, body.ends_at).map_err(invalid_slot)?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    if let Some(answer) = request.replay(&mut tx, actor, act.now).await? {
        return Ok(answer);
    }
    let covered = covered(&mut tx, actor.organization, body).await?;
    let tree = resources::lock(&mut tx, actor.organization, &covered).await?;
    let all: Vec<ResourceId> = tree.keys().copied().collect();
    // Of a single resource its parts are closed as well; of a place or a type those that are there.
    let closed = if body.scope == Scope::Resource { &all } else { &covered };
    reach::demand_places(&mut tx, actor, closed).await?;
    let id = BlackoutId::mint();
    insert(&mut tx, actor, id, body, closed, act.now).await?;
    let limit = i64::try_from(MOST_FLAGGED).unwrap_or(i64::MAX) + 1;
    let hit = blackouts::bookings_within(&mut tx, actor.organization, closed, &slot, limit).await?;
    if hit.len() > MOST_FLAGGED {
        let detail = format!(
            "More than {MOST_FLAGGED} bookings stand there; close shorter times, or the places below it one by one."
        );
        return Err(Problem::invalid_field("/ends_at", "too_many_bookings", detail));
    }
    let flagged = flag(&mut tx, &act, &hit, &body.reason).await?;
    blackouts::fill(&mut tx, actor.organization, closed, &slot).await?;
    let wire = contracts::bookings::Blackout { id, scope: body.scope, scope_id: body.scope_id, slot };
    let event = BlackoutCreated { blackout: wire };
    events::append(&mut tx, actor.organization, &act.origin, &event, act.now).await?;
    let blackout = BlackoutBody {
        id,
        scope: body.scope,
        scope_id: body.scope_id,
        starts_at: body.starts_at,
        ends_at: body.ends_at,
        reason: body.reason.clone(),
        flagged,
    };
    let answer = Answer::created(&format!("/api/v1/blackouts/{id}"), 1, &blackout)?;
    request.record(&mut tx, actor, &answer, act.now).await?;
    tx.commit().await?;
    Ok(answer)
}

/// The resources that are meant.
async fn covered(
    tx: &mut Tx,
    organization: OrganizationId,
    body: &Request,
) -> Result<Vec<ResourceId>, Problem> {
    if body.scope == Scope::Group {
        return Err(Problem::invalid_field("/scope", "not_closable", "A group cannot be closed."));
    }
    let scope = scope_name(body.scope)?;
    let ids = sqlx::query_scalar!(
        "select id from bookings.resource
         where organization_id = $1 and status <> 'retired'
           and case $2 when 'organization' then $3 = $1
                       when 'type' then type_id = $3
                       when 'location' then $3 = any(location_path)
                       else id = $3 end
         order by id limit $4",
        organization.0,
        scope,
        body.scope_id,
        i64::try_from(MOST).unwrap_or(i64::MAX) + 1,
    )
    .fetch_all(&mut **tx)
    .await?;
    if ids.is_empty() {
        return Err(Problem::invalid_field("/scope_id", "not_found", "There is nothing that can be booked."));
    }
    if ids.len() > MOST {
        let detail =
            format!("One blackout is over {MOST} resources at most; close the places below it one by one.");
        return Err(Problem::invalid_field("/scope_id", "too_many", detail));
    }
    Ok(ids.into_iter().map(ResourceId).collect())
}

/// The scope as it stands in the database.
pub(super) fn scope_name(scope: Scope) -> Result<String, Problem> {
    let name = serde_json::to_value(scope).map_err(|error| Problem::internal(&error))?;
    Ok(name.as_str().unwrap_or_default().to_owned())
}

async fn insert(
    tx: &mut Tx,
    actor: &Actor,
    id: BlackoutId,
    body: &Request,
    closed: &[ResourceId],
    now: Timestamp,
) -> Result<(), Problem> {
    let covers: Vec<Uuid> = closed.iter().filter(|_| body.scope == Scope::Resource).map(|id| id.0).collect();
    sqlx::query!(
        "insert into bookings.blackout (organization_id, id, version, scope, scope_id, covers, starts_at, ends_at, reason,
                                        created_by, created_at, updated_at)
         values ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $10)",
        actor.organization.0,
        id.0,
        scope_name(body.scope)?,
        body.scope_id,
        &covers,
        body.starts_at.to_sqlx(),
        body.ends_at.to_sqlx(),
        body.reason,
        actor.user.0,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Bookings that stand there already get somebody to look at them; a hold that ran out is ended by whoever comes next.
async fn flag(tx: &mut Tx, act: &Act, hit: &[BookingId], reason: &str) -> Result<Vec<BookingId>, Problem> {
    let mut flagged = Vec::new();
    for id in hit {
        let Some(before) = bookings::load(tx, act.organization, *id, Lock::ForUpdate).await? else {
            continue;
        };
        if before.slot.ends_at() <= act.now || before.has_expired(act.now) {
            continue;
        }
        let mut after = before.clone().touch(act.now);
        after.flag = Some(format!("{CLOSED}{reason}"));
        write::step(tx, act, Change::step(before, after, Told::Flagged, Some(reason.to_owned()))).await?;
        flagged.push(*id);
    }
    Ok(flagged)
}
