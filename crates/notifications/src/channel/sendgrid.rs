//! Mail by SendGrid: the operation `POST /v3/mail/send` of its Web API.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use platform::config::Secret;
use reqwest::Client;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::http::{Answer, LIMIT, ask};
use super::{Channel, Sending};
use crate::delivery::{Outcome, Way};
use crate::mail::Mail;

/// An account at SendGrid.
#[derive(Debug)]
pub struct SendGrid {
    client: Client,
    url: String,
    key: Secret,
    tracks_opens: bool,
    limit: Duration,
}

impl SendGrid {
    /// The account of a key, at an address such as `https://api.sendgrid.com`. Whether somebody opens a mail is told by a
    /// picture in it, which is only put in with `tracks_opens`.
    #[must_use]
    pub fn new(client: Client, base: &str, key: Secret, tracks_opens: bool) -> Self {
        Self { client, url: format!("{base}/v3/mail/send"), key, tracks_opens, limit: LIMIT }
    }

    /// The same with another limit on the time of one mail.
    #[must_use]
    pub fn with_limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    async fn attempt(&self, mail: &Mail) -> Outcome {
        let request = self.client.post(&self.url).bearer_auth(self.key.expose());
        match ask(request.json(&body(mail, self.tracks_opens)), self.limit).await {
            Ok(answer) => outcome(&answer),
            Err(outcome) => outcome,
        }
    }
}

impl Channel for SendGrid {
    fn way(&self) -> Way {
        Way::Email
    }

    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        Box::pin(self.attempt(mail))
    }
}

/// Somebody with an address.
#[derive(Serialize)]
struct Party<'a> {
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

impl<'a> Party<'a> {
    fn new(mailbox: &'a lettre::message::Mailbox) -> Self {
        Self { email: mailbox.email.as_ref(), name: mailbox.name.as_deref() }
    }
}

/// The mail as SendGrid's JSON. It takes no MIME: the calendar entry is a file, and the parameter `method`, which its
/// media types must not have, stands in the entry itself.
fn body(mail: &Mail, tracks_opens: bool) -> Value {
    let content = &mail.content;
    let headers: Map<String, Value> =
        content.headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
    let mut body = json!({
        "personalizations": [{
            "to": [Party::new(&content.to)],
            "custom_args": { "organization_id": mail.organization, "delivery_id": mail.delivery },
        }],
        "from": Party::new(&content.from),
        "subject": content.subject,
        "content": [
            { "type": "text/plain", "value": content.text },
            { "type": "text/html", "value": content.html },
        ],
        "headers": headers,
        // Links carry what proves who somebody is: nobody else is to see them.
        "tracking_settings": {
            "click_tracking": { "enable": false, "enable_text": false },
            "open_tracking": { "enable": tracks_opens },
        },
    });
    if let Some((_, entry)) = &content.calendar {
        let file = json!({
            "content": STANDARD.encode(entry), "type": "text/calendar", "filename": "booking.ics",
            "disposition": "attachment",
        });
        body["attachments"] = json!([file]);
    }
    body
}

/// What it says when it does not take a mail.
#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    errors: Vec<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    #[serde(default)]
    message: String,
    #[serde(default)]
    field: Option<String>,
}

fn outcome(answer: &Answer) -> Outcome {
    let id = answer.headers.get("x-message-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let refusal: Refusal = serde_json::from_str(&answer.body).unwrap_or_default();
    let words: Vec<_> = refusal.errors.iter().map(|fault| fault.message.as_str()).collect();
    let said = [answer.status.as_str(), id, &words.join(" ")].join(" ").trim_end().replace("  ", " ");
    // The only address that the person has chosen.
    let of_the_address = |fault: &Fault| {
        let field = fault.field.as_deref().unwrap_or_default();
        field.starts_with("personalizations.0.to.0") && field.ends_with("email")
    };
    let of_the_sender = |fault: &Fault| fault.field.as_deref().is_some_and(|field| field.starts_with("from"));
    match answer.status.as_u16() {
        400 if refusal.errors.iter().any(of_the_address) => Outcome::NoSuchAddress(said),
        400 if refusal.errors.iter().any(of_the_sender) => Outcome::Away(said),
        _ => answer.outcome(said),
    }
}
