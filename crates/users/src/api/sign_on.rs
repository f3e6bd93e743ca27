//! What the steps of a sign-in through an identity provider have in common: addresses, redirects, and what it ends in.

use axum::response::{IntoResponse as _, Response};
use contracts::users::SingleSignOn;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use jiff_sqlx::ToSqlx as _;
use kernel::OrganizationId;
use platform::db::Tx;
use platform::events::Origin;
use platform::http::{Correlation, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::login::{methods, second_factor_required};
use super::{agent, tokens};
use crate::App;
use crate::account::Account;
use crate::error::Error;
use crate::single_sign_on::refusal::Refusal;
use crate::single_sign_on::return_to;
use crate::store::session_starts::{self, Start};
use crate::store::settings::{self, Entry};
use crate::store::sign_on_flows::{self, Answered, Asker, Flow, FlowToken, Purpose, Wish};
use crate::store::{accounts, identities, second_factor};
use crate::token::{Bearer, Proof};

/// Where a browser has to go, and for how long that is possible.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SingleSignOnStart)]
pub struct StartBody {
    /// To be opened in the browser; works once.
    #[schema(example = "https://booking.example.edu/api/v1/auth/sso/start?request=…")]
    pub start_url: String,
    /// Seconds that it works, the time at the provider included.
    #[schema(example = 600)]
    pub expires_in: i64,
}

/// Where a client wants the browser back, as it says it.
#[derive(Debug, Clone, Deserialize)]
pub struct Client {
    /// The address.
    pub return_to: Option<String>,
    /// The S256 challenge of its verifier.
    pub code_challenge: Option<String>,
    /// What it wants back.
    pub state: Option<String>,
}

impl Client {
    /// Whether the organization knows the client, which must be able to prove later that it is the one.
    ///
    /// # Errors
    /// 422 for the parameter that is wrong. The browser is sent to no address that is not known.
    pub fn check(&self, settings: &SingleSignOn) -> Result<(), Problem> {
        match (&self.return_to, &self.code_challenge) {
            (Some(wanted), _) if !return_to::admits(&settings.return_to, wanted) => {
                let detail = "The organization allows other addresses only.";
                Err(Problem::invalid_field("/return_to", "not_allowed", detail))
            }
            (Some(_), None) => {
                let detail = "With return_to the S256 challenge of a code verifier is needed (RFC 7636).";
                Err(Problem::invalid_field("/code_challenge", "required", detail))
            }
            (None, Some(_)) => {
                Err(Problem::invalid_field("/return_to", "required", "A challenge is of no use without it."))
            }
            _ => Ok(()),
        }
    }

    /// What it wishes.
    #[must_use]
    pub fn wish(self, purpose: Purpose, issuer: &str, remember: bool, asker: Option<Asker>) -> Wish {
        Wish {
            purpose,
            issuer: issuer.to_owned(),
            return_to: self.return_to,
            code_challenge: self.code_challenge,
            client_state: self.state,
            remember,
            asker,
        }
    }
}

impl App {
    /// Where the provider of an organization sends browsers back: each organization has an address of its own, so that no
    /// provider's answer can pass for another's (RFC 9700, section 4.4.2.2).
    pub(super) fn redirect_uri(&self, organization: OrganizationId) -> String {
        format!("{}/api/v1/auth/sso/callback/{organization}", self.config.public_url)
    }

    /// Where a browser follows a wish.
    pub(super) fn start_url(&self, asked: &FlowToken) -> String {
        format!("{}/api/v1/auth/sso/start?request={}", self.config.public_url, asked.text())
    }

    /// Whether browsers reach us by https.
    pub(super) fn is_secure(&self) -> bool {
        self.config.public_url.starts_with("https:")
    }
}

/// Sends the browser somewhere, by GET.
pub(super) fn redirect(location: &str) -> Result<Response, Problem> {
    let location = HeaderValue::from_str(location).map_err(|error| Problem::internal(&error))?;
    let mut response = StatusCode::FOUND.into_response();
    response.headers_mut().insert(header::LOCATION, location);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Adds a cookie to an answer.
pub(super) fn set_cookie(response: &mut Response, cookie: &str) -> Result<(), Problem> {
    let cookie = HeaderValue::from_str(cookie).map_err(|error| Problem::internal(&error))?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(())
}

/// Who came back from the provider gets what they came for.
///
/// # Errors
/// Why they do not.
pub(super) async fn enter(
    app: &App,
    mut tx: Tx,
    flow: &Flow,
    answered: &Answered,
    headers: &HeaderMap,
    correlation: &Correlation,
) -> Result<Response, Problem> {
    let account = accounts::lock(&mut tx, flow.organization, answered.user).await?;
    let account = account.filter(|account| account.active).ok_or(Refusal::Inactive)?;
    let demanded = app.config.demands_verification();
    match settings::entry(&mut tx, flow.organization, account.id, demanded).await? {
        Entry::Open => {}
        Entry::Disabled => return Err(Refusal::Off.into()),
        Entry::Unverified => return Err(Error::EmailNotVerified.into()),
    }
    match (flow.wish.purpose, flow.wish.asker) {
        (Purpose::SignIn, _) => begin(app, tx, flow, answered, &account, headers, correlation).await,
        (Purpose::StepUp, Some(asker)) => prove(app, tx, flow, answered, &account, asker).await,
        (Purpose::Link, Some(asker)) => link(app, tx, flow, answered, asker, correlation).await,
        (_, None) => Err(Problem::internal(&"nobody asked for this")),
    }
}

/// A new session, as after a password.
async fn begin(
    app: &App,
    mut tx: Tx,
    flow: &Flow,
    answered: &Answered,
    account: &Account,
    headers: &HeaderMap,
    correlation: &Correlation,
) -> Result<Response, Problem> {
    let (organization, user, now) = (flow.organization, account.id, app.context.clock.now());
    // Of who has shown two factors at the provider no third one is asked.
    if !answered.second_factor && second_factor::is_enabled(&mut tx, organization, user).await? {
        let remember = flow.wish.remember;
        let challenge = second_factor::challenge(&mut tx, organization, user, remember, now).await?;
        let methods = methods(app, &mut tx, (organization, user)).await?;
        tx.commit().await?;
        return Err(second_factor_required(app, (organization, user), &challenge.text(), &methods)?);
    }
    let start = Start {
        organization,
        user,
        remember: flow.wish.remember,
        second_factor: answered.second_factor,
        agent: agent(headers),
        correlation,
        now,
    };
    let session = start.begin(&mut tx, &app.config).await?;
    // Who was signed in at the provider since yesterday has proved nothing today.
    sqlx::query!(
        "update users.session set authenticated_at = $3 where organization_id = $1 and id = $2",
        organization.0,
        session.id.0,
        answered.authenticated_at.to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    let scope = second_factor::limit(&mut tx, organization, account.role, answered.second_factor).await?;
    tx.commit().await?;
    let proof = Some(Proof { at: answered.authenticated_at, second_factor: answered.second_factor });
    let (session_id, role, remit) = (session.id, account.role, account.remit.clone());
    // Tokens of before the role that was given just now count no more; this one is none of those.
    let bearer = Bearer { organization, user, session: session_id, role, remit, proof, scope, after: None };
    Ok(tokens(app, bearer, Some(&session), now).await?.into_response())
}

/// A fresh proof in a session that goes on.
async fn prove(
    app: &App,
    mut tx: Tx,
    flow: &Flow,
    answered: &Answered,
    account: &Account,
    asker: Asker,
) -> Result<Response, Problem> {
    let (organization, second_factor) = (flow.organization, answered.second_factor);
    let (at, now) = (answered.authenticated_at, app.context.clock.now());
    let proved = session_starts::prove(&mut tx, organization, asker.session, second_factor, now).await?;
    let after = proved.ok_or(Error::SessionOver)?.tokens_from;
    let scope = second_factor::limit(&mut tx, organization, account.role, second_factor).await?;
    tx.commit().await?;
    let proof = Some(Proof { at, second_factor });
    let (user, session, role, remit) = (account.id, asker.session, account.role, account.remit.clone());
    let bearer = Bearer { organization, user, session, role, remit, proof, scope, after };
    Ok(tokens(app, bearer, None, now).await?.into_response())
}

/// From now on the account can be signed in to so.
async fn link(
    app: &App,
    mut tx: Tx,
    flow: &Flow,
    answered: &Answered,
    asker: Asker,
    correlation: &Correlation,
) -> Result<Response, Problem> {
    let now = app.context.clock.now();
    if !sign_on_flows::session_goes_on(&mut tx, flow.organization, asker, now).await? {
        return Err(Error::SessionOver.into());
    }
    let origin = Origin { actor: Some(asker.user), on_behalf_of: None, correlation: correlation.clone() };
    let identity = (flow.wish.issuer.as_str(), answered.subject.as_str());
    identities::link(&mut tx, flow.organization, asker.user, identity, &origin, now).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
