//! Access tokens, minted with the installation's signing key.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use kernel::{EventId, KeyId, OrganizationId, Role, SessionId, UserId};
use platform::auth::{AUDIENCE, Claims, ISSUER};
use platform::http::Problem;

/// For whom a token is.
#[derive(Debug, Clone, Copy)]
pub struct Bearer {
    /// Their organization.
    pub organization: OrganizationId,
    /// Their account.
    pub user: UserId,
    /// The session that it is minted in.
    pub session: SessionId,
    /// What they are.
    pub role: Role,
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

    /// A token from now on, valid for some minutes.
    ///
    /// # Errors
    /// 500 when the key cannot sign.
    pub fn mint(&self, bearer: Bearer, now: Timestamp, minutes: u32) -> Result<String, Problem> {
        let header = Header { kid: Some(self.id.to_string()), ..Header::new(Algorithm::EdDSA) };
        let issued = now.as_second();
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: bearer.user,
            org: bearer.organization,
            sid: bearer.session,
            roles: vec![bearer.role],
            iat: issued,
            exp: issued + i64::from(minutes) * 60,
            jti: EventId::mint().0,
        };
        jsonwebtoken::encode(&header, &claims, &self.key).map_err(|error| Problem::internal(&error))
    }
}
