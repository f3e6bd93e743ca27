//! `GET /api/v1/auth/sso/callback/{organization_id}`: the browser comes back from the identity provider.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use http::HeaderMap;
use jiff::Timestamp;
use kernel::OrganizationId;
use platform::config::Secret;
use platform::db::Tx;
use platform::http::{Correlation, Path, Problem, Query};
use serde::Deserialize;
use utoipa::IntoParams;

use super::sign_on::{enter, redirect, set_cookie};
use super::start_single_sign_on::{back, log};
use crate::App;
use crate::single_sign_on::LEEWAY;
use crate::single_sign_on::browser::{Browser, forget};
use crate::single_sign_on::id_token::{self, Expected, Proved, Unproven};
use crate::single_sign_on::person::{self, Person};
use crate::single_sign_on::provider::{Client, Code, Failure, Provider};
use crate::single_sign_on::refusal::Refusal;
use crate::single_sign_on::return_to;
use crate::store::sign_on_accounts::Arrival;
use crate::store::sign_on_flows::{self, Answered, Flow, FlowToken, Purpose};
use crate::store::single_sign_on::{self, Kept};
use crate::store::{identities, second_factor};

/// How long all calls to the provider may take together: less than the gateway waits for us.
const PATIENCE: Duration = Duration::from_secs(8);

/// What the provider says by the browser. Parameters that nobody here knows are left alone (RFC 6749, section 4.1.2).
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Said {
    /// What was sent along.
    #[serde(default)]
    #[garde(skip)]
    pub state: String,
    /// To be exchanged for an ID token.
    #[garde(length(bytes, max = 4096))]
    #[param(max_length = 4096)]
    pub code: Option<String>,
    /// Who says so (RFC 9207).
    #[garde(length(bytes, max = 512))]
    #[param(max_length = 512)]
    pub iss: Option<String>,
    /// Why there is no code.
    #[garde(length(bytes, max = 512))]
    #[param(max_length = 512)]
    pub error: Option<String>,
}

/// Takes up the sign-in again.
#[utoipa::path(
    get,
    path = "/api/v1/auth/sso/callback/{organization_id}",
    operation_id = "finish_single_sign_on",
    tag = "auth",
    summary = "Come back from the organization's identity provider",
    params(("organization_id" = OrganizationId, Path, description = "The organization"), Said),
    responses(
        (status = 200, description = "Without return_to: tokens of a new session, or, after a step-up, an access token", body = super::Tokens),
        (status = 302, description = "To return_to, with a code for /api/v1/auth/sso/token, or with error, error_description and problem"),
        (status = 401, description = "invalid_sign_on"),
        (status = 403, description = "identity_provider_refused, identity_not_proven, identity_email_unverified, no_account, account_inactive, other_identity, email_not_verified, second_factor_required"),
        (status = 404, description = "no_single_sign_on"),
        (status = 409, description = "identity_not_linked"),
        (status = 503, description = "identity_provider_unavailable")
    )
)]
pub async fn finish_single_sign_on(
    State(app): State<App>,
    correlation: Correlation,
    Path(organization): Path<OrganizationId>,
    headers: HeaderMap,
    Query(said): Query<Said>,
) -> Result<Response, Problem> {
    let state = FlowToken::parse(&Secret::from(said.state.clone()));
    let state = state.filter(|state| state.organization == organization).ok_or(Refusal::Invalid)?;
    let browser = Browser::of(&headers, state.id, app.is_secure()).ok_or(Refusal::Invalid)?;
    let mut tx = app.context.db.begin(organization).await?;
    let received = sign_on_flows::receive(&mut tx, &state, &browser.hash(), app.context.clock.now()).await?;
    let flow = received.ok_or(Refusal::Invalid)?;
    tx.commit().await?;
    let arrived = Arrived { app: &app, flow, browser, correlation, headers };
    let mut response = match arrived.finish(&said).await {
        Ok(response) => response,
        Err(problem) => arrived.fail(problem)?,
    };
    set_cookie(&mut response, &forget(arrived.flow.id, app.is_secure()))?;
    Ok(response)
}

/// A browser that was sent to the provider, and is back.
struct Arrived<'a> {
    app: &'a App,
    flow: Flow,
    browser: Browser,
    correlation: Correlation,
    headers: HeaderMap,
}

