//! Mail by Amazon SES: the operation `SendEmail` of its API, version 2, with the mail as it is (MIME).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};

use super::http::{Answer, LIMIT, ask};
use super::sigv4::{Request, Signer};
use super::{Channel, Sending};
use crate::delivery::{Outcome, Way};
use crate::mail::Mail;

const PATH: &str = "/v2/email/outbound-emails";

/// An account at Amazon, in a region.
#[derive(Debug)]
pub struct Ses {
    client: Client,
    base: String,
    host: String,
    signer: Signer,
    configuration_set: Option<String>,
    limit: Duration,
}

impl Ses {
    /// The account of a key, at an address such as `https://email.eu-west-1.amazonaws.com`, of that host. The
    /// configuration set says where SES tells what becomes of a mail.
    #[must_use]
    pub fn new(
        client: Client,
        (base, host): (String, String),
        signer: Signer,
        configuration_set: Option<String>,
    ) -> Self {
        Self { client, base, host, signer, configuration_set, limit: LIMIT }
    }

    /// The same with another limit on the time of one mail.
    #[must_use]
    pub fn with_limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    async fn attempt(&self, mail: &Mail) -> Outcome {
        let body = self.body(mail).to_string();
        let content_type = "application/json";
        let request = Request { host: &self.host, path: PATH, content_type, body: body.as_bytes() };
        let signed = self.signer.sign(&request, mail.at);
        let request = self.client.post(format!("{}{PATH}", self.base)).header(CONTENT_TYPE, content_type);
        let request = request.header(HOST, &self.host).header("x-amz-date", signed.date);
        let request = request.header(AUTHORIZATION, signed.authorization).body(body);
        match ask(request, self.limit).await {
            Ok(answer) => outcome(&answer),
            Err(outcome) => outcome,
        }
    }

    fn body(&self, mail: &Mail) -> Value {
        let content = &mail.content;
        let mut body = json!({
            "FromEmailAddress": content.from.email.to_string(),
            "Destination": { "ToAddresses": [content.to.email.to_string()] },
            "Content": { "Raw": { "Data": STANDARD.encode(&mail.bytes) } },
            // What SES tells of the mail has them.
            "EmailTags": [
                { "Name": "organization_id", "Value": mail.organization },
                { "Name": "delivery_id", "Value": mail.delivery },
            ],
        });
        if let Some(set) = &self.configuration_set {
            body["ConfigurationSetName"] = json!(set);
        }
        body
    }
}

impl Channel for Ses {
    fn way(&self) -> Way {
        Way::Email
    }

    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        Box::pin(self.attempt(mail))
    }
}

/// What it says.
#[derive(Default, Deserialize)]
struct Said {
    #[serde(default, rename = "MessageId")]
    id: String,
    #[serde(default, alias = "Message")]
    message: String,
    #[serde(default, rename = "__type")]
    kind: String,
}

fn outcome(answer: &Answer) -> Outcome {
    let Said { id, message, kind } = serde_json::from_str(&answer.body).unwrap_or_default();
    let header = answer.headers.get("x-amzn-errortype").and_then(|kind| kind.to_str().ok());
    // `MessageRejected:http://…`, `com.amazon…#MessageRejected`
    let kind = header.unwrap_or(&kind);
    let kind = kind.split(':').next().unwrap_or_default().rsplit('#').next().unwrap_or_default();
    let said = [answer.status.as_str(), &id, kind, &message].join(" ");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    match kind {
        "TooManyRequestsException" | "LimitExceededException" | "ThrottlingException" => answer.busy(said),
        // What the operator mends: the account, the sender's identity, the configuration set.
        "AccountSuspendedException"
        | "SendingPausedException"
        | "MailFromDomainNotVerifiedException"
        | "NotFoundException" => Outcome::Away(said),
        "MessageRejected" if message.contains("not verified") || message.contains("authority to send") => {
            Outcome::Away(said)
        }
        _ => answer.outcome(said),
    }
}
