//! Pushes by Apple's service, over HTTP/2 with provider tokens ("Sending notification requests to APNs").

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use platform::config::Secret;
use reqwest::Client;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::reply::Reply;
use super::settings::{Settings, base, file};
use super::{CONNECT, Data, Push};
use crate::channel::{Channel, Sending};
use crate::delivery::{Outcome, Way};

/// How long a provider token is used. APNs refuses those of more than an hour, and ones that change within 20 minutes.
const LIFE: SignedDuration = SignedDuration::from_mins(40);
/// How often a connection that nothing goes over is tried, so that one that is dead is not found with a push.
const PING: Duration = Duration::from_secs(60);
/// Reasons of status 400 by which there is no such device for this app.
const NO_DEVICE: [&str; 2] = ["BadDeviceToken", "DeviceTokenNotForTopic"];
/// Reasons of status 400 that the operator can mend: they are of the settings, not of the push.
const OF_SETTINGS: [&str; 4] = ["BadTopic", "MissingTopic", "TopicDisallowed", "BadCertificateEnvironment"];

/// APNs with a key of a team's.
pub struct Apns {
    url: String,
    topic: String,
    team: String,
    head: Header,
    key: EncodingKey,
    client: Client,
    kept: Mutex<Option<Kept>>,
}

struct Kept {
    token: Secret,
    made_at: Timestamp,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    iat: i64,
}

#[derive(Serialize)]
struct Payload<'a> {
    aps: Aps<'a>,
    #[serde(flatten)]
    data: Data,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Aps<'a> {
    alert: Alert<'a>,
    sound: &'static str,
    /// What is shown together.
    thread_id: String,
}

#[derive(Serialize)]
struct Alert<'a> {
    title: &'a str,
    body: &'a str,
}

#[derive(Default, Deserialize)]
struct Refusal {
    reason: String,
}

impl Apns {
    /// APNs as it is set up; none when it is not.
    ///
    /// # Errors
    /// A sentence for the operator, which does not show the key.
    pub fn new(settings: &Settings) -> Result<Option<Self>, String> {
        if settings.apns_key_file.is_empty() {
            return Ok(None);
        }
        for (name, text) in [("apns_key_id", &settings.apns_key_id), ("apns_team_id", &settings.apns_team_id)]
        {
            if text.len() != 10 || !text.chars().all(|c| c.is_ascii_alphanumeric()) {
                return Err(format!("push.{name} must have ten letters and digits"));
            }
        }
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
        if settings.apns_topic.is_empty() || !settings.apns_topic.chars().all(is_word) {
            return Err("push.apns_topic must be the app's bundle id".into());
        }
        let text = file("push.apns_key_file", &settings.apns_key_file)?;
        let key = EncodingKey::from_ec_pem(text.expose().as_bytes());
        let key =
            key.map_err(|_| "push.apns_key_file holds no private key (PKCS#8, PEM) of P-256".to_owned())?;
        let mut head = Header::new(Algorithm::ES256);
        head.kid = Some(settings.apns_key_id.clone());
        Ok(Some(Self {
            url: base("push.apns_url", &settings.apns_url)?,
            topic: settings.apns_topic.clone(),
            team: settings.apns_team_id.clone(),
            head,
            key,
            client: client(settings.timeout())?,
            kept: Mutex::default(),
        }))
    }

    /// With another token where the kept one is too old for APNs, whatever our clock says: once.
    async fn attempt(&self, push: &Push) -> Result<Outcome, Outcome> {
        let token = self.token(push.now).await?;
        let reply = self.request(push, &token).await?;
        if reply.status != 403 || reason(&reply) != "ExpiredProviderToken" {
            return Ok(outcome(&reply));
        }
        self.kept.lock().await.take_if(|kept| kept.token.expose() == token.expose());
        let token = self.token(push.now).await?;
        Ok(outcome(&self.request(push, &token).await?))
    }

