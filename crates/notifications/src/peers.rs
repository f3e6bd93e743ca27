//! What is asked of the other services at the moment a mail is sent: whom to reach, and what the booking is for.

use std::time::Duration;

use contracts::bookings::BookingDetails;
use contracts::users::{Contact, Letter, ResetLink};
use http::{HeaderValue, StatusCode};
use kernel::{BookingId, LetterId, OrganizationId, PasswordResetId, UserId};
use platform::http::correlation;
use reqwest::RequestBuilder;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::App;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The part of a problem document that tells a missing thing from a wrong address.
#[derive(Deserialize)]
struct Refusal {
    code: String,
}

/// How to reach someone; none when they were removed.
///
/// # Errors
/// When the user service does not answer as it should.
pub async fn contact(
    app: &App,
    organization: OrganizationId,
    user: UserId,
    correlation_id: &str,
) -> Result<Option<Contact>, String> {
    let base = &app.config.users_url;
    ask(app, &format!("{base}/internal/organizations/{organization}/users/{user}/contact"), correlation_id)
        .await
}

/// What a booking is for, in its owner's words, if they said so.
///
/// # Errors
/// When the booking service does not answer as it should.
pub async fn title(
    app: &App,
    organization: OrganizationId,
    booking: BookingId,
    correlation_id: &str,
) -> Result<Option<String>, String> {
    let base = &app.config.bookings_url;
    let url = format!("{base}/internal/organizations/{organization}/bookings/{booking}");
    let details: Option<BookingDetails> = ask(app, &url, correlation_id).await?;
    Ok(details.and_then(|details| details.title))
}

/// A letter, written for this attempt; none when there is nothing to send any more.
///
/// # Errors
/// When the user service does not answer as it should.
pub async fn letter(
    app: &App,
    organization: OrganizationId,
    letter: LetterId,
    correlation_id: &str,
) -> Result<Option<Letter>, String> {
    let base = &app.config.users_url;
    let url = format!("{base}/internal/organizations/{organization}/letters/{letter}/write");
    answer(app, app.context.client.post(url), correlation_id).await
}

/// A link that sets a new password, made now; none when it was used or is too old.
///
/// # Errors
/// When the user service does not answer as it should.
pub async fn reset_link(
    app: &App,
    organization: OrganizationId,
    reset: PasswordResetId,
    correlation_id: &str,
) -> Result<Option<ResetLink>, String> {
    let base = &app.config.users_url;
    let url = format!("{base}/internal/organizations/{organization}/password-resets/{reset}/link");
    answer(app, app.context.client.post(url), correlation_id).await
}

/// The answer to a question; none when the peer says that there is no such thing.
async fn ask<T: DeserializeOwned>(app: &App, url: &str, correlation_id: &str) -> Result<Option<T>, String> {
    answer(app, app.context.client.get(url), correlation_id).await
}

/// The answer to a request; none when the peer says that there is no such thing.
async fn answer<T: DeserializeOwned>(
    app: &App,
    request: RequestBuilder,
    correlation_id: &str,
) -> Result<Option<T>, String> {
    let request = request.bearer_auth(app.context.internal.0.expose()).timeout(TIMEOUT);
    // An id that cannot stand in a header is not worth a mail.
    let request = match HeaderValue::from_str(correlation_id) {
        Ok(id) => request.header(correlation::HEADER, id),
        Err(_) => request,
    };
    // The URL holds ids that belong in no error text of a delivery.
    let answer = request.send().await.map_err(|error| error.without_url().to_string())?;
    let status = answer.status();
    if status == StatusCode::NOT_FOUND {
        return match answer.json::<Refusal>().await {
            Ok(refusal) if refusal.code == "not_found" => Ok(None),
            _ => Err("there is no such operation at the peer's address".into()),
        };
    }
    if !status.is_success() {
        return Err(format!("the peer answered {status}"));
    }
    answer.json().await.map(Some).map_err(|error| error.without_url().to_string())
}
