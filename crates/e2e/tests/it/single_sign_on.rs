//! Signing in through an identity provider, with everything between the browser and the service.

use std::time::Duration;

use platform::http::client::client;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use serde_json::json;
use testkit::IdentityProvider;

use crate::installation::{ADMIN, Installation, PASSWORD};

/// A browser at the provider: follows it until it sends back to the installation.
async fn sign_in(address: &str, home: &str) -> String {
    let (http, mut cookies) = (client(Duration::from_secs(30)).unwrap(), Vec::new());
    let mut next: reqwest::Url = address.parse().unwrap();
    while !next.as_str().starts_with(home) {
        if next.path().starts_with("/interaction/") {
            next.set_query(Some("login=7"));
        }
        let response = http.get(next.clone()).header(COOKIE, cookies.join("; ")).send().await.unwrap();
        let set = response.headers().get_all(SET_COOKIE).iter().map(|value| value.to_str().unwrap());
        cookies.extend(set.map(|value| value.split(';').next().unwrap().to_owned()));
        next = next.join(response.headers()[LOCATION].to_str().unwrap()).unwrap();
    }
    next.to_string()
}

#[tokio::test]
async fn a_browser_goes_to_the_provider_and_back_through_the_gateway() {
    let settings = [("RESERVAS_USERS_IDENTITY_PROVIDERS", "development")];
    let installation = Installation::on_database_with(&settings).await;
    let admin = installation.client().sign_in(ADMIN, PASSWORD).await;
    let path = "/api/v1/organization/single-sign-on";
    admin.get(path).await.problem(404, "no_single_sign_on");
    let home = format!("http://localhost:{}", installation.port);
    let organization = admin.get("/api/v1/organization").await.expect(200)["id"].as_str().unwrap().to_owned();
    let back = format!("{home}/api/v1/auth/sso/callback/{organization}");
    let people =
        json!({"7": {"email": "ada@example.edu", "email_verified": true, "name": "Ada", "groups": ["desk"]}});
    let provider = IdentityProvider::start(&[back], people, false, "RS256").await;
    let mut wish = provider.settings();
    wish["scopes"] = json!(["email", "groups", "profile"]);
    wish["create_accounts"] = json!(true);
    wish["roles"] = json!({"desk": "manager"});
    let set = admin.send(admin.request("PUT", path).json(&wish)).await.expect(200);
    assert!(set["redirect_uri"].as_str().unwrap().starts_with(&home));

    let anonymous = installation.client();
    let sent = anonymous.get("/api/v1/auth/sso/start").await;
    assert_eq!(sent.status.as_u16(), 302, "the browser is sent, not the gateway");
    let cookie = sent.header("set-cookie").split(';').next().unwrap().to_owned();
    let back = sign_in(sent.header("location"), &home).await;
    let back = back.strip_prefix(&home).unwrap();
    anonymous.get(back).await.problem(401, "invalid_sign_on");
    let request = anonymous.request("GET", back).header(COOKIE, cookie);
    let tokens = anonymous.send(request).await.expect(200);
    let ada = anonymous.with_token(tokens["access_token"].as_str().unwrap());
    let me = ada.get("/api/v1/me").await.expect(200);
    assert_eq!((&me["email"], &me["role"]), (&json!("ada@example.edu"), &json!("manager")));
    ada.get("/api/v1/users").await.expect(200);
}
