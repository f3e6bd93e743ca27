//! Who is calling: access tokens (EdDSA JWTs), verified with the key set of their issuer.

mod fresh;
mod keys;
pub mod revocations;
mod scope;

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use http::{header, request::Parts};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, Validation};
use kernel::{Clock, Kind, LocationId, OrganizationId, Permission, Remit, Role, SessionId, UserId};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::http::{Correlation, Problem};
pub use fresh::{FRESH_FOR, Fresh};
pub use keys::{Jwk, KeySet, Keys};
use revocations::{Revocations, Worth};
pub use scope::Scope;

/// `iss` of our tokens.
pub const ISSUER: &str = "reservas";
/// `aud` of our tokens.
pub const AUDIENCE: &str = "reservas";

/// The claims of an access token (RFC 7519, section 4.1, and ours).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    /// [`ISSUER`].
    pub iss: String,
    /// [`AUDIENCE`].
    pub aud: String,
    /// The user.
    pub sub: UserId,
    /// The user's organization.
    pub org: OrganizationId,
    /// The session the token was minted in.
    pub sid: SessionId,
    /// What the user is.
    pub roles: Vec<Role>,
    /// The places and people that a manager is limited to; none for the whole organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remit: Option<Remit>,
    /// Seconds since 1970 at which it was minted.
    pub iat: i64,
    /// Seconds since 1970 from which it is worth nothing.
    pub exp: i64,
    /// The token's own id.
    pub jti: uuid::Uuid,
    /// Seconds since 1970 at which the user last proved who they are (OpenID Connect Core, section 2); none for API keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// How they did: `1` by one factor, `2` by two (RFC 8176 has names for single methods only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// The permissions that the token is limited to (RFC 9068, section 2.2.3); none for all of the role's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
}

/// The caller of an operation.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Whose data the caller works on.
    pub organization: OrganizationId,
    /// The caller.
    pub user: UserId,
    /// The caller's session.
    pub session: SessionId,
    /// The highest of the caller's roles all of whose permissions the token has.
    pub role: Role,
    /// The places and people that the caller, a manager, is limited to; none where they are not.
    pub remit: Option<Remit>,
    /// The highest of the caller's roles.
    granted: Role,
    /// What the token is limited to.
    scope: Option<Scope>,
    /// When the caller last proved who they are.
    authenticated_at: Option<Timestamp>,
    /// When the caller's token expires: what stays open longer than a request ends then.
    pub expires_at: Timestamp,
    /// The request's correlation id.
    pub correlation: Correlation,
}

impl Actor {
    /// Whether the caller has a further permission than the one the operation demands.
    #[must_use]
    pub fn may<P: Permission>(&self) -> bool {
        self.granted.may::<P>() && self.scope.as_ref().is_none_or(|scope| scope.has(P::NAME))
    }

    /// Whether the caller has the permission of a name.
    #[must_use]
    pub fn may_by_name(&self, name: &str) -> bool {
        self.granted.permissions().contains(&name) && self.scope.as_ref().is_none_or(|scope| scope.has(name))
    }

    /// Refuses what lies in a place, given with all that it lies in from the site down, that the caller is no manager of.
    ///
    /// # Errors
    /// 403 `outside_remit`.
    pub fn demand_place(&self, path: &[LocationId]) -> Result<(), Problem> {
        let is_theirs = self.remit.as_ref().is_none_or(|remit| remit.has_place(path));
        if is_theirs { Ok(()) } else { Err(outside_remit()) }
    }

    /// Whether everything of the organization is the caller's to manage: a manager or an administrator without a remit.
    #[must_use]
    pub fn manages_all(&self) -> bool {
        self.role >= Role::Manager && self.remit.is_none()
    }

    /// Refuses what concerns the whole organization where the caller is a manager of some places or people alone.
    ///
    /// # Errors
    /// 403 `outside_remit`.
    pub fn demand_whole(&self) -> Result<(), Problem> {
        self.demand_place(&[])
    }

    /// When the caller last proved who they are; none for API keys.
    #[must_use]
    pub const fn authenticated_at(&self) -> Option<Timestamp> {
        self.authenticated_at
    }

    fn of(claims: Claims, correlation: Correlation) -> Option<Self> {
        let granted = claims.roles.iter().max().copied()?;
        let role = claims.scope.as_ref().map_or(granted, |scope| scope.role_within(granted));
        Some(Self {
            organization: claims.org,
            user: claims.sub,
            session: claims.sid,
            role,
            remit: claims.remit,
            granted,
            scope: claims.scope,
            authenticated_at: claims.auth_time.and_then(|time| Timestamp::from_second(time).ok()),
            expires_at: Timestamp::from_second(claims.exp).ok()?,
            correlation,
        })
    }
}

