//! What Amazon SES tells through a topic of SNS, signed with a certificate of Amazon's ("Verifying the signatures of Amazon SNS
//! messages", signature version 2: RSA with SHA-256).

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use kernel::Email;
use reqwest::Client;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;
use webpki::EndEntityCert;
use webpki::ring::RSA_PKCS1_2048_8192_SHA256;

use super::{Fate, News, is_timely, words};

/// How long an answer of Amazon's may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of a certificate at most.
const LONGEST: usize = 16 * 1024;
/// Certificates that are kept: Amazon has one for a region, and changes it once a year.
const MOST: usize = 8;

/// Why a message is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It is none, is not signed as it should be, or is another topic's.
    Wrong,
    /// Amazon's certificate cannot be had at the moment.
    Unavailable,
}

/// The topic through which SES tells us.
#[derive(Debug)]
pub struct Topic {
    arn: String,
    endpoint: String,
    client: Client,
    certificates: Mutex<HashMap<String, CertificateDer<'static>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    #[serde(rename = "Type")]
    kind: String,
    message_id: String,
    topic_arn: String,
    #[serde(default)]
    subject: Option<String>,
    message: String,
    timestamp: String,
    signature: String,
    signature_version: String,
    #[serde(rename = "SigningCertURL")]
    certificate: String,
    #[serde(default)]
    token: Option<String>,
    #[serde(default, rename = "SubscribeURL")]
    subscribe: Option<String>,
}

impl Topic {
    /// The topic of an ARN, and no other: anybody can have a topic. With `endpoint`, certificates and confirmations are asked
    /// of that server instead of Amazon's.
    #[must_use]
    pub fn new(arn: &str, endpoint: &str, client: Client) -> Self {
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        Self { arn: arn.to_owned(), endpoint, client, certificates: Mutex::default() }
    }

    /// What a body tells of messages of ours. A wish to confirm the subscription is fulfilled.
    ///
    /// # Errors
    /// When it did not come from our topic.
    pub async fn hear(&self, body: &[u8], now: Timestamp) -> Result<Vec<News>, Refusal> {
        let message: Message = serde_json::from_slice(body).map_err(|_| Refusal::Wrong)?;
        let at: Option<Timestamp> = message.timestamp.parse().ok();
        let is_ours = message.topic_arn == self.arn
            && message.signature_version == "2"
            && at.is_some_and(|at| is_timely(at, now));
        if !is_ours {
            return Err(Refusal::Wrong);
        }
        self.verify(&message).await?;
        match message.kind.as_str() {
            "SubscriptionConfirmation" => self.confirm(&message).await.map(|()| Vec::new()),
            "Notification" => Ok(read(&message.message)),
            _ => Ok(Vec::new()),
        }
    }

    async fn verify(&self, message: &Message) -> Result<(), Refusal> {
        let signature = STANDARD.decode(&message.signature).map_err(|_| Refusal::Wrong)?;
        let certificate = self.certificate(&message.certificate).await?;
        let certificate = EndEntityCert::try_from(&certificate).map_err(|_| Refusal::Wrong)?;
        let signed = message.signed();
        let verified =
            certificate.verify_signature(RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature);
        verified.map_err(|_| Refusal::Wrong)
    }

    /// The certificate at an address of Amazon's. That it is there, and came by TLS, is what makes it Amazon's.
    async fn certificate(&self, url: &str) -> Result<CertificateDer<'static>, Refusal> {
        let url = amazons(url)
            .filter(|url| url.path().ends_with(".pem") && url.query().is_none())
            .ok_or(Refusal::Wrong)?;
        if let Some(certificate) = self.certificates.lock().await.get(url.as_str()) {
            return Ok(certificate.clone());
        }
        let pem = self.get(&url).await?;
        let certificate = CertificateDer::from_pem_slice(&pem).map_err(|_| Refusal::Wrong)?;
        let mut kept = self.certificates.lock().await;
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(url.into(), certificate.clone());
        Ok(certificate)
    }

    async fn confirm(&self, message: &Message) -> Result<(), Refusal> {
        let url = message.subscribe.as_deref().and_then(amazons).ok_or(Refusal::Wrong)?;
        self.get(&url).await?;
        tracing::info!(topic = self.arn, "the topic's subscription is confirmed");
        Ok(())
    }

    async fn get(&self, url: &Url) -> Result<Vec<u8>, Refusal> {
        let url = match self.endpoint.as_str() {
            "" => url.to_string(),
            endpoint => format!(
                "{endpoint}{}",
                url.as_str().get(url.origin().ascii_serialization().len()..).unwrap_or("/")
            ),
        };
        let answer = self.client.get(url).timeout(TIMEOUT).send().await;
        let answer = answer.and_then(reqwest::Response::error_for_status);
        let mut answer = answer.map_err(|_| Refusal::Unavailable)?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|_| Refusal::Unavailable)? {
            body.extend_from_slice(&chunk);
            if body.len() > LONGEST {
                return Err(Refusal::Wrong);
            }
        }
        Ok(body)
    }
}

