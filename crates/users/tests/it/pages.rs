//! The pages that links of mails lead to.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::Users;

const PAGES: [(&str, &str, Option<&str>); 4] = [
    ("/verify-email", "/api/v1/auth/verify-email", None),
    ("/confirm-email", "/api/v1/auth/confirm-email", None),
    ("/accept-invitation", "/api/v1/auth/accept-invitation", Some("password")),
    ("/reset-password", "/api/v1/auth/reset-password", Some("new_password")),
];

/// What stands between two texts.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    text.split_once(before).unwrap().1.split_once(after).unwrap().0
}

#[tokio::test]
async fn a_page_has_all_it_needs_and_asks_nobody_else() {
    let users = Users::start().await;
    for (page, operation, password) in PAGES {
        let reply = users.call("GET", page).send().await.expect(200);
        assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(
            (reply.header("cache-control"), reply.header("referrer-policy")),
            ("no-store", "no-referrer")
        );
        let policy = reply.header("content-security-policy").to_owned();
        assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{policy}");
        let html = String::from_utf8(reply.body).unwrap();
        for (name, element) in [("script", "script"), ("style", "style")] {
            let text = between(&html, &format!("<{element}>"), &format!("</{element}>"));
            let hash = STANDARD.encode(Sha256::digest(text));
            assert!(policy.contains(&format!("{name}-src 'sha256-{hash}'")), "{page}: {name} does not run");
        }
        assert!(!html.contains("http") && !html.contains("src=") && !html.contains("style="), "{page}");
        assert_eq!(between(&html, "data-post=\"", "\""), operation);
        assert_eq!(html.contains("type=\"password\""), password.is_some(), "{page}");
        if let Some(name) = password {
            assert_eq!(between(&html, "<input id=\"password\" name=\"", "\""), name);
        }
        // What the page sends is what the operation takes: it is refused for the token alone.
        let mut body = serde_json::json!({"token": "A".repeat(86)});
        if let Some(name) = password {
            body[name] = crate::PASSWORD.into();
        }
        let answer = users.call("POST", operation).json(body).send().await.json();
        assert!(["invalid_link", "invalid_reset"].contains(&answer["code"].as_str().unwrap()), "{answer}");
    }
}

#[tokio::test]
async fn it_is_in_the_readers_language() {
    let users = Users::start().await;
    for (accepted, language, title) in [
        ("en-GB,en;q=0.9", "en", "Set a new password"),
        ("pt-PT,pt;q=0.9,en;q=0.8", "pt", "Defina uma nova palavra-passe"),
        ("es-419", "es", "Establezca una nueva contraseña"),
        ("de", "en", "Set a new password"),
    ] {
        let call = users.call("GET", "/reset-password").header("accept-language", accepted);
        let reply = call.send().await.expect(200);
        assert_eq!((reply.header("content-language"), reply.header("vary")), (language, "Accept-Language"));
        let html = String::from_utf8(reply.body).unwrap();
        assert!(html.contains(&format!("<html lang=\"{language}\">")), "{html}");
        assert_eq!(between(&html, "<h1>", "</h1>"), title);
    }
}
