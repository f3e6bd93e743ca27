//! `POST /api/v1/provider-events/twilio/{organization_id}/{id}`: Twilio tells what became of a short message.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use kernel::{DeliveryId, OrganizationId};
use platform::http::{Path, Problem};
use url::form_urlencoded;

use crate::App;
use crate::channel::address::TWILIO;
use crate::error::Error;
use crate::fate::News;
use crate::fate::twilio::{is_real, read};
use crate::store::fates::record;

/// Takes a status that Twilio has signed. What is known already, or of no message of ours, changes nothing.
///
/// # Errors
/// When it is not Twilio's, or none is expected.
#[utoipa::path(
    post,
    path = "/api/v1/provider-events/twilio/{organization_id}/{id}",
    operation_id = "hear_twilio",
    tag = "providers",
    summary = "Twilio's status call-back",
    params(
        ("organization_id" = OrganizationId, Path, description = "The organization"),
        ("id" = DeliveryId, Path, description = "The delivery")
    ),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "A form, as Twilio writes it"),
    responses(
        (status = 204, description = "Taken"),
        (status = 403, description = "wrong_signature"),
        (status = 404, description = "not_found: nothing is expected of Twilio here")
    ),
)]
pub async fn hear_twilio(
    State(app): State<App>,
    Path((organization, delivery)): Path<(OrganizationId, DeliveryId)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    if app.twilio_tokens.is_empty() {
        return Err(Problem::not_found("provider"));
    }
    let base = app.config.link_url.trim_end_matches('/');
    let url = format!("{base}{TWILIO}/{organization}/{delivery}");
    let form: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let signature =
        headers.get("x-twilio-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !app.twilio_tokens.iter().any(|token| is_real(token, &url, &form, signature)) {
        return Err(Error::WrongSignature.into());
    }
    if let Some((fate, words)) = read(&form) {
        record(&app, &News { organization, delivery, fate, words, email: None }).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
