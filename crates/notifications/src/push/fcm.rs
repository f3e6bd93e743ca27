//! Pushes by Firebase Cloud Messaging, API HTTP v1 (`projects.messages:send`).

use std::time::Duration;

use reqwest::Client;
use serde::{Deserialize, Serialize};

use super::google_token::Account;
use super::reply::Reply;
use super::settings::{Settings, base, file};
use super::{Data, Push};
use crate::channel::{Channel, Sending};
use crate::delivery::{Outcome, Way};

/// FCM with a service account.
pub struct Fcm {
    account: Account,
    url: String,
    client: Client,
    timeout: Duration,
}

#[derive(Serialize)]
struct Request<'a> {
    message: Message<'a>,
}

#[derive(Serialize)]
struct Message<'a> {
    token: &'a str,
    notification: Notification<'a>,
    data: Data,
    android: Android,
    apns: Apple,
}

#[derive(Serialize)]
struct Notification<'a> {
    title: &'a str,
    body: &'a str,
}

/// What Android does with it.
#[derive(Serialize)]
struct Android {
    /// Of several that wait for a device that is off, the last is kept.
    collapse_key: String,
    priority: &'static str,
    /// A duration as protocol buffers write it in JSON: `3600s`.
    ttl: String,
    notification: Tag,
}

/// What is shown with the same tag is replaced.
#[derive(Serialize)]
struct Tag {
    tag: String,
}

/// What iPhones do with it that register with FCM.
#[derive(Serialize)]
struct Apple {
    headers: Headers,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Headers {
    apns_collapse_id: String,
    apns_expiration: String,
}

/// The body of a refusal (`google.rpc.Status`).
#[derive(Default, Deserialize)]
struct Refusal {
    error: Status,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    message: String,
    status: String,
    details: Vec<Detail>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Detail {
    error_code: String,
    field_violations: Vec<Violation>,
}

#[derive(Deserialize)]
struct Violation {
    #[serde(default)]
    field: String,
}

#[derive(Deserialize)]
struct Taken {
    name: String,
}

impl Fcm {
    /// FCM as it is set up; none when it is not.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn new(settings: &Settings, client: &Client) -> Result<Option<Self>, String> {
        if settings.fcm_account_file.is_empty() {
            return Ok(None);
        }
        let text = file("push.fcm_account_file", &settings.fcm_account_file)?;
        let account = Account::parse(&text, client.clone())?;
        let url = base("push.fcm_url", &settings.fcm_url)?;
        let url = format!("{url}/v1/projects/{}/messages:send", account.project);
        Ok(Some(Self { account, url, client: client.clone(), timeout: settings.timeout() }))
    }

    /// With another token where the kept one counts no more: once, as one that was just made is refused for other reasons.
    async fn attempt(&self, push: &Push) -> Result<Outcome, Outcome> {
        let token = self.account.token(push.now).await?;
        let reply = self.request(push, token.expose()).await?;
        if reply.status != 401 {
            return Ok(outcome(&reply));
        }
        self.account.forget(&token).await;
        let token = self.account.token(push.now).await?;
        Ok(outcome(&self.request(push, token.expose()).await?))
    }

    async fn request(&self, push: &Push, token: &str) -> Result<Reply, Outcome> {
        let request = self.client.post(&self.url).timeout(self.timeout).bearer_auth(token).json(&body(push));
        Reply::of(request, push.now).await
    }
}

impl Channel<Push> for Fcm {
    fn way(&self) -> Way {
        Way::Push
    }

