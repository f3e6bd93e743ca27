//! A provider that lies, stalls and floods: what no honest one can be made to do.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use http::StatusCode;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use testkit::{CLIENT_ID, CLIENT_SECRET, Reply};

use super::{NEW, PATH, START};
use crate::identity_provider::{Browser, PUBLIC, parameter};
use crate::{SignedIn, Users};

/// What the token endpoint answers.
#[derive(Clone)]
enum Answer {
    Token(String),
    Status(u16),
    Text(Vec<u8>),
    Never,
}

/// What such a provider does.
struct Liar {
    issuer: String,
    key: SigningKey,
    answer: Arc<Mutex<Answer>>,
}

impl Liar {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let key = SigningKey::from_bytes(&rand::random());
        let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
        let keys = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "1", "use": "sig"}]});
        let description = json!({"issuer": issuer, "authorization_endpoint": format!("{issuer}/auth"),
            "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys"),
            "token_endpoint_auth_methods_supported": ["client_secret_post"]});
        let answer = Arc::new(Mutex::new(Answer::Never));
        let shared = answer.clone();
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(async move || description.to_string()))
            .route("/keys", get(async move || keys.to_string()))
            .route("/token", post(async move |body: String| tell(&shared, &body).await));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { issuer, key, answer }
    }

    fn signed(&self, claims: &Value) -> String {
        let header = Header { kid: Some("1".into()), ..Header::new(Algorithm::EdDSA) };
        let der = self.key.to_pkcs8_der().unwrap();
        encode(&header, claims, &EncodingKey::from_ed_der(der.as_bytes())).unwrap()
    }
}

async fn tell(answer: &Mutex<Answer>, body: &str) -> Response {
    assert!(body.contains("code_verifier=") && body.contains("client_secret="), "{body}");
    let answer = answer.lock().unwrap().clone();
    match answer {
        Answer::Token(token) => {
            json!({"id_token": token, "token_type": "Bearer"}).to_string().into_response()
        }
        Answer::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Answer::Text(bytes) => Body::from(bytes).into_response(),
        Answer::Never => std::future::pending().await,
    }
}

struct World {
    users: Users,
    liar: Liar,
}

impl World {
    async fn start() -> Self {
        let users = Users::start().await;
        let (admin, liar): (SignedIn, _) = (users.admin().await, Liar::start().await);
        let body = json!({"issuer": liar.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
                          "create_accounts": true, "email_domains": ["example.edu"]});
        users.by(&admin, "PUT", PATH).json(body).send().await.expect(200);
        assert_eq!(users.event_types().await, ["organization.single_sign_on_changed"]);
        Self { users, liar }
    }

    /// Comes back with a code, for which the provider answers what it is told to.
    async fn come_back(&self, answer: impl FnOnce(Value) -> Answer) -> Reply {
        let mut browser = Browser::default();
        let sent = browser.open(&self.users, START).await.expect(302);
        let said = |name: &str| parameter(sent.header("location"), name).unwrap();
        let now = self.users.now().as_second();
        let claims = json!({"iss": self.liar.issuer, "sub": "7", "aud": CLIENT_ID, "exp": now + 60, "iat": now,
                            "nonce": said("nonce"), "email": "ada@example.edu", "email_verified": true});
        *self.liar.answer.lock().unwrap() = answer(claims);
        let path =
            format!("{}?state={}&code=c", said("redirect_uri").strip_prefix(PUBLIC).unwrap(), said("state"));
        browser.open(&self.users, &path).await
    }

    async fn come_back_with(&self, changes: Value) -> Reply {
        let answer = |mut claims: Value| {
            for (name, value) in changes.as_object().unwrap() {
                claims[name] = value.clone();
            }
            Answer::Token(self.liar.signed(&claims))
        };
        self.come_back(answer).await
    }
}

#[tokio::test]
async fn a_token_with_anything_wrong_signs_nobody_in() {
    let world = World::start().await;
    let now = world.users.now().as_second();
    for wrong in [
        json!({"nonce": "another"}),
        json!({"nonce": null}),
        json!({"aud": "somebody-else"}),
        json!({"aud": [CLIENT_ID, "somebody-else"]}),
        json!({"azp": "somebody-else"}),
        json!({"iss": "https://login.example.edu"}),
        json!({"exp": now - 60}),
        json!({"iat": now + 3600}),
        json!({"sub": ""}),
        json!({"sub": null}),
    ] {
        let reply = world.come_back_with(wrong.clone()).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{wrong}");
        reply.problem(403, "identity_not_proven");
    }
    assert_eq!(world.users.event_types().await, [""; 0]);
    world.come_back_with(json!({})).await.expect(200);
    assert_eq!(world.users.event_types().await, NEW);
}

#[tokio::test]
async fn a_token_that_nobody_signed_or_somebody_else_signs_nobody_in() {
    let world = World::start().await;
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let stranger = SigningKey::from_bytes(&rand::random());
    let forgeries: [&dyn Fn(&Value) -> String; 5] = [
        &|claims| format!("{}.{}.", part(&json!({"alg": "none"})), part(claims)),
        // With what both sides know, and with what everybody knows.
        &|claims| {
            encode(
                &Header::new(Algorithm::HS256),
                claims,
                &EncodingKey::from_secret(CLIENT_SECRET.as_bytes()),
            )
            .unwrap()
        },
        &|claims| {
            let public = EncodingKey::from_secret(world.liar.key.verifying_key().as_bytes());
            encode(&Header { kid: Some("1".into()), ..Header::new(Algorithm::HS256) }, claims, &public)
                .unwrap()
        },
        &|claims| {
            let der = stranger.to_pkcs8_der().unwrap();
            encode(&Header::new(Algorithm::EdDSA), claims, &EncodingKey::from_ed_der(der.as_bytes())).unwrap()
        },
        &|_| "no token".to_owned(),
    ];
    for (number, forge) in forgeries.iter().enumerate() {
        let reply = world.come_back(|claims| Answer::Token(forge(&claims))).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "forgery {number}");
        reply.problem(403, "identity_not_proven");
    }
}

#[tokio::test]
async fn a_provider_that_stalls_floods_or_fails_is_given_up() {
    let world = World::start().await;
    for answer in [
        Answer::Status(500),
        Answer::Status(302),
        Answer::Text(b"no JSON".to_vec()),
        Answer::Text(br#"{"token_type": "Bearer"}"#.to_vec()),
        Answer::Text(vec![b' '; 600 * 1024]),
        Answer::Never,
    ] {
        let reply = world.come_back(|_| answer.clone()).await;
        reply.problem(503, "identity_provider_unavailable");
    }
    world.come_back(|_| Answer::Status(400)).await.problem(403, "identity_provider_refused");
    assert_eq!(world.users.event_types().await, [""; 0]);
}
