//! Who gets in: tokens of every wrong kind are refused, roles are respected.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use kernel::Role;
use platform::auth::Claims;
use testkit::Issuer;

use crate::notes;

#[tokio::test]
async fn a_token_is_right_in_every_part_or_refused() {
    let app = notes::start().await;
    let admin = app.person(Role::Admin);
    let right = app.issuer.claims(&admin);
    let get = async |token: &str| app.call("GET", "/shelf").bearer(token).send().await;
    get(&app.issuer.sign(&right)).await.expect(200);

    let other = Issuer::start(app.clock.clone()).await;
    let hmac = Header { kid: Some("test".into()), ..Header::new(Algorithm::HS256) };
    let confused = jsonwebtoken::encode(&hmac, &right, &EncodingKey::from_secret(b"public key")).unwrap();
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"test"}"#);
    let body = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&right).unwrap());
    let mut tampered = app.issuer.sign(&right).into_bytes();
    let middle = tampered.len() / 2;
    tampered[middle] = if tampered[middle] == b'A' { b'B' } else { b'A' };
    let wrong = [
        other.sign(&right),
        confused,
        format!("{none}.{body}."),
        String::from_utf8(tampered).unwrap(),
        app.issuer.sign(&Claims { iss: "another".into(), ..right.clone() }),
        app.issuer.sign(&Claims { aud: "another".into(), ..right.clone() }),
        app.issuer.sign(&Claims { roles: Vec::new(), ..right.clone() }),
        "a.b.c".into(),
        String::new(),
    ];
    for token in wrong {
        let reply = get(&token).await;
        assert_eq!(reply.header("www-authenticate"), "Bearer");
        reply.problem(401, "invalid_token");
    }
    let expired = Claims { exp: app.now().as_second(), ..right };
    get(&app.issuer.sign(&expired)).await.problem(401, "token_expired");
    app.call("GET", "/shelf").send().await.problem(401, "token_required");
    let basic = app.call("GET", "/shelf").header("authorization", "Basic YTpi");
    basic.send().await.problem(401, "token_required");
}

#[tokio::test]
async fn a_role_has_what_its_permissions_say() {
    let app = notes::start().await;
    let problem = app
        .call_as(&app.person(Role::User), "GET", "/shelf")
        .send()
        .await
        .problem(403, "permission_required");
    assert!(problem["detail"].as_str().unwrap().contains("catalogue.manage"));
    app.call_as(&app.person(Role::Manager), "GET", "/shelf").send().await.expect(200);
}

#[tokio::test]
async fn the_feed_is_for_services_only() {
    let app = notes::start().await;
    app.call("GET", "/internal/events").send().await.problem(401, "internal_token_required");
    let admin = app.call_as(&app.person(Role::Admin), "GET", "/internal/events");
    admin.send().await.problem(401, "internal_token_required");
    app.call_internally("GET", "/internal/events").send().await.expect(200);
}
