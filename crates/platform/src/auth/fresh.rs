//! Step-up: dangerous actions are for who has proved a moment ago who they are.

use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;
use jiff::{SignedDuration, Timestamp};
use kernel::Kind;

use super::{Actor, Verifier};
use crate::http::Problem;

/// How long a proof counts for dangerous actions.
pub const FRESH_FOR: SignedDuration = SignedDuration::from_mins(10);

/// A caller who signed in, or proved again who they are, within [`FRESH_FOR`]: an extractor beside [`super::Can`].
///
/// A token that was stolen from a session that goes on is of no use for what demands this; nor is an API key.
#[derive(Debug, Clone, Copy)]
pub struct Fresh;

impl<S> FromRequestParts<S> for Fresh
where
    S: Send + Sync,
    Verifier: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let actor = Actor::from_request_parts(parts, state).await?;
        Self::of(&actor, Verifier::from_ref(state).now())
    }
}

impl Fresh {
    /// The same for a caller who is known already, where it depends on what they want.
    ///
    /// # Errors
    /// 403 `step_up_required`.
    pub fn of(actor: &Actor, now: Timestamp) -> Result<Self, Problem> {
        if actor.authenticated_at().is_some_and(|at| now.duration_since(at) <= FRESH_FOR) {
            return Ok(Self);
        }
        let detail =
            "Prove again who you are (POST /api/v1/auth/step-up), and repeat this within 10 minutes.";
        Err(Problem::new(Kind::Forbidden, "step_up_required", detail))
    }
}
