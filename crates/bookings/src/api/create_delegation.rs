//! `POST /api/v1/delegations`: somebody decides in one's place for a while.

use axum::extract::State;
use garde::Validate;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::role::BookingsOwn;
use kernel::{DelegationId, Slot, UserId};
use platform::auth::{Actor, Can};
use platform::http::Problem;
use platform::idempotency::{Answer, Idempotent};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::step;
use crate::App;
use crate::error::invalid_slot;

/// To whom, and when.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateDelegation)]
pub struct Request {
    /// Who decides.
    #[garde(skip)]
    pub delegate_id: UserId,
    /// From when, with an offset.
    #[garde(skip)]
    pub starts_at: Timestamp,
    /// Until when, with an offset.
    #[garde(skip)]
    pub ends_at: Timestamp,
}

/// A delegation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delegation)]
pub struct DelegationBody {
    /// Its id.
    pub id: DelegationId,
    /// In whose place.
    pub user_id: UserId,
    /// Who decides.
    pub delegate_id: UserId,
    /// From when.
    pub starts_at: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
}

/// Delegates. The delegate decides on what the caller may decide on, in the caller's name.
#[utoipa::path(
    post,
    path = "/api/v1/delegations",
    operation_id = "create_delegation",
    tag = "approvals",
    summary = "Let somebody decide in one's place",
    request_body = Request,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat a request safely: the first answer is given again for 24 h")),
    responses(
        (status = 201, description = "Delegated", body = DelegationBody),
        (status = 422, description = "invalid_input"),
        (status = 503, description = "service_unavailable")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn create_delegation(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    request: Idempotent<Request>,
) -> Result<Answer, Problem> {
    step::runs(|| attempt(&app, &actor, &request)).await
}

/// One run of the transaction.
async fn attempt(app: &App, actor: &Actor, request: &Idempotent<Request>) -> Result<Answer, Problem> {
    let (act, body) = (step::act(app, actor), &request.body);
    Slot::new(body.starts_at, body.ends_at).map_err(invalid_slot)?;
    if body.delegate_id == actor.user {
        return Err(Problem::invalid_field("/delegate_id", "yourself", "You decide for yourself already."));
    }
    let mut tx = app.context.db.begin(actor.organization).await?;
    if let Some(answer) = request.replay(&mut tx, actor, act.now).await? {
        return Ok(answer);
    }
    // That there is such a person is found out as for the owner of a booking.
    let (mut tx, _) = step::look(app, actor, tx, &[], &[body.delegate_id]).await?;
    let delegation = DelegationBody {
        id: DelegationId::mint(),
        user_id: actor.user,
        delegate_id: body.delegate_id,
        starts_at: body.starts_at,
        ends_at: body.ends_at,
    };
    sqlx::query!(
        "insert into bookings.delegation (organization_id, id, user_id, delegate_id, starts_at, ends_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        actor.organization.0,
        delegation.id.0,
        delegation.user_id.0,
        delegation.delegate_id.0,
        delegation.starts_at.to_sqlx(),
        delegation.ends_at.to_sqlx(),
        act.now.to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    let answer = Answer::created(&format!("/api/v1/delegations/{}", delegation.id), 1, &delegation)?;
    request.record(&mut tx, actor, &answer, act.now).await?;
    tx.commit().await?;
    Ok(answer)
}