impl Message {
    /// What is signed: some of the fields, in the order of their names.
    fn signed(&self) -> String {
        let is_notification = self.kind == "Notification";
        let only = |value: &Option<String>, here: bool| value.clone().filter(|_| here);
        let fields = [
            ("Message", Some(self.message.clone())),
            ("MessageId", Some(self.message_id.clone())),
            ("Subject", only(&self.subject, is_notification)),
            ("SubscribeURL", only(&self.subscribe, !is_notification)),
            ("Timestamp", Some(self.timestamp.clone())),
            ("Token", only(&self.token, !is_notification)),
            ("TopicArn", Some(self.topic_arn.clone())),
            ("Type", Some(self.kind.clone())),
        ];
        let fields = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
        fields.map(|(name, value)| format!("{name}\n{value}\n")).collect()
    }
}

/// A URL of SNS at Amazon, over TLS.
fn amazons(url: &str) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?;
    let region = host.strip_prefix("sns.")?;
    let region =
        region.strip_suffix(".amazonaws.com").or_else(|| region.strip_suffix(".amazonaws.com.cn"))?;
    let is_region = !region.is_empty()
        && region.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let is_right = url.scheme() == "https" && url.port().is_none() && url.username().is_empty() && is_region;
    is_right.then_some(url)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(alias = "notificationType")]
    event_type: String,
    mail: SentMail,
    #[serde(default)]
    bounce: Option<Bounce>,
    #[serde(default)]
    complaint: Option<Complaint>,
}

#[derive(Deserialize)]
struct SentMail {
    #[serde(default)]
    tags: HashMap<String, Vec<String>>,
    #[serde(default)]
    destination: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    bounce_type: String,
    #[serde(default)]
    bounced_recipients: Vec<Bounced>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounced {
    #[serde(default)]
    diagnostic_code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    #[serde(default)]
    complaint_feedback_type: Option<String>,
}

/// What SES tells of a mail of ours: each has one address.
fn read(message: &str) -> Vec<News> {
    serde_json::from_str::<Event>(message).ok().and_then(|event| news(&event)).into_iter().collect()
}

fn news(event: &Event) -> Option<News> {
    let bounce = event.bounce.as_ref();
    let (fate, said) = match event.event_type.as_str() {
        "Delivery" => (Fate::Delivered, String::new()),
        "Open" => (Fate::Opened, String::new()),
        "Bounce" => {
            let is_final = bounce.is_some_and(|bounce| bounce.bounce_type == "Permanent");
            let said = bounce.and_then(|bounce| bounce.bounced_recipients.first());
            let said = said.map(|bounced| bounced.diagnostic_code.clone()).unwrap_or_default();
            (if is_final { Fate::Bounced } else { Fate::Undelivered }, said)
        }
        "Complaint" => {
            let said =
                event.complaint.as_ref().and_then(|complaint| complaint.complaint_feedback_type.clone());
            (Fate::Complained, said.unwrap_or_default())
        }
        kind @ ("Reject" | "Rendering Failure") => (Fate::Undelivered, kind.to_owned()),
        _ => return None,
    };
    let tag = |name: &str| event.mail.tags.get(name).and_then(|values| values.first());
    let email: Option<Email> = event.mail.destination.first().and_then(|address| address.parse().ok());
    Some(News {
        organization: tag("organization_id")?.parse().ok()?,
        delivery: tag("delivery_id")?.parse().ok()?,
        fate,
        words: words(&said, email.as_ref()),
        email,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_amazons_own_addresses_are_asked() {
        for url in [
            "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
            "https://sns.cn-north-1.amazonaws.com.cn/x.pem",
        ] {
            assert!(amazons(url).is_some(), "{url}");
        }
        for url in [
            "http://sns.eu-west-1.amazonaws.com/x.pem",
            "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem",
            "https://evil.example/sns.eu-west-1.amazonaws.com/x.pem",
            "https://s3.eu-west-1.amazonaws.com/x.pem",
            "https://sns.evil.s3.amazonaws.com/x.pem",
            "https://sns.eu-west-1.amazonaws.com:8443/x.pem",
            "https://a@sns.eu-west-1.amazonaws.com/x.pem",
            "https://sns..amazonaws.com/x.pem",
            "x",
        ] {
            assert!(amazons(url).is_none(), "{url}");
        }
    }
}
