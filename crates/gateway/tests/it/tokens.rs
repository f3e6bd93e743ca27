//! Tokens: signatures, claims, roles, key rotation, claims as headers and in paths.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use http::StatusCode;
use serde_json::{Value, json};

use crate::backend::Backend;
use crate::client::{Reply, ask};
use crate::gateway::Running;
use crate::passing::{endpoint, file};

pub struct Signer {
    id: &'static str,
    key: SigningKey,
}

impl Signer {
    pub fn new(id: &'static str, seed: u8) -> Self {
        Self { id, key: SigningKey::from_bytes(&[seed; 32]) }
    }

    pub fn jwk(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.key.verifying_key().as_bytes());
        json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": self.id, "x": x})
    }

    pub fn token(&self, claims: &Value) -> String {
        self.signed(&json!({"alg": "EdDSA", "kid": self.id}), claims)
    }

    fn signed(&self, head: &Value, claims: &Value) -> String {
        let text = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(head.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(text.as_bytes()).to_bytes());
        format!("{text}.{signature}")
    }
}

pub fn seconds_from_now(seconds: u64) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "tokens expire by the real clock")]
    let now = SystemTime::now();
    (now + Duration::from_secs(seconds)).duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn claims() -> Value {
    json!({
        "iss": "reservas", "aud": ["reservas", "other"], "sub": "u 1/2", "exp": seconds_from_now(600),
        "roles": ["manager"], "org": {"id": "o1"},
    })
}

async fn start(backend: &Backend) -> Running {
    let mut guarded = endpoint(backend, "GET", "/me", "/param_forwarding/{JWT.sub}");
    guarded["extra_config"] = json!({"auth/validator": {
        "alg": "EdDSA", "jwk_url": format!("{}/keys", backend.url()), "disable_jwk_security": true, "cache": true,
        "issuer": "reservas", "audience": ["reservas"], "roles": ["manager", "admin"],
        "propagate_claims": [["org.id", "x-org"], ["missing", "x-missing"]],
    }});
    Running::start(&file(vec![guarded])).await
}

async fn with(running: &Running, token: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    ask(
        "GET",
        &running.url("/me"),
        &[("authorization", &bearer), ("x-org", "evil"), ("x-missing", "evil")],
        "",
    )
    .await
}

#[tokio::test]
async fn a_good_token_passes_and_its_claims_go_along() {
    let (backend, signer) = (Backend::start().await, Signer::new("k1", 1));
    *backend.keys.lock().unwrap() = json!({"keys": [signer.jwk()]});
    let running = start(&backend).await;
    let reply = with(&running, &signer.token(&claims())).await;
    assert_eq!(reply.status, StatusCode::OK);
    let told = reply.json();
    assert_eq!(told["path"], "/param_forwarding/u%201%2F2");
    assert_eq!(told["headers"]["X-Org"], json!(["o1"]));
    assert!(told["headers"].get("X-Missing").is_none(), "the client's own word on a claim never passes");
}

#[tokio::test]
async fn bad_tokens_are_401_and_missing_roles_403() {
    let (backend, signer) = (Backend::start().await, Signer::new("k1", 1));
    *backend.keys.lock().unwrap() = json!({"keys": [signer.jwk()]});
    let running = start(&backend).await;
    let changed = |name: &str, value: Value| {
        let mut claims = claims();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value;
        }
        signer.token(&claims)
    };
    for (what, token) in [
        ("expired", changed("exp", 1000.into())),
        ("endless", changed("exp", Value::Null)),
        ("early", changed("nbf", seconds_from_now(600).into())),
        ("issuer", changed("iss", "x".into())),
        ("audience", changed("aud", "other".into())),
        ("other key", Signer::new("k1", 2).token(&claims())),
        ("unsigned", signer.signed(&json!({"alg": "none", "kid": "k1"}), &claims())),
        ("other algorithm", signer.signed(&json!({"alg": "HS256", "kid": "k1"}), &claims())),
        ("nonsense", "x.y.z".into()),
    ] {
        let reply = with(&running, &token).await;
        assert_eq!(
            (reply.status, reply.json()["code"].as_str()),
            (StatusCode::UNAUTHORIZED, Some("unauthorized")),
            "{what}"
        );
        assert_eq!(reply.header("www-authenticate"), "Bearer");
    }
    let reply = with(&running, &changed("roles", json!(["member"]))).await;
    assert_eq!((reply.status, reply.json()["code"].as_str()), (StatusCode::FORBIDDEN, Some("forbidden")));
}

