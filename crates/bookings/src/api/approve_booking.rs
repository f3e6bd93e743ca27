//! `POST /api/v1/bookings/{id}/approve`: one of those who have to agree does.

use axum::extract::State;
use kernel::BookingId;
use kernel::role::BookingsOwn;
use platform::auth::{Actor, Can};
use platform::db::Tx;
use platform::http::{IfMatch, Json, Path, Problem};
use platform::idempotency::Answer;

use super::BookingBody;
use super::refusal::{recorded, refuse};
use super::step::{self, Reason};
use crate::App;
use crate::booking::{Booking, Status};
use crate::store::bookings::{self, Lock};
use crate::store::resources::Tree;
use crate::store::told::Told;
use crate::store::write::{self, Act, Applied, Change};
use crate::store::{approvals, resources};

/// Approves. The last approval makes the booking stand; requests that it leaves no room for are refused with it.
#[utoipa::path(
    post,
    path = "/api/v1/bookings/{id}/approve",
    operation_id = "approve_booking",
    tag = "approvals",
    summary = "Approve a request",
    description = "For those whom the rules name, for their delegates, and after an escalation for those it names. Nobody approves a request of their own.",
    params(
        ("id" = BookingId, Path, description = "The booking"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still its version")
    ),
    request_body = Reason,
    responses(
        (status = 200, description = "Approved; it stands when nobody else has to agree", body = BookingBody),
        (status = 403, description = "not_an_approver"),
        (status = 404, description = "not_found"),
        (status = 409, description = "invalid_transition, request_expired, already_decided, slot_taken"),
        (status = 412, description = "stale_version")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn approve_booking(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Path(id): Path<BookingId>,
    version: Option<IfMatch>,
    Json(request): Json<Reason>,
) -> Result<Answer, Problem> {
    recorded(&app, &actor, step::runs(|| attempt(&app, &actor, id, version, &request)).await).await
}

/// One run of the transaction.
async fn attempt(
    app: &App,
    actor: &Actor,
    id: BookingId,
    version: Option<IfMatch>,
    request: &Reason,
) -> Result<Answer, Problem> {
    let act = step::act(app, actor);
    let mut tx = app.context.db.begin_planned(actor.organization).await?;
    let seen = bookings::load(&mut tx, actor.organization, id, Lock::None).await?;
    let seen = seen.ok_or_else(|| Problem::not_found("booking"))?;
    let ids: Vec<_> = seen.resources.iter().map(|one| one.resource_id).collect();
    // The resources before the request: approvals of rivals then come one after the other, and each finds all others.
    let (mut tx, known) = step::look(app, actor, tx, &ids, &[seen.user_id]).await?;
    let before = approvals::begin(&mut tx, actor, id, version, act.now).await?;
    if before.resources != seen.resources {
        return Err(Problem::unavailable("busy", "It was changed meanwhile. Try again.", 1).or_run_again());
    }
    let reason = request.reason.as_deref();
    let approvals = approvals::decide(&mut tx, actor, &before, true, reason, act.now).await?;
    let after = before.clone().approve(approvals, act.now)?;
    let told = if after.status == Status::Confirmed { Told::Confirmed } else { Told::Approved };
    let change = Change::step(before, after.clone(), told, request.reason.clone());
    if let Applied::No(rivals) = write::apply(&mut tx, &act, &known.tree, &[change]).await? {
        let rivals: Vec<_> = rivals.into_values().flatten().collect();
        return Err(refuse(&mut tx, app, actor, &known, &after, Vec::new(), &rivals).await?);
    }
    if after.status == Status::Confirmed {
        reject_rivals(&mut tx, &act, &known.tree, &after).await?;
    }
    let version = after.version;
    let body = BookingBody::for_decision(&mut tx, after, actor).await?;
    tx.commit().await?;
    Answer::ok(version, &body)
}

/// Requests that blocked nobody, and for which there is no room any more.
async fn reject_rivals(tx: &mut Tx, act: &Act, tree: &Tree, winner: &Booking) -> Result<(), Problem> {
    let requests = approvals::rivals(tx, act.organization, tree, winner).await?;
    for before in requests {
        let ids: Vec<_> = before.resources.iter().map(|one| one.resource_id).collect();
        let tree = resources::tree(tx, act.organization, &ids).await?;
        let mut wants = before.clone();
        wants.terms.blocks = true;
        match write::rivals(tx, act, &tree, &wants).await {
            Ok(rivals) if rivals.is_empty() => continue,
            Ok(_) => {}
            // The pool has shrunk meanwhile: there is no room for it either.
            Err(problem) if problem.code == "not_enough_units" => {}
            Err(problem) => return Err(problem),
        }
        // One whose time has run out is the timed job's.
        let Ok(after) = before.clone().reject(act.now) else { continue };
        let reason = Some(format!("{} was approved for this time.", winner.reference));
        write::step(tx, act, Change::step(before, after, Told::Rejected, reason)).await?;
    }
    Ok(())
}
