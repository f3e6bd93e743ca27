//! Calls between services: a shared token, compared in constant time. The gateway routes none of these paths.

use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;
use kernel::Kind;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::auth::bearer;
use crate::config::Secret;
use crate::http::Problem;

/// The token that services show each other; at least 32 random bytes, as text.
#[derive(Debug, Clone)]
pub struct InternalToken(pub Secret);

impl InternalToken {
    /// Whether a text is the token. Hashed first, so that neither content nor length shows in the time taken.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        let (ours, theirs) = (Sha256::digest(self.0.expose()), Sha256::digest(text));
        self.0.get().is_some() && ours.ct_eq(&theirs).into()
    }
}

/// A caller that is one of our services.
#[derive(Debug, Clone, Copy)]
pub struct Peer;

impl<S> FromRequestParts<S> for Peer
where
    S: Send + Sync,
    InternalToken: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if bearer(parts).is_some_and(|token| InternalToken::from_ref(state).is(token)) {
            return Ok(Self);
        }
        Err(Problem::new(
            Kind::Unauthenticated,
            "internal_token_required",
            "This is for the services themselves.",
        ))
    }
}
