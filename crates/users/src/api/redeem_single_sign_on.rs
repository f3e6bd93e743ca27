//! `POST /api/v1/auth/sso/token`: a client exchanges the code that the browser brought it.

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use http::HeaderMap;
use platform::config::Secret;
use platform::http::{Correlation, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::sign_on::enter;
use super::{fields, sign_on_fields};
use crate::App;
use crate::single_sign_on::browser::challenge;
use crate::single_sign_on::refusal::Refusal;
use crate::store::second_factor;
use crate::store::sign_on_flows::{self, FlowToken};

/// The code, and what shows that it was meant for this client.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SingleSignOnToken)]
pub struct Request {
    /// What stands in the address after `code=`; it works for a minute, once.
    #[garde(custom(fields::opaque_token))]
    #[schema(value_type = String, min_length = 1, max_length = 86)]
    pub code: Secret,
    /// The verifier whose challenge was sent at the start.
    #[garde(custom(sign_on_fields::verifier))]
    #[schema(value_type = String, min_length = 43, max_length = 128)]
    pub code_verifier: Secret,
}

/// Exchanges a code: for tokens of a new session, for an access token after a step-up, or for the link of an account.
#[utoipa::path(
    post,
    path = "/api/v1/auth/sso/token",
    operation_id = "redeem_single_sign_on",
    tag = "auth",
    summary = "Exchange the code of a sign-in through the identity provider",
    request_body = Request,
    responses(
        (status = 200, description = "Tokens of a new session; after a step-up an access token alone", body = super::Tokens),
        (status = 204, description = "The account is linked"),
        (status = 401, description = "invalid_sign_on, session_ended"),
        (status = 403, description = "account_inactive, other_identity, email_not_verified; second_factor_required: go on with its challenge at /api/v1/auth/second-factor"),
        (status = 422, description = "invalid_input")
    )
)]
pub async fn redeem_single_sign_on(
    State(app): State<App>,
    correlation: Correlation,
    headers: HeaderMap,
    Json(request): Json<Request>,
) -> Result<Response, Problem> {
    let code = FlowToken::parse(&request.code).ok_or(Refusal::Invalid)?;
    let mut tx = app.context.db.begin(code.organization).await?;
    second_factor::hold_policy(&mut tx, code.organization).await?;
    let challenge = challenge(request.code_verifier.expose());
    let now = app.context.clock.now();
    let redeemed = sign_on_flows::redeem(&mut tx, &code, &challenge, now).await?;
    let (flow, answered) = redeemed.ok_or(Refusal::Invalid)?;
    enter(&app, tx, &flow, &answered, &headers, &correlation).await
}