#[tokio::test]
async fn keys_are_kept_and_a_new_one_is_fetched_when_it_appears() {
    let (backend, old, new) = (Backend::start().await, Signer::new("old", 1), Signer::new("new", 2));
    *backend.keys.lock().unwrap() = json!({"keys": [old.jwk()]});
    let running = start(&backend).await;
    for _ in 0..3 {
        assert_eq!(with(&running, &old.token(&claims())).await.status, StatusCode::OK);
    }
    assert_eq!(backend.seen(), 4, "three requests and one for the keys");
    *backend.keys.lock().unwrap() = json!({"keys": [old.jwk(), new.jwk()]});
    assert_eq!(with(&running, &new.token(&claims())).await.status, StatusCode::OK);
    for _ in 0..5 {
        assert_eq!(
            with(&running, &Signer::new("made-up", 3).token(&claims())).await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    assert_eq!(backend.seen(), 6, "made-up key ids do not make the gateway ask again and again");
}

#[tokio::test]
async fn without_keys_the_answer_is_503() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let backend = Backend::start().await;
    let mut guarded = endpoint(&backend, "GET", "/me", "/param_forwarding/");
    guarded["extra_config"] = json!({"auth/validator": {
        "alg": "EdDSA", "jwk_url": format!("{nobody}/keys"), "disable_jwk_security": true,
    }});
    let running = Running::start(&file(vec![guarded])).await;
    let reply = with(&running, &Signer::new("k1", 1).token(&claims())).await;
    assert_eq!(
        (reply.status, reply.json()["code"].as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("keys_unavailable"))
    );
}

/// A route for tokens of two issuers, each with keys and rules of its own.
async fn start_for_two(one: &Backend, two: &Backend) -> Running {
    let mut guarded = endpoint(one, "GET", "/me", "/param_forwarding/{JWT.sub}");
    guarded["extra_config"] = json!({
        "auth/validator": {
            "alg": "EdDSA", "jwk_url": format!("{}/keys", one.url()), "disable_jwk_security": true,
            "issuer": "reservas", "audience": ["reservas"], "roles": ["manager"],
        },
        "_reservas/issuers": [{
            "issuer": "partner", "jwk_url": format!("{}/keys", two.url()), "disable_jwk_security": true,
            "audience": ["partners"],
        }],
    });
    Running::start(&file(vec![guarded])).await
}

#[tokio::test]
async fn tokens_of_two_issuers_are_good_each_by_its_own_keys() {
    let (one, two) = (Backend::start().await, Backend::start().await);
    let (ours, theirs) = (Signer::new("k1", 1), Signer::new("k1", 2));
    *one.keys.lock().unwrap() = json!({"keys": [ours.jwk()]});
    *two.keys.lock().unwrap() = json!({"keys": [theirs.jwk()]});
    let running = start_for_two(&one, &two).await;
    let partner = json!({ "iss": "partner", "aud": "partners", "sub": "p", "exp": seconds_from_now(600), "roles": ["manager"] });
    let with =
        async |signer: &Signer, claims: &Value| with(&running, &signer.token(claims)).await.status.as_u16();
    assert_eq!(with(&ours, &claims()).await, 200);
    assert_eq!(with(&theirs, &partner).await, 200);
    assert_eq!(with(&ours, &partner).await, 401, "the one's keys are not good for the other's tokens");
    assert_eq!(with(&theirs, &claims()).await, 401);
    let mut wrong = partner.clone();
    wrong["aud"] = json!("reservas");
    assert_eq!(with(&theirs, &wrong).await, 401, "each has its own audience");
    let mut nobody = partner.clone();
    nobody["roles"] = json!(["guest"]);
    assert_eq!(with(&theirs, &nobody).await, 403, "what an entry leaves out is as for the first");
    for issuer in [json!("stranger"), json!(null)] {
        let mut other = partner.clone();
        other["iss"] = issuer;
        assert_eq!(with(&theirs, &other).await, 401);
    }
}

#[tokio::test]
async fn a_list_of_issuers_without_a_first_or_with_the_same_twice_is_refused() {
    let backend = Backend::start().await;
    let validator =
        json!({"alg": "EdDSA", "jwk_url": format!("{}/keys", backend.url()), "disable_jwk_security": true});
    let named = |issuer: &str| {
        let mut named = validator.clone();
        named["issuer"] = issuer.into();
        named
    };
    let wrong = [
        json!({"_reservas/issuers": [named("a")]}),
        json!({"auth/validator": validator.clone(), "_reservas/issuers": [named("a")]}),
        json!({"auth/validator": named("a"), "_reservas/issuers": [named("a")]}),
        json!({"auth/validator": named("a"), "_reservas/issuers": [validator.clone()]}),
    ];
    for extra in wrong {
        let mut guarded = endpoint(&backend, "GET", "/me", "/param_forwarding/");
        guarded["extra_config"] = extra;
        let text = file(vec![guarded]).to_string();
        let errors = gateway::Gateway::parse(&text, gateway::Options::default()).err().unwrap().to_string();
        assert!(errors.contains("issuer"), "{errors}");
    }
}

/// The token itself does not reach the backend, only a claim does: that is enough to tell two users apart.
#[tokio::test]
async fn what_is_kept_for_one_claim_is_not_shown_to_another() {
    let keys = Backend::start().await;
    let signer = Signer::new("a", 1);
    *keys.keys.lock().unwrap() = json!({"keys": [signer.jwk()]});
    let backend = crate::scripted::Scripted::start(|_, headers| {
        let org = headers.get("x-org").map_or("", |org| org.to_str().unwrap()).to_owned();
        let kept = [("cache-control", "max-age=600")];
        Box::pin(std::future::ready(crate::scripted::answer(200, &kept, org)))
    })
    .await;
    let mut mine = crate::scripted::at(&[backend.url()], "GET", "/me", json!({"qos/http-cache": {}}));
    mine["input_headers"] = json!(["X-Org"]);
    mine["extra_config"] = json!({"auth/validator": {
        "alg": "EdDSA", "jwk_url": format!("{}/keys", keys.url()), "disable_jwk_security": true,
        "propagate_claims": [["org.id", "x-org"]],
    }});
    let running = Running::start(&file(vec![mine])).await;
    for org in ["o1", "o2", "o1", "o2"] {
        let mut claims = claims();
        claims["org"] = json!({"id": org});
        assert_eq!(with(&running, &signer.token(&claims)).await.body, org);
    }
    assert_eq!(backend.seen("/me"), 2);
}
