//! `GET /api/v1/auth/sso/start`: sends the browser to the organization's identity provider.

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::OrganizationId;
use platform::config::Secret;
use platform::http::{Problem, Query};
use serde::Deserialize;
use url::Url;
use utoipa::IntoParams;

use super::sign_on::{Client, redirect, set_cookie};
use super::sign_on_fields;
use crate::App;
use crate::naming::Naming;
use crate::single_sign_on::browser::{Browser, challenge};
use crate::single_sign_on::refusal::{Refusal, error_code};
use crate::single_sign_on::return_to;
use crate::store::organizations;
use crate::store::sign_on_flows::{self, Flow, FlowToken, Purpose};
use crate::store::single_sign_on::{self, Kept};

/// Where somebody wants to sign in, and where to after that.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Request {
    /// The slug of the organization; when absent, `X-Organization` or the host name says which, or there is only one.
    #[garde(length(chars, min = 1, max = 63))]
    #[param(min_length = 1, max_length = 63, example = "default")]
    pub organization: Option<String>,
    /// Where to send the browser in the end, with a `code` for `POST /api/v1/auth/sso/token`: one of the addresses that the
    /// organization allows. When absent the browser gets the tokens as JSON.
    #[garde(length(chars, min = 1, max = 512))]
    #[param(min_length = 1, max_length = 512, example = "https://booking.example.edu/signed-in")]
    pub return_to: Option<String>,
    /// With `return_to`: the S256 challenge of the client's verifier (RFC 7636).
    #[garde(inner(custom(sign_on_fields::challenge)))]
    #[param(min_length = 43, max_length = 43)]
    pub code_challenge: Option<String>,
    /// Handed back beside the code.
    #[garde(length(chars, min = 1, max = 512))]
    #[param(min_length = 1, max_length = 512)]
    pub state: Option<String>,
    /// Whether the session is to last on this device.
    #[serde(default)]
    #[garde(skip)]
    pub remember: bool,
    /// From a `start_url`; with nothing else.
    #[garde(length(bytes, min = 1, max = 86))]
    #[param(min_length = 1, max_length = 86)]
    pub request: Option<String>,
}

/// Sends the browser to the identity provider.
#[utoipa::path(
    get,
    path = "/api/v1/auth/sso/start",
    operation_id = "start_single_sign_on",
    tag = "auth",
    summary = "Sign in through the organization's identity provider",
    params(Request),
    responses(
        (status = 302, description = "To the provider; or back to return_to with an error, when the provider cannot be used"),
        (status = 401, description = "invalid_sign_on"),
        (status = 404, description = "no_single_sign_on"),
        (status = 422, description = "invalid_input (not_allowed, required)"),
        (status = 503, description = "identity_provider_unavailable")
    )
)]
pub async fn start_single_sign_on(
    State(app): State<App>,
    naming: Naming,
    Query(request): Query<Request>,
) -> Result<Response, Problem> {
    let now = app.context.clock.now();
    let browser = Browser::new();
    let (organization, asked) = match &request.request {
        Some(text) => {
            let token = FlowToken::parse(&Secret::from(text.clone())).ok_or(Refusal::Invalid)?;
            (token.organization, Some(token))
        }
        None => {
            let slug = request.organization.as_deref();
            let found = organizations::find(&app.context.db, slug, &naming).await?;
            (found.ok_or(Refusal::Off)?.id, None)
        }
    };
    let mut tx = app.context.db.begin(organization).await?;
    let kept =
        single_sign_on::load(&mut tx, &app.context.keyring, organization).await?.ok_or(Refusal::Off)?;
    let asked = match asked {
        Some(asked) => asked,
        None => {
            let client = client(&request);
            client.check(&kept.settings)?;
            let wish = client.wish(Purpose::SignIn, &kept.settings.issuer, request.remember, None);
            sign_on_flows::ask(&mut tx, organization, &wish, now).await?
        }
    };
    let sent = sign_on_flows::send(&mut tx, &asked, &browser.hash(), now).await?;
    let (state, flow) = sent.ok_or(Refusal::Invalid)?;
    tx.commit().await?;
    if flow.wish.issuer != kept.settings.issuer {
        return Err(Refusal::Invalid.into());
    }
    let provider = match app.providers.find(&flow.wish.issuer).await {
        Ok(provider) => provider,
        Err(failure) => {
            tracing::warn!(%organization, error = %failure, "the identity provider cannot be used");
            return back(&flow, Refusal::ProviderUnavailable.into());
        }
    };
    let url = authorization(
        provider.metadata.authorization_endpoint.clone(),
        &kept,
        &app.redirect_uri(organization),
        &state.text(),
        &browser,
        flow.wish.purpose,
    );
    let mut response = redirect(url.as_str())?;
    set_cookie(&mut response, &browser.cookie(flow.id, app.is_secure()))?;
    Ok(response)
}

fn client(request: &Request) -> Client {
    Client {
        return_to: request.return_to.clone(),
        code_challenge: request.code_challenge.clone(),
        state: request.state.clone(),
    }
}

/// The address of the provider with all that it is asked (OpenID Connect Core, section 3.1.2.1).
fn authorization(
    mut url: Url,
    kept: &Kept,
    redirect_uri: &str,
    state: &str,
    browser: &Browser,
    purpose: Purpose,
) -> Url {
    let others = kept.settings.scopes.iter().map(String::as_str).filter(|scope| *scope != "openid");
    let scope = std::iter::once("openid").chain(others).collect::<Vec<_>>().join(" ");
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &kept.settings.client_id)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("scope", &scope)
        .append_pair("state", state)
        .append_pair("nonce", &browser.nonce())
        .append_pair("code_challenge", &challenge(&browser.verifier()))
        .append_pair("code_challenge_method", "S256");
    // Whoever proves again who they are has to show it, even when the provider knows them still.
    if purpose == Purpose::StepUp {
        url.query_pairs_mut().append_pair("prompt", "login").append_pair("max_age", "0");
    }
    url
}

/// A failure as the client hears of it: in the address that it wants the browser back at, or as the answer.
pub(super) fn back(flow: &Flow, problem: Problem) -> Result<Response, Problem> {
    let Some(address) = &flow.wish.return_to else { return Err(problem) };
    let state = flow.wish.client_state.as_deref().map(|state| ("state", state));
    let said = [
        ("error", error_code(problem.kind)),
        ("error_description", &problem.detail),
        ("problem", problem.code),
    ];
    let said: Vec<_> = said.into_iter().chain(state).collect();
    let location = return_to::with(address, &said).ok_or_else(|| Problem::internal(&"no address"))?;
    redirect(&location)
}

/// The organization of an address of ours, for the log.
pub(super) fn log(organization: OrganizationId, problem: &Problem) {
    tracing::info!(%organization, code = problem.code, "a sign-in through the identity provider was refused");
}
