//! `POST /api/v1/me/single-sign-on/link`: the owner of an account links it to who they are at the identity provider.

use axum::extract::State;
use garde::Validate;
use kernel::role::ProfileOwn;
use platform::auth::{Can, Fresh};
use platform::http::{Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::sign_on::{Client, StartBody};
use super::sign_on_fields;
use crate::App;
use crate::single_sign_on::FLOW;
use crate::single_sign_on::refusal::Refusal;
use crate::store::sign_on_flows::{self, Asker, Purpose};
use crate::store::single_sign_on;

/// The client that asks: only it can finish, so that nobody else's browser can be made to link its owner to this account.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SingleSignOnLink)]
pub struct Request {
    /// Where to send the browser in the end, with a code for `POST /api/v1/auth/sso/token`.
    #[garde(length(chars, min = 1, max = 512))]
    #[schema(min_length = 1, max_length = 512, example = "https://booking.example.edu/signed-in")]
    pub return_to: String,
    /// The S256 challenge of the client's verifier (RFC 7636).
    #[garde(custom(sign_on_fields::challenge))]
    #[schema(min_length = 43, max_length = 43)]
    pub code_challenge: String,
    /// Handed back beside the code.
    #[garde(length(chars, min = 1, max = 512))]
    #[schema(min_length = 1, max_length = 512)]
    pub state: Option<String>,
}

/// Begins to link the account. It is linked when the client has exchanged the code.
#[utoipa::path(
    post,
    path = "/api/v1/me/single-sign-on/link",
    operation_id = "link_single_sign_on",
    tag = "auth",
    summary = "Link one's account to the identity provider",
    request_body = Request,
    responses(
        (status = 200, description = "Where the browser has to go", body = StartBody),
        (status = 403, description = "step_up_required"),
        (status = 404, description = "no_single_sign_on"),
        (status = 422, description = "invalid_input (not_allowed)")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn link_single_sign_on(
    actor: Can<ProfileOwn>,
    State(app): State<App>,
    _: Fresh,
    Json(request): Json<Request>,
) -> Result<Json<StartBody>, Problem> {
    let (now, organization) = (app.context.clock.now(), actor.organization);
    let mut tx = app.context.db.begin(organization).await?;
    let settings = single_sign_on::load(&mut tx, &app.context.keyring, organization)
        .await?
        .ok_or(Refusal::Off)?
        .settings;
    let client = Client {
        return_to: Some(request.return_to),
        code_challenge: Some(request.code_challenge),
        state: request.state,
    };
    client.check(&settings)?;
    let asker = Asker { user: actor.user, session: actor.session, second_factor: false };
    let wish = client.wish(Purpose::Link, &settings.issuer, false, Some(asker));
    let token = sign_on_flows::ask(&mut tx, organization, &wish, now).await?;
    tx.commit().await?;
    Ok(Json(StartBody { start_url: app.start_url(&token), expires_in: FLOW.as_secs() }))
}
