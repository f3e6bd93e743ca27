//! An issuer of access tokens with a key of its own, whose key set is served over HTTP as the user service does.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use kernel::{Clock, EventId, OrganizationId, Role, SessionId, UserId};
use platform::auth::{AUDIENCE, Claims, ISSUER, Jwk, KeySet, Keys, Verifier};
use platform::http::client::client;

/// Someone who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their organization.
    pub organization: OrganizationId,
    /// Their account.
    pub user: UserId,
    /// What they are.
    pub role: Role,
}

impl Person {
    /// Someone new in an organization.
    #[must_use]
    pub fn new(organization: OrganizationId, role: Role) -> Self {
        Self { organization, user: UserId::mint(), role }
    }
}

/// Signs tokens.
pub struct Issuer {
    key: EncodingKey,
    clock: Arc<dyn Clock>,
    url: String,
    /// The public key, base64url.
    public: String,
}

impl Issuer {
    /// An issuer with a new key, serving its key set on a free port.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start(clock: Arc<dyn Clock>) -> Self {
        let signing = SigningKey::from_bytes(&rand::random());
        let public = URL_SAFE_NO_PAD.encode(signing.verifying_key().as_bytes());
        let set = KeySet {
            keys: vec![Jwk {
                kty: "OKP".into(),
                crv: "Ed25519".into(),
                x: public.clone(),
                kid: "test".into(),
                alg: "EdDSA".into(),
                usage: "sig".into(),
            }],
        };
        let set = serde_json::to_string(&set).unwrap();
        let router = Router::new().route("/.well-known/jwks.json", get(move || async move { set }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let key = EncodingKey::from_ed_der(signing.to_pkcs8_der().unwrap().as_bytes());
        Self { key, clock, url, public }
    }

    /// A verifier of its tokens.
    ///
    /// # Panics
    /// When no HTTP client can be had.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        let url = format!("{}/.well-known/jwks.json", self.url);
        let keys = Keys::at(url, client(Duration::from_secs(5)).unwrap());
        Verifier::new(Arc::new(keys), self.clock.clone())
    }

    /// Its public key as its key set shows it: base64url.
    #[must_use]
    pub fn public_key_text(&self) -> &str {
        &self.public
    }

    /// Its public key.
    ///
    /// # Panics
    /// Never: it is one.
    #[must_use]
    pub fn public_key(&self) -> DecodingKey {
        DecodingKey::from_ed_components(&self.public).unwrap()
    }

    /// Where it is reached: what a real service takes for the address of the user service.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.url
    }

    /// A token of 15 minutes for someone.
    #[must_use]
    pub fn token(&self, person: &Person) -> String {
        self.sign(&self.claims(person))
    }

    /// What a token of 15 minutes says of someone.
    #[must_use]
    pub fn claims(&self, person: &Person) -> Claims {
        let now = self.clock.now().as_second();
        Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: person.user,
            org: person.organization,
            sid: SessionId::mint(),
            roles: vec![person.role],
            remit: None,
            iat: now,
            exp: now + 900,
            jti: EventId::mint().0,
            auth_time: Some(now),
            acr: Some("1".into()),
            scope: None,
        }
    }

    /// A token with claims of one's own.
    ///
    /// # Panics
    /// When signing fails.
    #[must_use]
    pub fn sign(&self, claims: &Claims) -> String {
        let header = Header { kid: Some("test".into()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }
}
