//! Access tokens of Google's: got for an assertion that a service account signs (RFC 7523), and kept until they run out.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use platform::config::Secret;
use reqwest::Client;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::reply::Reply;
use super::settings::base;
use crate::delivery::Outcome;

/// What tokens are for.
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
/// RFC 7523, section 2.1.
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// How long an assertion counts: as long as Google allows.
const ASSERTION: SignedDuration = SignedDuration::from_hours(1);
/// How long before its end a token is used no more: longer than a request takes.
const EARLY: SignedDuration = SignedDuration::from_mins(1);
/// How long to wait for a token.
const REQUEST: Duration = Duration::from_secs(10);

/// The file of a service account, as far as it matters here.
#[derive(Deserialize)]
struct File {
    project_id: String,
    private_key_id: String,
    private_key: Secret,
    client_email: String,
    token_uri: String,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

#[derive(Deserialize)]
struct Granted {
    access_token: Secret,
    /// Seconds.
    expires_in: u32,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
}

struct Kept {
    token: Secret,
    until: Timestamp,
}

/// A service account with its latest token.
pub struct Account {
    /// The project that it belongs to.
    pub project: String,
    email: String,
    head: Header,
    key: EncodingKey,
    token_uri: String,
    client: Client,
    kept: Mutex<Option<Kept>>,
}

impl Account {
    /// The account of a file.
    ///
    /// # Errors
    /// A sentence for the operator, which shows nothing of the file.
    pub fn parse(text: &Secret, client: Client) -> Result<Self, String> {
        let wrong = |what: &str| format!("push.fcm_account_file is no key of a service account: {what}");
        // Where it is wrong is said; what stands there is not.
        let file: File = serde_json::from_str(text.expose())
            .map_err(|error| wrong(&format!("line {}, column {}", error.line(), error.column())))?;
        let key = EncodingKey::from_rsa_pem(file.private_key.expose().as_bytes());
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '_');
        if file.project_id.is_empty() || !file.project_id.chars().all(is_word) {
            return Err(wrong("project_id"));
        }
        let mut head = Header::new(Algorithm::RS256);
        head.kid = Some(file.private_key_id);
        Ok(Self {
            project: file.project_id,
            email: file.client_email,
            head,
            key: key.map_err(|_| wrong("private_key"))?,
            token_uri: base("token_uri of push.fcm_account_file", &file.token_uri)?,
            client,
            kept: Mutex::default(),
        })
    }

    /// A token that counts; the kept one, as long as it does. Who comes while another one is asked for waits for that.
    ///
    /// # Errors
    /// How the attempt ended, when there is none to be had: nothing was sent.
    pub async fn token(&self, now: Timestamp) -> Result<Secret, Outcome> {
        let mut kept = self.kept.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| kept.until > now + EARLY) {
            return Ok(kept.token.clone());
        }
        let granted = self.ask(now).await?;
        let until = now + SignedDuration::from_secs(granted.expires_in.into());
        *kept = Some(Kept { token: granted.access_token.clone(), until });
        Ok(granted.access_token)
    }

    /// Forgets a token that was refused, unless there is another one already.
    pub async fn forget(&self, refused: &Secret) {
        self.kept.lock().await.take_if(|kept| kept.token.expose() == refused.expose());
    }

    async fn ask(&self, now: Timestamp) -> Result<Granted, Outcome> {
        let claims = Claims {
            iss: &self.email,
            scope: SCOPE,
            aud: &self.token_uri,
            iat: now.as_second(),
            exp: (now + ASSERTION).as_second(),
        };
        let assertion = encode(&self.head, &claims, &self.key);
        let assertion =
            assertion.map_err(|error| Outcome::Away(format!("nothing can be signed: {error}")))?;
        let form = [("grant_type", GRANT), ("assertion", assertion.as_str())];
        let request = self.client.post(&self.token_uri).timeout(REQUEST);
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request =
            request.header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        let away = |what: &str| Outcome::Away(format!("no access token of Google's: {what}"));
        // Nothing was sent, whatever became of this request.
        let reply = Reply::of(request, now).await.map_err(|outcome| away(outcome.answer()))?;
        if !reply.is_success() {
            let refused = serde_json::from_slice::<Refused>(&reply.body).map(|refused| refused.error);
            return Err(away(&format!("{} {}", reply.status, refused.unwrap_or_default())));
        }
        serde_json::from_slice(&reply.body).map_err(|_| away("the answer has none"))
    }
}
