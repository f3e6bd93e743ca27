//! `POST /api/v1/me/single-sign-on/step-up`: who signs in through the identity provider proves there again who they are.

use axum::extract::State;
use garde::Validate;
use jiff::Timestamp;
use kernel::role::ProfileOwn;
use platform::auth::{Actor, Can};
use platform::config::Secret;
use platform::events::Origin;
use platform::http::{Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::sign_on::{Client, StartBody};
use super::{fields, proof, sign_on_fields};
use crate::App;
use crate::error::Error;
use crate::single_sign_on::FLOW;
use crate::single_sign_on::refusal::Refusal;
use crate::store::sign_on_flows::{self, Asker, FlowToken, Purpose, Wish};
use crate::store::throttle::Attempt;
use crate::store::{accounts, identities, second_factor, single_sign_on};

/// Where the browser is wanted back, and the second factor of ours, if there is one.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SingleSignOnStepUp)]
pub struct Request {
    /// Where to send the browser in the end; when absent it gets the access token as JSON.
    #[garde(length(chars, min = 1, max = 512))]
    #[schema(min_length = 1, max_length = 512, example = "https://booking.example.edu/signed-in")]
    pub return_to: Option<String>,
    /// With `return_to`: the S256 challenge of the client's verifier (RFC 7636).
    #[garde(inner(custom(sign_on_fields::challenge)))]
    #[schema(min_length = 43, max_length = 43)]
    pub code_challenge: Option<String>,
    /// Handed back beside the code.
    #[garde(length(chars, min = 1, max = 512))]
    #[schema(min_length = 1, max_length = 512)]
    pub state: Option<String>,
    /// A code of the app or a recovery code, where the account has a second factor here.
    #[garde(inner(custom(fields::code)))]
    #[schema(value_type = Option<String>, min_length = 6, max_length = 32, example = "287082")]
    pub code: Option<Secret>,
}

/// Begins a fresh proof. The provider is told to ask for it, whatever it remembers, and its answer has to say when it did.
#[utoipa::path(
    post,
    path = "/api/v1/me/single-sign-on/step-up",
    operation_id = "step_up_single_sign_on",
    tag = "auth",
    summary = "Prove again who you are, at the identity provider",
    request_body = Request,
    responses(
        (status = 200, description = "Where the browser has to go", body = StartBody),
        (status = 401, description = "session_ended, invalid_code"),
        (status = 404, description = "no_single_sign_on"),
        (status = 409, description = "identity_not_linked"),
        (status = 422, description = "invalid_input (not_allowed, required)"),
        (status = 429, description = "too_many_attempts")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn step_up_single_sign_on(
    actor: Can<ProfileOwn>,
    State(app): State<App>,
    Json(request): Json<Request>,
) -> Result<Json<StartBody>, Problem> {
    let (db, now, organization, user) =
        (&app.context.db, app.context.clock.now(), actor.organization, actor.user);
    let mut tx = db.begin(organization).await?;
    let settings = single_sign_on::load(&mut tx, &app.context.keyring, organization)
        .await?
        .ok_or(Refusal::Off)?
        .settings;
    let client =
        Client { return_to: request.return_to, code_challenge: request.code_challenge, state: request.state };
    client.check(&settings)?;
    if !identities::is_linked(&mut tx, organization, user, &settings.issuer).await? {
        return Err(Refusal::NotLinked.into());
    }
    let has_second = second_factor::is_enabled(&mut tx, organization, user).await?;
    tx.commit().await?;
    let asker = Asker { user, session: actor.session, second_factor: has_second };
    let wish = client.wish(Purpose::StepUp, &settings.issuer, false, Some(asker));
    let token = if has_second {
        let code = request.code.as_ref().map_or("", Secret::expose);
        let attempt = Attempt::by_code(user, actor.correlation.client.as_deref());
        let count = attempt.begin(db, now).await?;
        let asked = ask(&app, &actor, &wish, Some(code), now).await;
        proof::settle(&app, (&attempt, count), (organization, user), &actor.correlation, asked).await?
    } else {
        ask(&app, &actor, &wish, None, now).await?
    };
    Ok(Json(StartBody { start_url: app.start_url(&token), expires_in: FLOW.as_secs() }))
}

/// Takes the code, where there is a second factor, and writes the wish down.
async fn ask(
    app: &App,
    actor: &Actor,
    wish: &Wish,
    code: Option<&str>,
    now: Timestamp,
) -> Result<FlowToken, Problem> {
    let (organization, user) = (actor.organization, actor.user);
    let mut tx = app.context.db.begin(organization).await?;
    let account = accounts::lock(&mut tx, organization, user).await?.filter(|account| account.active);
    account.ok_or(Error::SessionOver)?;
    if let Some(code) = code {
        proof::code(app, &mut tx, (organization, user), code, &Origin::from(actor), now).await?;
    }
    let token = sign_on_flows::ask(&mut tx, organization, wish, now).await?;
    tx.commit().await?;
    Ok(token)
}
