//! `PUT /api/v1/notification-phone`: the caller wants short messages at a number, to which a code is sent.

use axum::extract::State;
use garde::Validate;
use http::StatusCode;
use kernel::role::NotificationsOwn;
use platform::auth::Can;
use platform::http::{Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::App;
use crate::delivery::Outcome;
use crate::phone::{Number, mint};
use crate::sms::Text;
use crate::store::erasure::is_forgotten;
use crate::store::phones::{Phone, find, keep};

/// How long until another try makes sense, in seconds.
const AGAIN: u32 = 60;

/// A number.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PutPhone)]
pub struct Request {
    /// With its country. Spaces, hyphens, points, slashes and brackets are left out.
    #[schema(max_length = 40, example = "+351 912 345 678")]
    #[garde(length(max = 40))]
    pub number: String,
}

/// Keeps the number, and sends a code to it. The one that is proved already is kept as it is.
///
/// # Errors
/// When it is none, after too many codes, or when nobody takes short messages.
#[utoipa::path(
    put,
    path = "/api/v1/notification-phone",
    operation_id = "put_phone",
    tag = "notifications",
    summary = "Send me short messages to this number",
    request_body = Request,
    responses(
        (status = 200, description = "The number, which is proved already", body = Phone),
        (status = 202, description = "A code was sent to the number", body = Phone),
        (status = 404, description = "not_found"),
        (status = 409, description = "too_many_codes"),
        (status = 422, description = "invalid_input"),
        (status = 503, description = "sms_unavailable")
    ),
    extensions(("x-permission" = json!("notifications.own")))
)]
pub async fn put_phone(
    State(app): State<App>,
    actor: Can<NotificationsOwn>,
    Json(request): Json<Request>,
) -> Result<(StatusCode, Json<Phone>), Problem> {
    let Some(texters) = &app.texters else {
        return Err(Problem::invalid_field("/number", "not_set_up", "No short messages are sent here."));
    };
    let number: Number = request
        .number
        .parse()
        .map_err(|detail: &str| Problem::invalid_field("/number", "phone_number", detail))?;
    let whose = (actor.organization, actor.user);
    let (code, now) = (mint(), app.context.clock.now());
    let mut tx = app.context.db.begin(actor.organization).await?;
    if is_forgotten(&mut tx, actor.organization, actor.user).await? {
        return Err(Problem::not_found("account"));
    }
    let known = find(&mut tx, whose).await?.filter(|phone| phone.is_verified && phone.number == number);
    if let Some(phone) = known {
        return Ok((StatusCode::OK, Json(phone)));
    }
    keep(&mut tx, whose, &number, &code, now).await?;
    tx.commit().await?;
    let body = format!("{code} · Reservas");
    let text = Text { organization: actor.organization, delivery: None, to: number.clone(), body, at: now };
    let tries = texters.send(&text).await;
    match tries.last().map(|last| &last.outcome) {
        Some(Outcome::Sent(_)) => Ok((StatusCode::ACCEPTED, Json(Phone { number, is_verified: false }))),
        Some(Outcome::NoSuchAddress(_) | Outcome::Permanent(_)) => {
            let detail = "Nobody takes short messages at this number.";
            Err(Problem::invalid_field("/number", "no_such_number", detail))
        }
        other => {
            tracing::warn!(outcome = other.map_or("resting", Outcome::name), "a code cannot be sent");
            Err(Problem::unavailable("sms_unavailable", "The code cannot be sent at the moment.", AGAIN))
        }
    }
}
