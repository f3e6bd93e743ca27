//! `POST /api/v1/credits/{user_id}/grant`: credit for somebody to pay bookings with.

use axum::extract::State;
use garde::Validate;
use kernel::role::BookingsManage;
use kernel::{Money, UserId};
use platform::auth::{Can, outside_remit};
use platform::http::{Path, Problem};
use platform::idempotency::{Answer, Idempotent};
use serde::Deserialize;
use utoipa::ToSchema;

use super::get_credits::CreditEntry;
use super::{learn, step};
use crate::App;
use crate::store::{credits, reach};

/// How much, and why.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GrantCredit)]
pub struct Request {
    /// Minor units: 1 to 1,000,000,000,000.
    #[garde(range(min = 1, max = 1_000_000_000_000))]
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64, example = 5000)]
    pub amount: i64,
    /// Three capital letters (ISO 4217).
    #[garde(skip)]
    pub currency: kernel::money::Currency,
    /// Why: at most 500 characters.
    #[garde(length(chars, max = 500))]
    #[schema(max_length = 500, example = "Term allowance")]
    pub reason: Option<String>,
}

/// Adds to somebody's credit.
#[utoipa::path(
    post,
    path = "/api/v1/credits/{user_id}/grant",
    operation_id = "grant_credit",
    tag = "credits",
    summary = "Give somebody credit",
    request_body = Request,
    params(
        ("user_id" = UserId, Path, description = "Whose it is to be"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeat a request safely: the first answer is given again for 24 h")
    ),
    responses(
        (status = 201, description = "Granted", body = CreditEntry),
        (status = 403, description = "permission_required, outside_remit"),
        (status = 404, description = "not_found"),
        (status = 409, description = "request_in_progress"),
        (status = 422, description = "invalid_input, idempotency_key_reused"),
        (status = 503, description = "service_unavailable, database_unavailable")
    ),
    extensions(("x-permission" = json!("bookings.manage")))
)]
pub async fn grant_credit(
    actor: Can<BookingsManage>,
    State(app): State<App>,
    Path(user_id): Path<UserId>,
    request: Idempotent<Request>,
) -> Result<Answer, Problem> {
    if !learn::meet(&app, &actor, user_id).await? {
        return Err(Problem::not_found("user"));
    }
    let act = step::act(&app, &actor);
    let now = act.now;
    let mut tx = app.context.db.begin(actor.organization).await?;
    if let Some(answer) = request.replay(&mut tx, &actor, now).await? {
        return Ok(answer);
    }
    if !reach::covers(&mut tx, &actor, user_id, []).await? {
        return Err(outside_remit());
    }
    let body = &request.body;
    let money = Money { amount: body.amount, currency: body.currency.clone() };
    let id = credits::grant(&mut tx, &act, user_id, &money, body.reason.as_deref()).await?;
    let entry = CreditEntry {
        id,
        kind: "grant".to_owned(),
        amount: money.amount,
        currency: money.currency.to_string(),
        booking_id: None,
        reason: body.reason.clone(),
        created_by: Some(actor.user),
        created_at: now,
    };
    let answer = Answer::created(&format!("/api/v1/credits/{user_id}"), 1, &entry)?;
    request.record(&mut tx, &actor, &answer, now).await?;
    tx.commit().await?;
    Ok(answer)
}
