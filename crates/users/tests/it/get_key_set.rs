//! `GET /.well-known/jwks.json`, and tokens that it must not let in.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use kernel::Role;
use platform::auth::{Claims, KeySet};
use serde_json::json;

use crate::Users;

#[tokio::test]
async fn one_public_key_and_nothing_private() {
    let users = Users::start().await;
    let reply = users.call("GET", "/.well-known/jwks.json").send().await.expect(200);
    assert_eq!(reply.header("cache-control"), "public, max-age=300");
    let set = reply.json();
    let key = &set["keys"][0];
    assert_eq!(set["keys"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&key["kty"], &key["crv"], &key["alg"], &key["use"]),
        (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA"), &json!("sig"))
    );
    assert!(key.get("d").is_none());
}

#[tokio::test]
async fn replicas_that_start_at_once_share_a_key() {
    let users = Users::start().await;
    sqlx::query("delete from users.signing_key").execute(&mut users.owner().await).await.unwrap();
    let loads: Vec<_> = (0..6)
        .map(|_| {
            let (context, now) = (users.context.clone(), users.now());
            tokio::spawn(async move {
                format!("{:?}", users::store::signing_keys::load_or_create(&context, now).await.unwrap())
            })
        })
        .collect();
    let mut signers = Vec::new();
    for load in loads {
        signers.push(load.await.unwrap());
    }
    signers.dedup();
    assert_eq!(signers.len(), 1);
}

#[tokio::test]
async fn tokens_of_others_open_nothing() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let set: KeySet =
        serde_json::from_value(users.call("GET", "/.well-known/jwks.json").send().await.expect(200).json())
            .unwrap();
    let key = &set.keys[0];
    let stranger = testkit::Person {
        user: users.first.user_id,
        organization: users.first.organization_id,
        role: Role::Admin,
    };
    let theirs = users.issuer.token(&stranger);
    let claims: Claims = jsonwebtoken::dangerous::insecure_decode(&theirs).unwrap().claims;
    // The public key taken for a shared secret, the classic confusion of algorithms.
    let header = Header { kid: Some(key.kid.clone()), ..Header::new(Algorithm::HS256) };
    let confused =
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(key.x.as_bytes())).unwrap();
    let (head, rest) = admin.access.split_once('.').unwrap();
    let (body, _) = rest.split_once('.').unwrap();
    let unsigned = format!("{head}.{body}.");
    for token in [theirs, confused, unsigned, admin.refresh.clone(), "x".to_owned()] {
        users.call("GET", "/api/v1/me").bearer(&token).send().await.problem(401, "invalid_token");
    }
}
