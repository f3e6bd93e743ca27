//! Asking another of our services: with a time-out, one more try, and a circuit breaker, so that one that is down costs
//! its callers nothing.

use std::sync::Arc;
use std::time::Duration;

use backon::{ConstantBuilder, Retryable as _};
use http::HeaderMap;
use otlp::{Kind, Trace};
use recloser::{AsyncRecloser, Error as Broken, Recloser};
use serde::de::DeserializeOwned;

use crate::http::Problem;
use crate::internal::InternalToken;

/// How long an answer may take, where nothing else is said.
const TIME_OUT: Duration = Duration::from_secs(2);
/// The pause before the second try.
const PAUSE: Duration = Duration::from_millis(50);
/// Calls that the breaker looks back at; it opens when half of them failed.
const CALLS: usize = 8;
/// How long an open breaker refuses before it lets a call try again.
const OPEN: Duration = Duration::from_secs(5);

/// Another service.
#[derive(Clone)]
pub struct Remote {
    name: &'static str,
    base: String,
    client: reqwest::Client,
    token: InternalToken,
    breaker: Arc<AsyncRecloser>,
    time_out: Duration,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Remote({} at {})", self.name, self.base)
    }
}

impl Remote {
    /// The service of that name at a base URL.
    #[must_use]
    pub fn new(name: &'static str, base: &str, client: reqwest::Client, token: InternalToken) -> Self {
        let breaker =
            Recloser::custom().error_rate(0.5).closed_len(CALLS).half_open_len(1).open_wait(OPEN).build();
        Self {
            name,
            base: base.to_owned(),
            client,
            token,
            breaker: Arc::new(AsyncRecloser::from(breaker)),
            time_out: TIME_OUT,
        }
    }

    /// The same, whose answers may take longer.
    #[must_use]
    pub fn with_time_out(self, time_out: Duration) -> Self {
        Self { time_out, ..self }
    }

    /// What the service answers to a GET of a path; none for a 404.
    ///
    /// # Errors
    /// 503 `service_unavailable` when it does not answer, answers nonsense, or was found down a moment ago.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        correlation: &str,
    ) -> Result<Option<T>, Problem> {
        let span = Trace::here().map(|trace| trace.child(format!("GET {}", self.name), Kind::Client));
        if let Some(span) = &span {
            span.attribute("http.request.method", "GET");
            span.attribute("server.address", self.name);
        }
        let mut place = HeaderMap::new();
        if let Some(span) = &span {
            span.inject(&mut place);
        }
        let ask = || async {
            let request = self.client.get(format!("{}{path}", self.base)).timeout(self.time_out);
            let request = request
                .bearer_auth(self.token.0.expose())
                .header("x-correlation-id", correlation)
                .headers(place.clone());
            let response = request.send().await?;
            if response.status() == http::StatusCode::NOT_FOUND {
                return Ok(None);
            }
            response.error_for_status()?.json().await.map(Some)
        };
        let twice = ConstantBuilder::default().with_delay(PAUSE).with_max_times(1);
        let answer: Result<_, Broken<reqwest::Error>> = self.breaker.call(ask.retry(twice)).await;
        if let Some(span) = span.filter(Trace::is_recorded) {
            if answer.is_err() {
                span.fail("service_unavailable");
            }
            span.end();
        }
        answer.map_err(|error| {
            match error {
                Broken::Inner(error) => tracing::warn!(service = self.name, %error, "it does not answer"),
                Broken::Rejected => tracing::debug!(service = self.name, "it was down a moment ago"),
            }
            let detail = "A service that knows more cannot be asked for now. Try again in a moment.";
            Problem::unavailable("service_unavailable", detail, 1)
        })
    }
}
