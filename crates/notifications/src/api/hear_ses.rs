//! `POST /api/v1/provider-events/ses`: Amazon SES tells what became of mails, through a topic of SNS.

use axum::body::Bytes;
use axum::extract::State;
use http::StatusCode;
use platform::http::Problem;

use crate::App;
use crate::error::Error;
use crate::fate::sns::Refusal;
use crate::store::fates::record;

/// How long until the certificate may be had, in seconds.
const AGAIN: u32 = 60;

/// Takes a message of the topic, which Amazon has signed; the wish to confirm the subscription as well. What is known already,
/// or of no mail of ours, changes nothing.
///
/// # Errors
/// When it is not the topic's, none is expected, or Amazon's certificate cannot be had.
#[utoipa::path(
    post,
    path = "/api/v1/provider-events/ses",
    operation_id = "hear_ses",
    tag = "providers",
    summary = "Amazon SES, through SNS",
    request_body(content = serde_json::Value, description = "A message, as SNS writes it"),
    responses(
        (status = 204, description = "Taken"),
        (status = 403, description = "wrong_signature"),
        (status = 404, description = "not_found: nothing is expected of Amazon here"),
        (status = 503, description = "certificate_unavailable")
    ),
)]
pub async fn hear_ses(State(app): State<App>, body: Bytes) -> Result<StatusCode, Problem> {
    let topic = app.topic.as_ref().ok_or_else(|| Problem::not_found("provider"))?;
    let news = topic.hear(&body, app.context.clock.now()).await.map_err(|refusal| match refusal {
        Refusal::Wrong => Error::WrongSignature.into(),
        Refusal::Unavailable => {
            Problem::unavailable("certificate_unavailable", "Amazon's certificate cannot be had.", AGAIN)
        }
    })?;
    for news in &news {
        record(&app, news).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
