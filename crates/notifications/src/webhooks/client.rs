//! The client for requests to integrators: only to where the guard allows, no redirects, no proxy, short answers.

use std::time::{Duration, Instant};

use http::{HeaderValue, header};
use jiff::Timestamp;

use super::guard::Guard;
use super::signature::sign;
use crate::channel::http::{beginning, reasons};

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a request may take, from the resolution of the name to the last byte that is read.
const REQUEST: Duration = Duration::from_secs(15);
/// Characters that are kept of why there was no answer.
const REASONS: usize = 500;
/// Bytes of an answer that are read and kept.
const ANSWER: usize = 4096;

/// A request that was made, or could not be.
#[derive(Debug)]
pub struct Answer {
    /// The status; none when there was no answer.
    pub status: Option<u16>,
    /// The beginning of the body, or why there was no answer.
    pub text: String,
    /// How long it took.
    pub took: Duration,
}

impl Answer {
    /// Whether the integrator took it: 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether the integrator wants no more: 410, as the specification says.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.status == Some(410)
    }
}

/// What is sent.
#[derive(Debug)]
pub struct Request<'a> {
    /// Where to.
    pub url: &'a str,
    /// What it is signed with.
    pub secrets: &'a [&'a [u8]],
    /// `webhook-id`: the same in every attempt.
    pub id: &'a str,
    /// The JSON.
    pub body: &'a str,
}

/// A client for requests to wherever others say: only to where the guard allows, no redirects, no proxy.
///
/// # Errors
/// When the TLS back end cannot be set up.
#[expect(
    clippy::disallowed_methods,
    reason = "the client that is handed in resolves inner names, which these requests must not reach"
)]
pub fn guarded(guard: &Guard, user_agent: &str) -> Result<reqwest::Client, String> {
    reqwest::Client::builder()
        .dns_resolver(guard.clone())
        .connect_timeout(CONNECT)
        .timeout(REQUEST)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(user_agent)
        .build()
        .map_err(|error| format!("the client for requests to others: {error}"))
}

/// Makes requests to integrators.
#[derive(Debug)]
pub struct Client {
    guard: Guard,
    client: reqwest::Client,
}

impl Client {
    /// A client behind a guard.
    ///
    /// # Errors
    /// When the TLS back end cannot be set up.
    pub fn new(guard: Guard) -> Result<Self, String> {
        let client = guarded(&guard, concat!("reservas-webhooks/", env!("CARGO_PKG_VERSION")))?;
        Ok(Self { guard, client })
    }

    /// Where requests may go.
    #[must_use]
    pub const fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Makes a request.
    pub async fn send(&self, request: &Request<'_>, now: Timestamp) -> Answer {
        let started = Instant::now();
        let (status, text) = match self.attempt(request, now).await {
            Ok((status, text)) => (Some(status), text),
            Err(reason) => (None, reason),
        };
        // PostgreSQL keeps no zero characters in texts.
        Answer { status, text: text.replace('\0', ""), took: started.elapsed() }
    }

    async fn attempt(&self, request: &Request<'_>, now: Timestamp) -> Result<(u16, String), String> {
        // Looked at again: what was allowed when it was written may not be so any more.
        let url = self.guard.check(request.url)?;
        let signature = sign(request.secrets, request.id, now, request.body);
        let sent = self
            .client
            .post(url)
            .header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header("webhook-id", request.id)
            .header("webhook-timestamp", now.as_second())
            .header("webhook-signature", signature)
            .body(request.body.to_owned())
            .send()
            .await;
        let response = sent.map_err(|error| reasons(&error).chars().take(REASONS).collect::<String>())?;
        let status = response.status().as_u16();
        let body = beginning(response, ANSWER).await;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}
