//! Accounts from end to end: sessions that end everywhere, keys that follow each other, programs, lost passwords.

use std::path::Path;
use std::time::Duration;

use mail_parser::MessageParser;
use serde_json::{Value, json};

use crate::client::Client;
use crate::installation::Installation;

/// Asks again and again until the answer has a status.
async fn until(client: &Client, path: &str, status: u16) -> Value {
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    for _ in 0..600 {
        tick.tick().await;
        let reply = client.get(path).await;
        if reply.status.as_u16() == status {
            return reply.body;
        }
    }
    panic!("{path} was never answered with {status}");
}

#[tokio::test]
async fn a_session_ended_elsewhere_is_refused_by_every_service_at_once() {
    let installation = Installation::on_database().await;
    let (here, there) = (installation.admin().await, installation.admin().await);
    let paths = ["/api/v1/me", "/api/v1/bookings", "/api/v1/resources", "/api/v1/notifications"];
    for path in paths {
        there.get(path).await.expect(200);
    }
    here.send(here.request("DELETE", "/api/v1/me/sessions")).await.expect(204);
    for path in paths {
        assert_eq!(until(&there, path, 401).await["code"], "session_ended", "{path}");
        here.get(path).await.expect(200);
    }
}

#[tokio::test]
async fn keys_are_rotated_while_people_work() {
    let installation = Installation::on_database().await;
    let admin = installation.admin().await;
    let said = installation.say(&["admin", "keys", "rotate"]).await;
    assert!(said.contains("a new key signs from"), "{said}");
    let set = admin.get("/.well-known/jwks.json").await.expect(200);
    assert_eq!(set["keys"].as_array().unwrap().len(), 2);
    admin.get("/api/v1/bookings").await.expect(200);
    installation.admin().await.get("/api/v1/bookings").await.expect(200);
}

#[tokio::test]
async fn a_program_exchanges_its_key_and_books_within_its_scopes() {
    let installation = Installation::on_database().await;
    let admin = installation.admin().await;
    let account = admin
        .post("/api/v1/service-accounts", json!({ "name": "Displays", "role": "user" }))
        .await
        .expect(201);
    let key = json!({ "name": "x", "scopes": ["catalogue.read"], "user_id": account["id"] });
    let key = admin.post("/api/v1/api-keys", key).await.expect(201);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", key["client_id"].as_str().unwrap()),
        ("client_secret", key["client_secret"].as_str().unwrap()),
    ];
    let text: Vec<_> = form.map(|(name, value)| format!("{name}={value}")).into();
    let ask = || {
        let request = installation.client().request("POST", "/api/v1/auth/token").body(text.join("&"));
        request.header("content-type", "application/x-www-form-urlencoded")
    };
    let tokens = admin.send(ask()).await.expect(200);
    let program = installation.client().with_token(tokens["access_token"].as_str().unwrap());
    program.get("/api/v1/resources").await.expect(200);
    program.get("/api/v1/bookings").await.problem(403, "permission_required");
    let path = format!("/api/v1/api-keys/{}", key["id"].as_str().unwrap());
    admin.send(admin.request("DELETE", &path)).await.expect(204);
    assert_eq!(until(&program, "/api/v1/resources", 401).await["code"], "session_ended");
    assert_eq!(admin.send(ask()).await.expect(401)["error"], "invalid_client");
}

/// The token of the mail in the outbox, if it is there.
fn mailed(outbox: &Path) -> Option<String> {
    let days = std::fs::read_dir(outbox).ok()?;
    let files = days.flat_map(|day| std::fs::read_dir(day.unwrap().path()).unwrap());
    let token = |bytes: Vec<u8>| {
        let mail = MessageParser::default().parse(&bytes)?;
        let is_ours = mail.subject()?.ends_with(": Set a new password");
        let text = mail.body_text(0)?.into_owned();
        let (_, rest) =
            text.split_once("https://rooms.example.edu/reset-password#token=").filter(|_| is_ours)?;
        rest.split_whitespace().next().map(str::to_owned)
    };
    let whole = |path: &Path| path.extension().is_some_and(|extension| extension == "eml");
    files
        .map(|file| file.unwrap().path())
        .filter(|path| whole(path))
        .find_map(|path| token(std::fs::read(path).unwrap()))
}

#[tokio::test]
async fn a_lost_password_is_replaced_by_mail() {
    let settings = [("RESERVAS_NOTIFICATIONS_LINK_URL", "https://rooms.example.edu/")];
    let installation = Installation::on_database_with(&settings).await;
    let client = installation.client();
    client.register("ada@example.com", "Ada").await;
    for email in ["ada@example.com", "nobody@example.com"] {
        client.post("/api/v1/auth/forgot-password", json!({ "email": email })).await.expect(202);
    }
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    let token = loop {
        tick.tick().await;
        if let Some(token) = mailed(&installation.data().join("outbox")) {
            break token;
        }
    };
    let new = "staple battery horse correct";
    let reset = || client.post("/api/v1/auth/reset-password", json!({ "token": token, "new_password": new }));
    reset().await.expect(204);
    reset().await.problem(403, "invalid_reset");
    let old = json!({ "email": "ada@example.com", "password": "a password of many words" });
    client.post("/api/v1/auth/login", old).await.problem(401, "invalid_credentials");
    client.sign_in("ada@example.com", new).await.get("/api/v1/me").await.expect(200);
}
