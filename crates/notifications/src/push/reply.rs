//! Answers of push services: read to a limit, with the time after which they want to be asked again.

use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use reqwest::RequestBuilder;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::channel::http::{beginning, reasons};
use crate::delivery::Outcome;

/// Bytes of an answer that are read.
const ANSWER: usize = 16 * 1024;

/// After how long a service that says nothing of it is asked again, where it refuses for the number of requests.
/// Google asks for a minute.
const BUSY: SignedDuration = SignedDuration::from_mins(1);

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// The beginning of its body.
    pub body: Vec<u8>,
    /// After how long to ask again, where it says so (RFC 9110, section 10.2.3).
    pub retry_after: Option<SignedDuration>,
}

impl Reply {
    /// Makes a request.
    ///
    /// # Errors
    /// How the attempt ended, when there was no answer. Addresses are secrets, and not repeated.
    pub async fn of(request: RequestBuilder, now: Timestamp) -> Result<Self, Outcome> {
        let response = request.send().await.map_err(|error| failure(&error.without_url()))?;
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers(), now);
        Ok(Self { status, body: beginning(response, ANSWER).await, retry_after })
    }

    /// Whether the service did what it was asked: 200 to 299.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// What the service said, for people.
    #[must_use]
    pub fn words(&self) -> String {
        let body = String::from_utf8_lossy(&self.body).replace('\0', "");
        format!("{} {}", self.status, body.trim()).trim_end().to_owned()
    }

    /// How an attempt ended that the service refused for now: too many requests, or a failure of its own.
    #[must_use]
    pub fn busy(&self, words: String) -> Outcome {
        match (self.status, self.retry_after) {
            (_, Some(left)) => Outcome::Busy(words, left),
            (429, None) => Outcome::Busy(words, BUSY),
            _ => Outcome::Away(words),
        }
    }
}

/// Seconds, or a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(SignedDuration::from_secs(seconds.into()));
    }
    let date = rfc2822::parse(text).ok()?.timestamp();
    Some(date.duration_since(now).max(SignedDuration::ZERO))
}

/// How an attempt ended that got no answer. What was not sent for certain may be sent by nobody twice.
fn failure(error: &reqwest::Error) -> Outcome {
    let text = reasons(error);
    if error.is_connect() || error.is_builder() { Outcome::Away(text) } else { Outcome::Unsure(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_ask_again_is_seconds_or_a_date() {
        let now = "2015-10-21T07:28:00Z".parse().unwrap();
        let told = |text: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            retry_after(&headers, now).map(|left| left.as_secs())
        };
        assert_eq!(told("120"), Some(120));
        assert_eq!(told("Wed, 21 Oct 2015 07:28:30 GMT"), Some(30));
        assert_eq!(told("Wed, 21 Oct 2015 07:00:00 GMT"), Some(0));
        for none in ["", "soon", "-5", "1.5", "99999999999999999999"] {
            assert_eq!(told(none), None, "{none}");
        }
    }
}