impl Arrived<'_> {
    async fn finish(&self, said: &Said) -> Result<Response, Problem> {
        let (db, organization) = (&self.app.context.db, self.flow.organization);
        let mut tx = db.begin(organization).await?;
        let kept = single_sign_on::load(&mut tx, &self.app.context.keyring, organization)
            .await?
            .ok_or(Refusal::Off)?;
        tx.commit().await?;
        if kept.settings.issuer != self.flow.wish.issuer {
            return Err(Refusal::Invalid.into());
        }
        // No connection to the database is held meanwhile.
        let proved = tokio::time::timeout(PATIENCE, self.prove(said, &kept)).await;
        let proved = proved.map_err(|_| Refusal::ProviderUnavailable)??;
        let mut tx = self.begin().await?;
        let answered = match self.recognize(&mut tx, &kept, &proved).await {
            // Somebody else was faster with the same address or the same person: now they are known.
            Err(problem) if ["email_taken", "other_identity"].contains(&problem.code) => {
                tx = self.begin().await?;
                self.recognize(&mut tx, &kept, &proved).await?
            }
            answered => answered?,
        };
        let Some(address) = &self.flow.wish.return_to else {
            sign_on_flows::end(&mut tx, &self.flow).await?;
            return enter(self.app, tx, &self.flow, &answered, &self.headers, &self.correlation).await;
        };
        let now = self.app.context.clock.now();
        let code =
            sign_on_flows::answer(&mut tx, &self.flow, &answered, now).await?.ok_or(Refusal::Invalid)?;
        tx.commit().await?;
        let code = code.text();
        let state = self.flow.wish.client_state.as_deref().map(|state| ("state", state));
        let parameters: Vec<_> = std::iter::once(("code", code.as_str())).chain(state).collect();
        let location = return_to::with(address, &parameters);
        redirect(&location.ok_or_else(|| Problem::internal(&"no address to return to"))?)
    }

    /// A transaction that ends in a session: what the organization demands of it does not change meanwhile.
    async fn begin(&self) -> Result<Tx, sqlx::Error> {
        let mut tx = self.app.context.db.begin(self.flow.organization).await?;
        second_factor::hold_policy(&mut tx, self.flow.organization).await?;
        Ok(tx)
    }

    /// What the provider proves of who came back.
    async fn prove(&self, said: &Said, kept: &Kept) -> Result<Proved, Problem> {
        let settings = &kept.settings;
        let provider =
            self.app.providers.find(&settings.issuer).await.map_err(|failure| self.told(&failure))?;
        // Whose answer it is comes first: what another provider says is not listened to (RFC 9207, section 2.4).
        let is_named = provider.metadata.authorization_response_iss_parameter_supported;
        if said.iss.as_ref().map_or(is_named, |iss| *iss != settings.issuer) {
            return Err(self.unproven("the answer is not the provider's"));
        }
        let code = match (&said.code, &said.error) {
            (Some(code), None) => code,
            (_, error) => {
                return Err(self.told(&Failure::Refused(error.clone().unwrap_or_default())));
            }
        };
        let client = Client { id: &settings.client_id, secret: &kept.secret };
        let redirect_uri = self.app.redirect_uri(self.flow.organization);
        let code = Code { code, redirect_uri: &redirect_uri, verifier: &self.browser.verifier() };
        let answer = self.app.providers.exchange(&provider, client, code).await;
        let answer = answer.map_err(|failure| self.told(&failure))?;
        let nonce = self.browser.nonce();
        let access_token = answer.access_token.as_deref();
        let expected = Expected {
            issuer: &settings.issuer,
            client_id: &settings.client_id,
            nonce: &nonce,
            access_token,
            now: self.app.context.clock.now(),
        };
        let (provider, proved) = self.verify(provider, &answer.id_token, &expected).await?;
        self.complete(&provider, kept, proved, access_token).await
    }

    /// Checks the token; with the keys as they are now when none of those that are known made it.
    async fn verify(
        &self,
        provider: std::sync::Arc<Provider>,
        token: &str,
        expected: &Expected<'_>,
    ) -> Result<(std::sync::Arc<Provider>, Proved), Problem> {
        match id_token::verify(token, &provider.keys, expected) {
            Ok(proved) => Ok((provider, proved)),
            Err(Unproven::Wrong(why)) => Err(self.unproven(why)),
            Err(Unproven::Key) => {
                let anew = self.app.providers.find_anew(expected.issuer).await;
                let anew = anew.map_err(|failure| self.told(&failure))?;
                let proved = id_token::verify(token, &anew.keys, expected);
                let proved = proved.map_err(|why| self.unproven(&why.to_string()))?;
                Ok((anew, proved))
            }
        }
    }

    /// Asks for what the token does not say, where it is needed and the provider tells it elsewhere.
    async fn complete(
        &self,
        provider: &Provider,
        kept: &Kept,
        mut proved: Proved,
        access_token: Option<&str>,
    ) -> Result<Proved, Problem> {
        let settings = &kept.settings;
        let maps = !settings.roles.is_empty() || !settings.groups.is_empty();
        let lacks_groups = maps && person::find(&proved.claims, &settings.groups_claim).is_none();
        let lacks = self.flow.wish.purpose == Purpose::SignIn
            && (lacks_groups || !proved.claims.contains_key("email"));
        if let (true, Some(token)) = (lacks, access_token) {
            let more = self.app.providers.userinfo(provider, token, &proved.subject).await;
            for (name, value) in more.map_err(|failure| self.told(&failure))? {
                // What is signed counts more.
                proved.claims.entry(name).or_insert(value);
            }
        }
        Ok(proved)
    }

    /// Whose account it is.
    async fn recognize(&self, tx: &mut Tx, kept: &Kept, proved: &Proved) -> Result<Answered, Problem> {
        let (organization, now) = (self.flow.organization, self.app.context.clock.now());
        let two_factors = proved.by_two_factors(&kept.settings.multi_factor_acr);
        let at = proved.auth_time.and_then(|seconds| Timestamp::from_second(seconds).ok());
        let answered = |user, second_factor| Answered {
            user,
            subject: proved.subject.clone(),
            second_factor,
            // Where the provider does not say when, it is as if it were long ago.
            authenticated_at: at.map_or(Timestamp::UNIX_EPOCH, |at| at.min(now)),
        };
        let Some(asker) = self.flow.wish.asker else {
            let person = Person::of(proved.subject.clone(), &proved.claims);
            let groups = person::groups(&proved.claims, &kept.settings.groups_claim);
            let (settings, correlation) = (&kept.settings, &self.correlation);
            let clock = &*self.app.context.clock;
            let arrival =
                Arrival { organization, settings, person: &person, groups: &groups, correlation, now, clock };
            return Ok(answered(arrival.admit(tx).await?.id, two_factors));
        };
        let known = identities::find(tx, organization, &kept.settings.issuer, &proved.subject).await?;
        let is_theirs = match self.flow.wish.purpose {
            Purpose::Link => known.is_none_or(|user| user == asker.user),
            _ => known == Some(asker.user),
        };
        if !is_theirs {
            return Err(Refusal::SomebodyElse.into());
        }
        // Asked to be shown anew: some providers answer out of what they remember.
        let is_fresh = at.is_some_and(|at| at + LEEWAY >= self.flow.created_at);
        if self.flow.wish.purpose == Purpose::StepUp && !is_fresh {
            return Err(self.unproven("the proof is an old one"));
        }
        Ok(answered(asker.user, two_factors || asker.second_factor))
    }

    fn told(&self, failure: &Failure) -> Problem {
        let organization = self.flow.organization;
        tracing::warn!(%organization, error = %failure, "the identity provider did not answer as it should");
        match failure {
            Failure::Unavailable(_) => Refusal::ProviderUnavailable.into(),
            Failure::Refused(_) => Refusal::ProviderRefused.into(),
        }
    }

    fn unproven(&self, why: &str) -> Problem {
        let organization = self.flow.organization;
        tracing::warn!(%organization, why, "what the identity provider said proves nothing");
        Refusal::NotProven.into()
    }

    /// Nothing came of it: the client hears why, in its address where it has one.
    fn fail(&self, problem: Problem) -> Result<Response, Problem> {
        log(self.flow.organization, &problem);
        back(&self.flow, problem)
    }
}