    /// The provider token ("Establishing a token-based connection to APNs"): one for all, renewed in time.
    async fn token(&self, now: Timestamp) -> Result<Secret, Outcome> {
        let mut kept = self.kept.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| now < kept.made_at + LIFE) {
            return Ok(kept.token.clone());
        }
        let claims = Claims { iss: &self.team, iat: now.as_second() };
        let token = encode(&self.head, &claims, &self.key);
        let token = token.map_err(|error| Outcome::Away(format!("nothing can be signed: {error}")))?;
        let token = Secret::from(token);
        *kept = Some(Kept { token: token.clone(), made_at: now });
        Ok(token)
    }

    async fn request(&self, push: &Push, token: &Secret) -> Result<Reply, Outcome> {
        let payload = Payload {
            aps: Aps {
                alert: Alert { title: &push.title, body: &push.body },
                sound: "default",
                thread_id: push.booking.to_string(),
            },
            data: push.data(),
        };
        let request = self.client.post(format!("{}/3/device/{}", self.url, push.address.secret()));
        let request = request
            .header("authorization", format!("bearer {}", token.expose()))
            .header("apns-topic", &self.topic)
            .header("apns-push-type", "alert")
            .header("apns-id", push.delivery.to_string())
            .header("apns-collapse-id", push.booking.to_string())
            .header("apns-expiration", push.expires_at.as_second())
            .header("apns-priority", if push.is_urgent { "10" } else { "5" })
            .json(&payload);
        Reply::of(request, push.now).await
    }
}

impl Channel<Push> for Apns {
    fn way(&self) -> Way {
        Way::Push
    }

    fn send<'a>(&'a self, push: &'a Push) -> Sending<'a> {
        Box::pin(async move { self.attempt(push).await.unwrap_or_else(|outcome| outcome) })
    }
}

/// A client that speaks HTTP/2 alone, over one connection for all pushes.
#[expect(
    clippy::disallowed_methods,
    reason = "the client that is handed in begins with HTTP/1.1, which APNs does not speak"
)]
fn client(timeout: Duration) -> Result<Client, String> {
    let builder = Client::builder()
        .http2_prior_knowledge()
        .http2_keep_alive_interval(PING)
        .http2_keep_alive_timeout(CONNECT)
        .http2_keep_alive_while_idle(true)
        .connect_timeout(CONNECT)
        .timeout(timeout)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("reservas/", env!("CARGO_PKG_VERSION")));
    builder.build().map_err(|error| format!("the client for APNs: {error}"))
}

fn reason(reply: &Reply) -> String {
    serde_json::from_slice::<Refusal>(&reply.body).unwrap_or_default().reason
}

/// What an answer means ("Handling notification responses from APNs").
fn outcome(reply: &Reply) -> Outcome {
    let reason = reason(reply);
    let words = format!("{} {reason}", reply.status).trim_end().to_owned();
    match (reply.status, reason.as_str()) {
        (200, _) => Outcome::Sent(words),
        (410, _) => Outcome::NoSuchAddress(words),
        (400, reason) if NO_DEVICE.contains(&reason) => Outcome::NoSuchAddress(words),
        (400, reason) if !OF_SETTINGS.contains(&reason) => Outcome::Permanent(words),
        (404 | 405 | 413, _) => Outcome::Permanent(words),
        // Our tokens change too often: no device's fault, and all pushes have it.
        (429, "TooManyProviderTokenUpdates") => Outcome::Away(words),
        (429 | 500..=599, _) => reply.busy(words),
        // 403 and settings: APNs does not know us. That passes when the operator has mended it.
        _ => Outcome::Away(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_does_not() {
        for (status, reason, name) in [
            (200, "", "sent"),
            (400, "BadDeviceToken", "no_such_address"),
            (400, "DeviceTokenNotForTopic", "no_such_address"),
            (410, "Unregistered", "no_such_address"),
            (410, "ExpiredToken", "no_such_address"),
            (400, "BadCollapseId", "permanent"),
            (413, "PayloadTooLarge", "permanent"),
            (400, "BadTopic", "away"),
            (403, "InvalidProviderToken", "away"),
            (403, "ExpiredProviderToken", "away"),
            (429, "TooManyRequests", "passing"),
            (429, "TooManyProviderTokenUpdates", "away"),
            (500, "InternalServerError", "away"),
            (503, "Shutdown", "away"),
        ] {
            let body = format!(r#"{{"reason":"{reason}"}}"#).into_bytes();
            let reply = Reply { status, body, retry_after: None };
            assert_eq!(outcome(&reply).name(), name, "{status} {reason}");
        }
    }
}