/// Verifies access tokens.
#[derive(Clone)]
pub struct Verifier {
    keys: Arc<Keys>,
    clock: Arc<dyn Clock>,
    revocations: Option<Arc<Revocations>>,
    /// What a token has to say, but for the time: made once, as it is looked at with every request.
    rules: Arc<Validation>,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier")
    }
}

impl Verifier {
    /// A verifier with a set of keys.
    #[must_use]
    pub fn new(keys: Arc<Keys>, clock: Arc<dyn Clock>) -> Self {
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        rules.validate_exp = false;
        Self { keys, clock, revocations: None, rules: Arc::new(rules) }
    }

    /// The same, which refuses the tokens of sessions that are over.
    #[must_use]
    pub fn with_revocations(self, revocations: Arc<Revocations>) -> Self {
        Self { revocations: Some(revocations), ..self }
    }

    /// Keeps itself told of ended sessions, until told to stop.
    pub fn follow_revocations(&self, shutdown: CancellationToken) {
        if let Some(revocations) = self.revocations.clone() {
            let clock = self.clock.clone();
            tokio::spawn(async move { revocations.run(&*clock, shutdown).await });
        }
    }

    /// The time, as tokens are compared with it.
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The claims of a token whose signature, algorithm, issuer, audience and times are right.
    ///
    /// # Errors
    /// 401 for every token that is not; 503 when the keys cannot be had.
    pub async fn verify(&self, token: &str) -> Result<Claims, Problem> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| refused())?;
        // The algorithm is ours, never the token's choice (RFC 8725, section 3.1).
        let (Algorithm::EdDSA, Some(kid)) = (header.alg, header.kid) else {
            return Err(refused());
        };
        let retired = self.revocations.as_ref().is_some_and(|known| known.has_retired(&kid));
        let key = self.keys.find(&kid).await?.filter(|_| !retired).ok_or_else(refused)?;
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &self.rules).map_err(|_| refused())?.claims;
        // With the clock that was handed in.
        if claims.exp <= self.clock.now().as_second() {
            return Err(expired());
        }
        let worth = self.revocations.as_ref().and_then(|known| {
            let organization = || known.find(SessionId(claims.org.0), claims.iat);
            known.find(claims.sid, claims.iat).or_else(organization)
        });
        match worth {
            None => Ok(claims),
            Some(Worth::Outdated) => Err(expired()),
            Some(Worth::Ended) => Err(Problem::new(
                Kind::Unauthenticated,
                "session_ended",
                "The session of the access token is over. Sign in again.",
            )),
        }
    }
}

/// The refusal of what the caller, a manager of some places or people, does not answer for.
#[must_use]
pub fn outside_remit() -> Problem {
    let detail = "You are a manager of some places or people, and this is not of them.";
    Problem::new(Kind::Forbidden, "outside_remit", detail)
}

fn expired() -> Problem {
    Problem::new(Kind::Unauthenticated, "token_expired", "The access token has expired.")
}

fn refused() -> Problem {
    Problem::new(Kind::Unauthenticated, "invalid_token", "The access token is not valid.")
}

impl<S> FromRequestParts<S> for Actor
where
    S: Send + Sync,
    Verifier: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Some(token) = bearer(parts) else {
            return Err(Problem::new(
                Kind::Unauthenticated,
                "token_required",
                "Sign in, and send the access token as a bearer token.",
            ));
        };
        let claims = Verifier::from_ref(state).verify(token).await?;
        let correlation = parts.extensions.get::<Correlation>().cloned().unwrap_or_else(Correlation::mint);
        Self::of(claims, correlation).ok_or_else(refused)
    }
}

/// The bearer token of a request, if there is one.
pub(crate) fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A caller who has the permission `P`: an extractor, so that the handler's signature says who may.
#[derive(Debug, Clone)]
pub struct Can<P> {
    actor: Actor,
    permission: PhantomData<fn() -> P>,
}

impl<P> Deref for Can<P> {
    type Target = Actor;

    fn deref(&self) -> &Actor {
        &self.actor
    }
}

impl<S, P> FromRequestParts<S> for Can<P>
where
    S: Send + Sync,
    Verifier: FromRef<S>,
    P: Permission,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let actor = Actor::from_request_parts(parts, state).await?;
        if !actor.may::<P>() {
            let detail = format!("This needs the permission {}.", P::NAME);
            return Err(Problem::new(Kind::Forbidden, "permission_required", detail));
        }
        Ok(Self { actor, permission: PhantomData })
    }
}
