//! Mails about accounts, from the registration to the sign-in and from the invitation to the account, over the real
//! services and a real mail server.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::client::Client;
use crate::installation::Installation;
use crate::journey::files;

const PASSWORD: &str = "a password of many words";

/// The token of the link in the mail to an address, once it has arrived.
async fn token(address: &str, page: &str) -> String {
    let folder = testkit::variable("TEST_MAILDIR");
    let arrived = async {
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        loop {
            tick.tick().await;
            for path in files(Path::new(&folder)) {
                let Ok(bytes) = std::fs::read(&path) else { continue };
                let mail = String::from_utf8_lossy(&bytes)
                    .replace("=\r\n", "")
                    .replace("=\n", "")
                    .replace("=3D", "=");
                let link = format!("/{page}#token=");
                if let Some(at) = mail.find(&link).filter(|_| mail.contains(address)) {
                    return mail[at + link.len()..].chars().take(86).collect();
                }
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), arrived).await.unwrap()
}

/// The operation that the button of a page asks.
async fn operation_behind(client: &Client, page: &str) -> String {
    let reply = client.get(page).await;
    assert!(reply.header("content-security-policy").starts_with("default-src 'none'; script-src 'sha256-"));
    assert_eq!(reply.header("referrer-policy"), "no-referrer");
    let html = reply.expect(200).as_str().unwrap().to_owned();
    let (_, rest) = html.split_once("data-post=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn with_a_mail_server_addresses_are_verified_and_people_invited() {
    let smtp = testkit::variable("TEST_SMTP_URL");
    let installation = Installation::on_database_with(&[("SMTP_URL", &smtp)]).await;
    let client = installation.client();
    let ada = format!("eva-{}@example.com", installation.port);
    let person = json!({ "email": ada, "password": PASSWORD, "name": "Eva" });
    client.post("/api/v1/auth/register", person).await.expect(201);
    let credentials = json!({ "email": ada, "password": PASSWORD });
    client.post("/api/v1/auth/login", credentials).await.problem(401, "invalid_credentials");
    let verify = json!({ "token": token(&ada, "verify-email").await });
    // What scans mails and follows their links uses none up.
    let operation = operation_behind(&client, "/verify-email").await;
    operation_behind(&client, "/verify-email").await;
    client.post(&operation, verify).await.expect(204);
    let ada = installation.client().sign_in(&ada, PASSWORD).await;
    assert_eq!(ada.get("/api/v1/me").await.expect(200)["email_verified"], true);
    assert_eq!(ada.get("/api/v1/notifications").await.expect(200)["items"], json!([]));

    let bob = format!("ben-{}@example.com", installation.port);
    let invitation = json!({ "email": bob, "name": "Ben", "role": "manager" });
    installation.admin().await.post("/api/v1/invitations", invitation).await.expect(201);
    let accept = json!({ "token": token(&bob, "accept-invitation").await, "password": PASSWORD });
    client.post(&operation_behind(&client, "/accept-invitation").await, accept).await.expect(201);
    let bob = installation.client().sign_in(&bob, PASSWORD).await;
    assert_eq!(bob.get("/api/v1/me").await.expect(200)["role"], "manager");
}
