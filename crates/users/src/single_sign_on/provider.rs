//! Calls to identity providers: their description and keys, kept for a while; codes exchanged; more about a person asked for.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use moka::future::Cache;
use platform::config::Secret;
use platform::http::outward::{Reach, outward_client};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Map, Value};
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::discovery::{Metadata, place};
use super::id_token::{self, Key};
use super::person::Claims;

/// Bytes of an answer at most.
const LARGEST: usize = 512 * 1024;
/// How long a description and its keys are kept; a key that is not among them is looked for at once.
const KEPT: Duration = Duration::from_secs(600);
/// Providers that are kept at most.
const MOST: u64 = 1000;

/// Why a provider could not be used; for the log and the administrator, never for who signs in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It does not answer, not in time, or with a failure of its own.
    #[error("{0}")]
    Unavailable(String),
    /// It says no.
    #[error("{0}")]
    Refused(String),
}

/// A provider that is known.
#[derive(Debug)]
pub struct Provider {
    /// What it says of itself.
    pub metadata: Metadata,
    /// Its keys.
    pub keys: Vec<Key>,
}

/// What we are to a provider.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    /// Our name.
    pub id: &'a str,
    /// What proves that we are who we say.
    pub secret: &'a Secret,
}

/// A code, and what shows that it was given for us.
#[derive(Debug, Clone, Copy)]
pub struct Code<'a> {
    /// The code.
    pub code: &'a str,
    /// Where the browser brought it.
    pub redirect_uri: &'a str,
    /// The code verifier.
    pub verifier: &'a str,
}

/// What a code was exchanged for.
pub struct Answer {
    /// The ID token.
    pub id_token: String,
    /// For the userinfo endpoint.
    pub access_token: Option<String>,
}

/// The providers of all organizations.
#[derive(Debug, Clone)]
pub struct Providers {
    client: reqwest::Client,
    reach: Reach,
    known: Cache<String, Arc<Provider>>,
}

impl Providers {
    /// With so much patience for each call.
    ///
    /// # Errors
    /// When the TLS back end cannot be set up.
    pub fn new(timeout: Duration, reach: Reach) -> Result<Self, String> {
        let client = outward_client(timeout, reach).map_err(|error| error.to_string())?;
        let known = Cache::builder().max_capacity(MOST).time_to_live(KEPT).build();
        Ok(Self { client, reach, known })
    }

    /// A provider as it was known a moment ago, or as it is.
    ///
    /// # Errors
    /// When it cannot be used.
    pub async fn find(&self, issuer: &str) -> Result<Arc<Provider>, Failure> {
        // Whoever else wants it meanwhile waits for the same answer.
        let found = self.known.try_get_with_by_ref(issuer, self.ask(issuer)).await;
        found.map_err(|failure| failure.as_ref().clone())
    }

    /// A provider as it is.
    ///
    /// # Errors
    /// When it cannot be used.
    pub async fn find_anew(&self, issuer: &str) -> Result<Arc<Provider>, Failure> {
        let found = self.ask(issuer).await?;
        self.known.insert(issuer.to_owned(), found.clone()).await;
        Ok(found)
    }

    async fn ask(&self, issuer: &str) -> Result<Arc<Provider>, Failure> {
        let wrong = |what: String| Failure::Unavailable(format!("{}: {what}", place(issuer)));
        let url = Url::parse(&place(issuer)).map_err(|error| wrong(error.to_string()))?;
        let document = Value::Object(self.get(url).await?);
        let metadata: Metadata =
            serde_json::from_value(document).map_err(|error| wrong(format!("no description: {error}")))?;
        metadata.check(issuer, self.reach).map_err(wrong)?;
        let keys = id_token::keys(&self.get(metadata.jwks_uri.clone()).await?);
        if keys.is_empty() {
            return Err(Failure::Unavailable(format!("{}: no key that signs", metadata.jwks_uri)));
        }
        Ok(Arc::new(Provider { metadata, keys }))
    }

    /// Exchanges a code (OpenID Connect Core, section 3.1.3).
    ///
    /// # Errors
    /// When it is refused, or the provider cannot be used.
    pub async fn exchange(
        &self,
        provider: &Provider,
        client: Client<'_>,
        code: Code<'_>,
    ) -> Result<Answer, Failure> {
        let in_body = provider.metadata.takes_secret_in_body();
        let url = provider.metadata.token_endpoint.clone();
        let mut request = self.client.post(url.clone());
        if !in_body {
            request = request.header(AUTHORIZATION, basic(client));
        }
        let form = form(client, code, in_body);
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        let answer = self.send(&url, request).await?;
        let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
        let id_token = text("id_token").ok_or_else(|| Failure::Unavailable(format!("{url}: no id_token")))?;
        Ok(Answer { id_token, access_token: text("access_token") })
    }

    /// What the userinfo endpoint tells of the subject of an ID token (OpenID Connect Core, section 5.3); nothing where
    /// there is no such endpoint.
    ///
    /// # Errors
    /// When it tells of somebody else, or the provider cannot be used.
    pub async fn userinfo(
        &self,
        provider: &Provider,
        access_token: &str,
        subject: &str,
    ) -> Result<Claims, Failure> {
        let Some(url) = provider.metadata.userinfo_endpoint.clone() else { return Ok(Claims::new()) };
        let request = self.client.get(url.clone()).bearer_auth(access_token);
        let claims = self.send(&url, request).await?;
        // Else an access token of somebody else could be slipped in (section 5.3.4).
        if claims.get("sub").and_then(Value::as_str) != Some(subject) {
            return Err(Failure::Refused(format!("{url}: tells of somebody else")));
        }
        Ok(claims)
    }

    async fn get(&self, url: Url) -> Result<Map<String, Value>, Failure> {
        self.send(&url, self.client.get(url.clone())).await
    }

    /// Sends, and reads an object.
    async fn send(&self, url: &Url, request: RequestBuilder) -> Result<Map<String, Value>, Failure> {
        let wrong = |what: String| Failure::Unavailable(format!("{url}: {what}"));
        self.reach.check(url).map_err(|error| wrong(error.to_string()))?;
        let sent = request.header(ACCEPT, "application/json").send().await;
        let mut response = sent.map_err(|error| wrong(root(&error)))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| wrong(root(&error)))? {
            if body.len() + chunk.len() > LARGEST {
                return Err(wrong(format!("answers with more than {LARGEST} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        let read = serde_json::from_slice::<Map<String, Value>>(&body);
        if status == StatusCode::OK {
            return read.map_err(|error| wrong(format!("answers with something else than JSON: {error}")));
        }
        let said = read.ok().and_then(|answer| answer.get("error")?.as_str().map(str::to_owned));
        let told = format!("{url}: answers {status} {}", said.unwrap_or_default());
        let refused =
            matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        Err(if refused { Failure::Refused(told) } else { Failure::Unavailable(told) })
    }
}

/// The body of an exchange, with our secret in it or not (OpenID Connect Core, section 3.1.3.1).
fn form(client: Client<'_>, code: Code<'_>, with_secret: bool) -> String {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code.code)
        .append_pair("redirect_uri", code.redirect_uri)
        .append_pair("code_verifier", code.verifier);
    if with_secret {
        form.append_pair("client_id", client.id).append_pair("client_secret", client.secret.expose());
    }
    form.finish()
}

/// Name and secret, each as in a form (RFC 6749, section 2.3.1).
fn basic(client: Client<'_>) -> String {
    let part = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", part(client.id), part(client.secret.expose()))))
}

/// The cause that says most: the innermost.
fn root(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if error.is_timeout() { "does not answer in time".to_owned() } else { cause.to_string() }
}
