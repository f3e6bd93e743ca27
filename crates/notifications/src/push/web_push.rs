//! Pushes to browsers, at whatever push service each has (RFC 8030), encrypted (RFC 8291) and signed (RFC 8292).

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Client;
use serde::Serialize;
use url::Url;

use super::encrypt::encrypt;
use super::reply::Reply;
use super::settings::Settings;
use super::vapid::Vapid;
use super::{Data, Push};
use crate::channel::{Channel, Sending};
use crate::delivery::{Outcome, Way};
use crate::device::{Address, Subscription};
use crate::webhooks::client::guarded;
use crate::webhooks::guard::Guard;

/// Whose push service an endpoint is at. Endpoints come from clients: one who names a host that hangs makes only the
/// others rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Chrome and its kin.
    Google,
    /// Firefox.
    Mozilla,
    /// Safari.
    Apple,
    /// Edge.
    Microsoft,
    /// All others together.
    Other,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Google, Self::Mozilla, Self::Apple, Self::Microsoft, Self::Other];

    /// That of an endpoint.
    #[must_use]
    pub fn of(endpoint: &str) -> Self {
        let url = Url::parse(endpoint).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
        match host {
            "fcm.googleapis.com" => Self::Google,
            _ if host.ends_with(".push.services.mozilla.com") => Self::Mozilla,
            _ if host.ends_with(".push.apple.com") => Self::Apple,
            _ if host.ends_with(".notify.windows.com") => Self::Microsoft,
            _ => Self::Other,
        }
    }
}

/// The push services of browsers, by our key pair.
#[derive(Clone)]
pub struct WebPush {
    vapid: Arc<Vapid>,
    subject: Arc<str>,
    guard: Guard,
    client: Client,
    timeout: Duration,
}

/// What a page's service worker gets.
#[derive(Serialize)]
struct Payload<'a> {
    title: &'a str,
    body: &'a str,
    /// What is shown with the same tag is replaced (`Notification.tag`).
    tag: String,
    data: Data,
}

impl WebPush {
    /// Pushes to browsers as they are set up; none when there is no key.
    ///
    /// # Errors
    /// A sentence for the operator, which does not show the key.
    pub fn new(settings: &Settings, contact: &str, guard: &Guard) -> Result<Option<Self>, String> {
        if settings.web_push_key.get().is_none() {
            return Ok(None);
        }
        let vapid = Arc::new(Vapid::parse(&settings.web_push_key)?);
        let subject = match settings.web_push_subject.as_str() {
            "" => format!("mailto:{contact}"),
            subject if subject.starts_with("mailto:") || subject.starts_with("https://") => subject.into(),
            _ => return Err("push.web_push_subject must begin with mailto: or https://".into()),
        };
        let client = guarded(guard, concat!("reservas/", env!("CARGO_PKG_VERSION")))?;
        Ok(Some(Self {
            vapid,
            subject: subject.into(),
            guard: guard.clone(),
            client,
            timeout: settings.timeout(),
        }))
    }

    /// Our public key (base64url), with which browsers subscribe.
    #[must_use]
    pub fn public_key(&self) -> &str {
        self.vapid.public()
    }

    async fn attempt(&self, push: &Push, subscription: &Subscription) -> Result<Outcome, Outcome> {
        // Looked at again: what was allowed when it was registered may not be so any more.
        let url = self.guard.check(&subscription.endpoint).map_err(Outcome::Permanent)?;
        let origin = url.origin().ascii_serialization();
        let authorization =
            self.vapid.authorization(&origin, &self.subject, push.now).map_err(Outcome::Away)?;
        let payload = Payload {
            title: &push.title,
            body: &push.body,
            tag: push.booking.to_string(),
            data: push.data(),
        };
        let text = serde_json::to_vec(&payload).map_err(|error| Outcome::Permanent(error.to_string()))?;
        let body = encrypt(subscription, &text);
        let body =
            body.ok_or_else(|| Outcome::Permanent("the text is too long, or the key is none".into()))?;
        let request = self.client.post(url).timeout(self.timeout).body(body);
        let request = request
            .header("authorization", authorization)
            .header("content-type", "application/octet-stream")
            .header("content-encoding", "aes128gcm")
            .header("ttl", push.ttl())
            .header("urgency", if push.is_urgent { "high" } else { "normal" })
            // 32 characters of base64url at most (RFC 8030, section 5.4).
            .header("topic", URL_SAFE_NO_PAD.encode(push.booking.0.as_bytes()));
        Ok(outcome(&Reply::of(request, push.now).await?))
    }
}

impl Channel<Push> for WebPush {
    fn way(&self) -> Way {
        Way::Push
    }

    fn send<'a>(&'a self, push: &'a Push) -> Sending<'a> {
        Box::pin(async move {
            match &push.address {
                Address::WebPush(subscription) => {
                    self.attempt(push, subscription).await.unwrap_or_else(|outcome| outcome)
                }
                Address::Fcm(_) | Address::Apns(_) => Outcome::Permanent("this is no browser".into()),
            }
        })
    }
}

/// What an answer means (RFC 8030, sections 5 and 7.3; RFC 8292, section 4.2).
fn outcome(reply: &Reply) -> Outcome {
    let words = reply.words();
    match reply.status {
        200..=299 => Outcome::Sent(reply.status.to_string()),
        404 | 410 => Outcome::NoSuchAddress(words),
        // The browser subscribed for another key than ours, or the service wants a request that ours is not: the same for
        // every attempt at this subscription, and no sign of what others would get.
        400..=428 | 430..=499 => Outcome::Permanent(words),
        429 | 500..=599 => reply.busy(words),
        _ => Outcome::Permanent(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_services_themselves_are_of_a_family() {
        for (endpoint, family) in [
            ("https://fcm.googleapis.com/fcm/send/x", Family::Google),
            ("https://updates.push.services.mozilla.com/wpush/v2/x", Family::Mozilla),
            ("https://web.push.apple.com/x", Family::Apple),
            ("https://wns2-par02p.notify.windows.com/w/?token=x", Family::Microsoft),
            ("https://fcm.googleapis.com.example.com/x", Family::Other),
            ("https://evilnotify.windows.com/x", Family::Other),
            ("x", Family::Other),
        ] {
            assert_eq!(Family::of(endpoint), family, "{endpoint}");
        }
    }

    #[test]
    fn what_passes_is_told_from_what_does_not() {
        for (status, name) in [
            (201, "sent"),
            (202, "sent"),
            (307, "permanent"),
            (400, "permanent"),
            (403, "permanent"),
            (404, "no_such_address"),
            (410, "no_such_address"),
            (413, "permanent"),
            (429, "passing"),
            (500, "away"),
            (503, "away"),
        ] {
            assert_eq!(
                outcome(&Reply { status, body: Vec::new(), retry_after: None }).name(),
                name,
                "{status}"
            );
        }
    }
}
