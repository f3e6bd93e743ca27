//! `POST /api/v1/auth/token`: an access token for an API key (OAuth 2.0 client credentials, RFC 6749, section 4.4).
//!
//! The form, the answer and the errors are the RFC's, because the clients are libraries that know nothing else.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use kernel::SessionId;
use platform::config::Secret;
use platform::http::{Correlation, Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Tokens;
use crate::App;
use crate::client_key::{granted, parse_client_id};
use crate::store::api_keys;
use crate::store::settings::{self, Entry};
use crate::token::Bearer;

/// What is asked for, as a form.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = TokenRequest)]
#[expect(
    dead_code,
    reason = "describes the form in the document; read by hand, as the RFC wants repeated fields refused"
)]
pub struct Request {
    /// `client_credentials`.
    #[schema(example = "client_credentials")]
    grant_type: String,
    /// The key's name, unless it stands in `Authorization: Basic`.
    client_id: Option<String>,
    /// The key's secret, likewise.
    #[schema(format = Password)]
    client_secret: Option<String>,
    /// Permissions, separated by spaces; all that the key has when absent.
    #[schema(example = "catalogue.read")]
    scope: Option<String>,
}

/// An error as RFC 6749, section 5.2, has it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TokenError)]
pub struct Refusal {
    /// The RFC's name of what is wrong.
    #[schema(value_type = String, example = "invalid_client")]
    error: &'static str,
    /// A sentence for people.
    #[schema(value_type = String, example = "The key is not known, or not any more.")]
    error_description: &'static str,
}

const INVALID_REQUEST: Refusal = Refusal {
    error: "invalid_request",
    error_description: "Send grant_type, client_id and client_secret once each, as application/x-www-form-urlencoded.",
};
const INVALID_CLIENT: Refusal =
    Refusal { error: "invalid_client", error_description: "The key is not known, or not any more." };
const UNSUPPORTED_GRANT: Refusal = Refusal {
    error: "unsupported_grant_type",
    error_description: "The one grant type here is client_credentials.",
};
const INVALID_SCOPE: Refusal =
    Refusal { error: "invalid_scope", error_description: "The key does not have all that is asked for." };

impl Refusal {
    fn answer(self) -> Response {
        let is_client = self.error == "invalid_client";
        let status = if is_client { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
        let mut response = (status, Json(self)).into_response();
        if is_client {
            let basic = HeaderValue::from_static("Basic realm=\"reservas\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, basic);
        }
        never_kept(response)
    }
}

/// As RFC 6749, section 5.1, demands of every answer.
fn never_kept(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Exchanges a key.
#[utoipa::path(
    post,
    path = "/api/v1/auth/token",
    operation_id = "issue_token",
    tag = "auth",
    summary = "Exchange an API key for an access token",
    request_body(content = Request, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "An access token, without a refresh token: ask again", body = Tokens),
        (status = 400, description = "invalid_request, unsupported_grant_type, invalid_scope (RFC 6749, section 5.2)", body = Refusal),
        (status = 401, description = "invalid_client", body = Refusal)
    )
)]
pub async fn issue_token(
    State(app): State<App>,
    correlation: Correlation,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let form = match read(&headers, &body) {
        Ok(form) => form,
        Err(refusal) => return Ok(refusal.answer()),
    };
    let now = app.context.clock.now();
    let Some((organization, key)) = parse_client_id(&form.client) else {
        return Ok(INVALID_CLIENT.answer());
    };
    let mut tx = app.context.db.begin(organization).await?;
    let address = correlation.client.as_deref();
    let shown = api_keys::take(&mut tx, (organization, key), &form.secret, address, now).await?;
    let Some(shown) = shown else { return Ok(INVALID_CLIENT.answer()) };
    let demanded = app.config.demands_verification();
    if settings::entry(&mut tx, organization, shown.user, demanded).await? != Entry::Open {
        return Ok(INVALID_CLIENT.answer());
    }
    let Some(scope) = granted(&shown.scopes, form.scope.as_deref()) else {
        return Ok(INVALID_SCOPE.answer());
    };
    tx.commit().await?;
    let left = u32::try_from(shown.expires_at.duration_since(now).as_secs()).unwrap_or(u32::MAX);
    let seconds = left.min(app.config.access_token_minutes * 60);
    let (user, role, remit) = (shown.user, shown.role, shown.remit);
    let session = SessionId(key.0);
    let text = String::from(scope.clone());
    let after = shown.tokens_from;
    let bearer = Bearer { organization, user, session, role, remit, proof: None, scope: Some(scope), after };
    let tokens = Tokens {
        access_token: app.signer().await?.mint(bearer, now, seconds)?,
        token_type: "Bearer",
        expires_in: seconds,
        refresh_token: None,
        scope: Some(text),
    };
    Ok(never_kept(Json(tokens).into_response()))
}

/// What a request shows.
struct Form {
    client: String,
    secret: Secret,
    scope: Option<String>,
}

fn read(headers: &HeaderMap, body: &[u8]) -> Result<Form, Refusal> {
    let media_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !media_type.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        return Err(INVALID_REQUEST);
    }
    let mut fields = HashMap::new();
    for (name, value) in url::form_urlencoded::parse(body) {
        // Parameters must not be there twice, unknown ones are ignored (section 3.2).
        if fields.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(INVALID_REQUEST);
        }
    }
    match fields.get("grant_type").map(String::as_str) {
        Some("client_credentials") => {}
        Some(_) => return Err(UNSUPPORTED_GRANT),
        None => return Err(INVALID_REQUEST),
    }
    let (client, secret) = match (basic(headers)?, fields.remove("client_id"), fields.remove("client_secret"))
    {
        (Some((client, secret)), id, None) if id.as_ref().is_none_or(|id| *id == client) => (client, secret),
        (None, Some(client), Some(secret)) => (client, secret),
        (None, _, _) => return Err(INVALID_CLIENT),
        // One way to say who one is, not two (section 2.3).
        _ => return Err(INVALID_REQUEST),
    };
    Ok(Form { client, secret: Secret::from(secret), scope: fields.remove("scope") })
}

/// Name and secret of `Authorization: Basic` (section 2.3.1): each encoded as in a form.
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, Refusal> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().map_err(|_| INVALID_CLIENT)?;
    let (scheme, credentials) = text.split_once(' ').ok_or(INVALID_CLIENT)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(INVALID_CLIENT);
    }
    let bytes = STANDARD.decode(credentials.trim()).map_err(|_| INVALID_CLIENT)?;
    let text = String::from_utf8(bytes).map_err(|_| INVALID_CLIENT)?;
    let (client, secret) = text.split_once(':').ok_or(INVALID_CLIENT)?;
    // Ours have nothing that a form would encode: what differs after decoding is no key.
    Ok(Some((client.to_owned(), secret.to_owned())))
}
