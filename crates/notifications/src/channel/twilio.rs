//! Short messages by Twilio: a `POST` to the `Messages` resource of its API, version 2010-04-01.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use platform::config::Secret;
use reqwest::Client;
use serde::Deserialize;
use url::form_urlencoded;

use super::http::{Answer, LIMIT, ask};
use super::{Channel, Sending};
use crate::delivery::{Outcome, Way};
use crate::sms::Text;

/// Who messages come from.
#[derive(Debug, Clone)]
pub enum Sender {
    /// A number, a short code, or letters.
    From(String),
    /// A messaging service, which has senders of its own.
    Service(String),
}

/// An account at Twilio.
#[derive(Debug)]
pub struct Twilio {
    client: Client,
    url: String,
    account: String,
    token: Secret,
    sender: Sender,
    told_at: Option<String>,
    limit: Duration,
}

impl Twilio {
    /// The account of a token, at an address such as `https://api.twilio.com`. `told_at` is where it tells what becomes of
    /// messages: the public address of [`crate::api::hear_twilio`] up to the organization.
    #[must_use]
    pub fn new(
        client: Client,
        base: &str,
        (account, token): (String, Secret),
        sender: Sender,
        told_at: Option<String>,
    ) -> Self {
        let url = format!("{base}/2010-04-01/Accounts/{account}/Messages.json");
        Self { client, url, account, token, sender, told_at, limit: LIMIT }
    }

    async fn attempt(&self, text: &Text) -> Outcome {
        let callback = self.told_at.as_ref().zip(text.delivery);
        let callback = callback.map(|(base, delivery)| format!("{base}/{}/{delivery}", text.organization));
        let mut form = vec![("To", text.to.as_str()), ("Body", &text.body)];
        form.push(match &self.sender {
            Sender::From(from) => ("From", from),
            Sender::Service(service) => ("MessagingServiceSid", service),
        });
        form.extend(callback.as_ref().map(|url| ("StatusCallback", url.as_str())));
        let request = self.client.post(&self.url).basic_auth(&self.account, Some(self.token.expose()));
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        match ask(request, self.limit).await {
            Ok(answer) => outcome(&answer),
            Err(outcome) => outcome,
        }
    }
}

impl Channel<Text> for Twilio {
    fn way(&self) -> Way {
        Way::Sms
    }

    fn send<'a>(&'a self, text: &'a Text) -> Sending<'a> {
        Box::pin(self.attempt(text))
    }
}

/// What it says.
#[derive(Default, Deserialize)]
struct Said {
    #[serde(default)]
    sid: String,
    #[serde(default)]
    code: Option<u32>,
    #[serde(default)]
    message: Option<String>,
}

/// By the codes of Twilio's "Error and Warning Dictionary".
fn outcome(answer: &Answer) -> Outcome {
    let Said { sid, code, message } = serde_json::from_str(&answer.body).unwrap_or_default();
    let code_text = code.map(|code| code.to_string()).unwrap_or_default();
    let said = [answer.status.as_str(), &sid, &code_text, message.as_deref().unwrap_or_default()].join(" ");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    match (answer.status.as_u16(), code) {
        // No such number, or one that takes no short messages.
        (400, Some(21211 | 21214 | 21217 | 21614)) => Outcome::NoSuchAddress(said),
        // What the operator mends: the sender, the service.
        (400, Some(21212 | 21603 | 21606 | 21659 | 21660 | 21703)) => Outcome::Away(said),
        (429, _) | (_, Some(20429)) => answer.busy(said),
        _ => answer.outcome(said),
    }
}
