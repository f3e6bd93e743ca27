//! `POST /api/v1/policies/dry-run`: what would become of a booking, and what changed rules would have refused. Nothing is
//! written.

use axum::extract::State;
use contracts::rules::Scope;
use garde::Validate;
use jiff::Timestamp;
use kernel::role::{BookingsManage, BookingsOwn};
use kernel::{Kind, Slot};
use platform::auth::{Actor, Can};
use platform::db::Tx;
use platform::http::{Json, Problem};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::create_booking::{self, booked, wanted};
use super::{TermsBody, refusal, step};
use crate::App;
use crate::booking::{Booking, Status};
use crate::policy::Broken;
use crate::quote::Quote;
use crate::rules::{Layer, tried};
use crate::store::alternatives::{self, Alternative};
use crate::store::hindsight::{self, Refused};
use crate::store::quotas::{self, Usage};
use crate::store::write::{self, Change};
use crate::store::{credits, known::Known};

/// A booking to try, rules to try, or both.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TryPolicy)]
pub struct Request {
    /// The booking, as it would be sent to `POST /api/v1/bookings`.
    #[garde(dive)]
    pub booking: Option<create_booking::Request>,
    /// Rules to be tried in the place of those that lie there now.
    #[garde(skip)]
    pub rules: Option<TriedRules>,
    /// Past and present bookings to hold against these rules. Needs `bookings.manage`, and `rules`.
    #[garde(skip)]
    pub against_past: Option<Window>,
}

/// Rules to be tried.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TriedRules {
    /// What they would be laid on.
    pub scope: Scope,
    /// Its id.
    pub scope_id: Uuid,
    /// Policy, schedule and prices, as `PUT /api/v1/rules/{id}` takes them.
    #[schema(value_type = contracts::rules::RuleSet)]
    pub rules: Value,
}

/// The bookings that start within a time.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
}

/// What would happen.
#[derive(Debug, Serialize, ToSchema)]
pub struct DryRun {
    /// What would become of the booking; none when none was sent.
    pub booking: Option<Outcome>,
    /// What the rules would have refused; none when that was not asked.
    pub past: Option<Past>,
}

/// What would become of a booking.
#[derive(Debug, Serialize, ToSchema)]
pub struct Outcome {
    /// Whether it would be made.
    pub allowed: bool,
    /// Where in its life it would begin: `held`, `pending` or `confirmed`.
    pub status: Status,
    /// Every rule that it breaks.
    pub broken: Vec<Broken>,
    /// The terms that it would have.
    pub terms: TermsBody,
    /// What it would cost, line by line.
    pub quote: Option<Quote>,
    /// The quotas that it counts against.
    pub quotas: Vec<Usage>,
    /// What is in its way.
    #[schema(value_type = Vec<Object>)]
    pub conflicts: Value,
    /// What the rules allow and is free instead, when it would be refused.
    pub alternatives: Vec<Alternative>,
}

/// What rules would have refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct Past {
    /// How many bookings were looked at: 1000 at most, the first by their start.
    pub looked_at: usize,
    /// Whether there are more.
    pub more: bool,
    /// Those that break a rule which they do not break now, as if they were asked for when they were made.
    pub refused: Vec<Refused>,
}

