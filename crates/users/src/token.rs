//! Access tokens, minted with the installation's signing key.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use kernel::{EventId, KeyId, OrganizationId, Remit, Role, SessionId, UserId};
use platform::auth::{AUDIENCE, Claims, ISSUER, Scope};
use platform::http::Problem;

/// For whom a token is.
#[derive(Debug, Clone)]
pub struct Bearer {
    /// Their organization.
    pub organization: OrganizationId,
    /// Their account.
    pub user: UserId,
    /// The session that it is minted in, or the API key that stands for one.
    pub session: SessionId,
    /// What they are.
    pub role: Role,
    /// The places and people that they are limited to, as managers.
    pub remit: Option<Remit>,
    /// When they last proved who they are, and whether by two factors; none for API keys.
    pub proof: Option<Proof>,
    /// What the token is limited to.
    pub scope: Option<Scope>,
    /// The second after which it has to be minted to count.
    pub after: Option<Timestamp>,
}

/// A proof of who someone is.
#[derive(Debug, Clone, Copy)]
pub struct Proof {
    /// When it was given.
    pub at: Timestamp,
    /// Whether with a second factor.
    pub second_factor: bool,
}

/// Signs access tokens.
#[derive(Clone)]
pub struct Signer {
    id: KeyId,
    key: EncodingKey,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer {}", self.id)
    }
}

impl Signer {
    /// A signer with a private key (PKCS#8).
    #[must_use]
    pub fn new(id: KeyId, private_key: &[u8]) -> Self {
        Self { id, key: EncodingKey::from_ed_der(private_key) }
    }

    /// A token from now on, valid for some seconds.
    ///
    /// # Errors
    /// 500 when the key cannot sign.
    pub fn mint(&self, bearer: Bearer, now: Timestamp, seconds: u32) -> Result<String, Problem> {
        let header = Header { kid: Some(self.id.to_string()), ..Header::new(Algorithm::EdDSA) };
        // Tokens are told apart by the second: one minted in that of a change would pass for an older one.
        let issued = bearer.after.map_or(now.as_second(), |after| now.as_second().max(after.as_second() + 1));
        let acr = |proof: Proof| if proof.second_factor { "2" } else { "1" };
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: bearer.user,
            org: bearer.organization,
            sid: bearer.session,
            roles: vec![bearer.role],
            remit: bearer.remit,
            iat: issued,
            exp: now.as_second() + i64::from(seconds),
            jti: EventId::mint().0,
            auth_time: bearer.proof.map(|proof| proof.at.as_second()),
            acr: bearer.proof.map(|proof| acr(proof).to_owned()),
            scope: bearer.scope,
        };
        jsonwebtoken::encode(&header, &claims, &self.key).map_err(|error| Problem::internal(&error))
    }
}