    fn send<'a>(&'a self, push: &'a Push) -> Sending<'a> {
        Box::pin(async move { self.attempt(push).await.unwrap_or_else(|outcome| outcome) })
    }
}

fn body(push: &Push) -> Request<'_> {
    let booking = push.booking.to_string();
    Request {
        message: Message {
            token: push.address.secret(),
            notification: Notification { title: &push.title, body: &push.body },
            data: push.data(),
            android: Android {
                collapse_key: booking.clone(),
                priority: if push.is_urgent { "HIGH" } else { "NORMAL" },
                ttl: format!("{}s", push.ttl()),
                notification: Tag { tag: booking.clone() },
            },
            apns: Apple {
                headers: Headers {
                    apns_collapse_id: booking,
                    apns_expiration: push.expires_at.as_second().to_string(),
                },
            },
        },
    }
}

/// What an answer means (Firebase's "FCM error codes").
fn outcome(reply: &Reply) -> Outcome {
    if reply.is_success() {
        let name = serde_json::from_slice::<Taken>(&reply.body).map(|taken| taken.name);
        return Outcome::Sent(name.unwrap_or_else(|_| reply.words()));
    }
    let Status { message, status, details } =
        serde_json::from_slice::<Refusal>(&reply.body).unwrap_or_default().error;
    let code = details.iter().map(|detail| detail.error_code.as_str()).find(|code| !code.is_empty());
    let words = format!("{} {}: {message}", reply.status, code.unwrap_or(&status));
    let fields = details.iter().flat_map(|detail| &detail.field_violations);
    let is_token = fields.map(|violation| violation.field.as_str()).any(|field| field == "message.token");
    match (reply.status, code) {
        // The token belongs to another sender, was given back, or is none.
        (404, Some("UNREGISTERED")) | (403, Some("SENDER_ID_MISMATCH")) => Outcome::NoSuchAddress(words),
        (400, _) if is_token => Outcome::NoSuchAddress(words),
        (400, _) => Outcome::Permanent(words),
        (429 | 500..=599, _) => reply.busy(words),
        // 401, 403, 404: the account may not, or the project is another. That passes when the operator has mended it.
        _ => Outcome::Away(words),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn told(status: u16, body: &str, retry_after: Option<i64>) -> Outcome {
        let retry_after = retry_after.map(SignedDuration::from_secs);
        outcome(&Reply { status, body: body.as_bytes().to_vec(), retry_after })
    }

    fn refusal(code: &str) -> String {
        let kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError";
        format!(
            r#"{{"error":{{"code":1,"message":"m","status":"S","details":[{{"@type":"{kind}","errorCode":"{code}"}}]}}}}"#
        )
    }

    #[test]
    fn what_passes_is_told_from_what_does_not() {
        assert_eq!(
            told(200, r#"{"name":"projects/p/messages/1"}"#, None),
            Outcome::Sent("projects/p/messages/1".into())
        );
        for (status, code, name) in [
            (404, "UNREGISTERED", "no_such_address"),
            (403, "SENDER_ID_MISMATCH", "no_such_address"),
            (400, "INVALID_ARGUMENT", "permanent"),
            (401, "THIRD_PARTY_AUTH_ERROR", "away"),
            (403, "", "away"),
            (404, "", "away"),
            (429, "QUOTA_EXCEEDED", "passing"),
            (500, "INTERNAL", "away"),
            (503, "UNAVAILABLE", "away"),
        ] {
            assert_eq!(told(status, &refusal(code), None).name(), name, "{status} {code}");
        }
        let violation = r#"{"error":{"details":[{"@type":"x","fieldViolations":[{"field":"message.token","description":"d"}]}]}}"#;
        assert_eq!(told(400, violation, None).name(), "no_such_address");
        assert_eq!(told(502, "<html>", None).name(), "away");
    }

    #[test]
    fn it_is_asked_again_when_it_said() {
        let after = |outcome| match outcome {
            Outcome::Busy(_, left) => Some(left.as_secs()),
            _ => None,
        };
        assert_eq!(after(told(429, "", None)), Some(60));
        assert_eq!(after(told(429, "", Some(300))), Some(300));
        assert_eq!(after(told(503, &refusal("UNAVAILABLE"), Some(7))), Some(7));
    }
}
