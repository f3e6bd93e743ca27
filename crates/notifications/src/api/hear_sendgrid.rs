//! `POST /api/v1/provider-events/sendgrid`: SendGrid tells what became of mails.

use axum::body::Bytes;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use platform::http::Problem;

use crate::App;
use crate::error::Error;
use crate::fate::sendgrid::read;
use crate::store::fates::record;

/// Takes a batch of events that SendGrid has signed. What is known already, or of no mail of ours, changes nothing.
///
/// # Errors
/// When it is not SendGrid's, or none is expected.
#[utoipa::path(
    post,
    path = "/api/v1/provider-events/sendgrid",
    operation_id = "hear_sendgrid",
    tag = "providers",
    summary = "SendGrid's Event Webhook",
    request_body(content = Vec<serde_json::Value>, description = "Events, as SendGrid writes them"),
    responses(
        (status = 204, description = "Taken"),
        (status = 400, description = "unreadable_report"),
        (status = 403, description = "wrong_signature"),
        (status = 404, description = "not_found: nothing is expected of SendGrid here")
    ),
)]
pub async fn hear_sendgrid(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let key = app.event_key.as_ref().ok_or_else(|| Problem::not_found("provider"))?;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let timestamp = header("x-twilio-email-event-webhook-timestamp");
    let signature = header("x-twilio-email-event-webhook-signature");
    if !key.is_real(timestamp, signature, &body, app.context.clock.now()) {
        return Err(Error::WrongSignature.into());
    }
    let news = read(&body).map_err(|error| Error::WrongReport(error.to_string()))?;
    for news in &news {
        record(&app, news).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