/// Tries a booking or rules, without writing anything.
#[utoipa::path(
    post,
    path = "/api/v1/policies/dry-run",
    operation_id = "try_policy",
    tag = "rules",
    summary = "Try a booking, or changed rules, without writing",
    request_body = Request,
    responses(
        (status = 200, description = "What would happen", body = DryRun),
        (status = 403, description = "permission_required, outside_remit"),
        (status = 422, description = "invalid_input, not_enough_units"),
        (status = 503, description = "service_unavailable, database_unavailable")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn try_policy(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Json(request): Json<Request>,
) -> Result<Json<DryRun>, Problem> {
    let layer =
        request.rules.as_ref().map(|rules| tried(rules.scope, rules.scope_id, &rules.rules)).transpose();
    let layer = layer.map_err(|flaw| Problem::invalid_field("/rules/rules", "invalid_value", flaw))?;
    let window = request.against_past.map(|window| {
        if !actor.may::<BookingsManage>() {
            let detail = "To look at all bookings needs the permission bookings.manage.";
            return Err(Problem::new(Kind::Forbidden, "permission_required", detail));
        }
        actor.demand_whole()?;
        let slot = Slot::new(window.from, window.to);
        let slot = slot.map_err(|_| {
            let detail = "It ends after `from`, and within ten years.";
            Problem::invalid_field("/against_past/to", "out_of_range", detail)
        })?;
        let layer = layer.clone().ok_or_else(|| {
            Problem::invalid_field("/rules", "required", "Say which rules the bookings are held against.")
        })?;
        Ok((slot, layer))
    });
    let window = window.transpose()?;
    if request.booking.is_none() && window.is_none() {
        return Err(Problem::invalid_field("/booking", "required", "Send a booking, or against_past."));
    }
    let booking = match &request.booking {
        Some(asked) => Some(step::runs(|| outcome(&app, &actor, asked, layer.as_ref())).await?),
        None => None,
    };
    let past = match &window {
        Some((slot, layer)) => {
            let mut tx = app.context.db.begin(actor.organization).await?;
            let (looked_at, more, refused) =
                hindsight::refused(&mut tx, actor.organization, slot, layer).await?;
            Some(Past { looked_at, more, refused })
        }
        None => None,
    };
    Ok(Json(DryRun { booking, past }))
}

/// What would become of a booking. The transaction is never committed.
async fn outcome(
    app: &App,
    actor: &Actor,
    asked: &create_booking::Request,
    layer: Option<&Layer>,
) -> Result<Outcome, Problem> {
    let act = step::act(app, actor);
    let wanted = wanted(asked.resource_id, asked.resources.as_deref())?;
    let ids: Vec<_> = wanted.iter().map(|wanted| wanted.resource_id).collect();
    let mut booking = asked.booking(actor, act.now)?;
    let tx = app.context.db.begin(actor.organization).await?;
    let (mut tx, known) = step::look(app, actor, tx, &ids, &[booking.user_id]).await?;
    step::demand_seen(&known, &ids, &ids)?;
    step::demand_reach(&known, actor, booking.user_id, &ids)?;
    let known = match layer {
        Some(layer) => known.trying(layer.clone()),
        None => known,
    };
    step::demand_bookable(&known.tree, &ids, &ids)?;
    booking.resources = booked(&known.tree, &wanted);
    judged(&mut tx, app, actor, &known, booking).await
}

async fn judged(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    known: &Known,
    booking: Booking,
) -> Result<Outcome, Problem> {
    let act = step::act(app, actor);
    let verdict = known.verdict(&booking, None, act.now);
    let mut booking =
        Booking { quote: verdict.quote, priority: verdict.priority, terms: verdict.terms, ..booking };
    if booking.status != Status::Held {
        booking.status = booking.asked_for();
    }
    let quotas = quotas::usage(tx, actor.organization, &verdict.quotas, &booking, act.now).await?;
    let mut broken = verdict.broken;
    broken.extend(quotas.iter().filter_map(Usage::broken));
    broken.extend(credits::short(tx, &act, &[Change::create(booking.clone())]).await?);
    let rivals = write::rivals(tx, &act, &known.tree, &booking).await?;
    let theirs = refusal::bookings_of(tx, actor, rivals.iter()).await?;
    let conflicts = refusal::named(known, &rivals, &theirs);
    let allowed = broken.is_empty() && rivals.is_empty();
    let alternatives = if allowed {
        Vec::new()
    } else {
        alternatives::find(tx, actor.organization, known, &booking, act.now).await?
    };
    Ok(Outcome {
        allowed,
        status: booking.status,
        broken,
        terms: TermsBody::of(&booking),
        quote: booking.quote,
        quotas,
        conflicts,
        alternatives,
    })
}
