//! Requests to vendors that take messages by HTTP: within a limit of time, with answers of bounded length.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use jiff::SignedDuration;
use jiff::fmt::rfc2822;
use reqwest::{RequestBuilder, Response};

use crate::delivery::Outcome;

/// How long a request may take, from the connection to the last byte that is read.
pub const LIMIT: Duration = Duration::from_secs(30);
/// Bytes of an answer that are read.
const LONGEST: usize = 16 * 1024;
/// How long a vendor rests that says that it is busy and not for how long.
const BUSY: SignedDuration = SignedDuration::from_secs(60);

/// What a vendor said.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// The beginning of the body.
    pub body: String,
}

/// Asks a vendor.
///
/// # Errors
/// [`Outcome::Away`] when no connection came to be, and [`Outcome::Unsure`] when it broke off or the time ran out: then the
/// message may have been taken.
pub async fn ask(request: RequestBuilder, limit: Duration) -> Result<Answer, Outcome> {
    // URLs hold the account.
    let answer = request.timeout(limit).send().await.map_err(|error| {
        let (is_away, is_late) = (error.is_connect() || error.is_builder(), error.is_timeout());
        let said = error.without_url();
        match (is_away, is_late) {
            (true, _) => Outcome::Away(format!("no connection: {}", root(&said))),
            (_, true) => Outcome::Unsure(format!("no answer within {} s", limit.as_secs())),
            _ => Outcome::Unsure(format!("the connection broke: {}", root(&said))),
        }
    })?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = String::from_utf8_lossy(&beginning(answer, LONGEST).await).into_owned();
    Ok(Answer { status, headers, body })
}

/// The cause at the bottom, which alone says what happened.
fn root(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// The beginning of an answer's body, of so many bytes at most.
pub async fn beginning(mut answer: Response, most: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < most {
        // An answer that breaks off is an answer still: its status has come.
        let Ok(Some(chunk)) = answer.chunk().await else { break };
        body.extend_from_slice(&chunk);
    }
    body.truncate(most);
    body
}

/// Why there was no answer, from the outermost reason to the first.
#[must_use]
pub fn reasons(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() { "it took too long".to_owned() } else { "no answer".to_owned() };
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

impl Answer {
    /// How long the vendor asks to wait (RFC 9110, section 10.2.3); a date is measured against the answer's own.
    #[must_use]
    pub fn retry_after(&self) -> Option<SignedDuration> {
        let text = |name| self.headers.get(name).and_then(|value| value.to_str().ok());
        let value = text(header::RETRY_AFTER)?.trim();
        if let Ok(seconds) = value.parse::<u32>() {
            return Some(SignedDuration::from_secs(seconds.into()));
        }
        let at = |text: &str| rfc2822::parse(text).ok().map(|at| at.timestamp());
        let left = at(value)?.duration_since(at(text(header::DATE)?)?);
        Some(left).filter(|left| left.is_positive())
    }

    /// How an attempt ended of which the vendor said no more than its status. `said` are its words.
    #[must_use]
    pub fn outcome(&self, said: String) -> Outcome {
        match self.status.as_u16() {
            200..=299 => Outcome::Sent(said),
            429 => self.busy(said),
            503 if self.retry_after().is_some() => self.busy(said),
            // Another one stands before the vendor, and knows as little as we do whether it was taken.
            408 | 502 | 504 => Outcome::Unsure(said),
            // Our key, our address: these pass when the operator has mended them.
            401 | 403 | 404 | 405 | 500.. => Outcome::Away(said),
            // What nobody has taken and may never take: a redirect, a form that is refused.
            _ => Outcome::Permanent(said),
        }
    }

    /// The vendor takes nothing until later.
    #[must_use]
    pub fn busy(&self, said: String) -> Outcome {
        Outcome::Busy(said, self.retry_after().unwrap_or(BUSY))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn answer(status: u16, headers: &[(header::HeaderName, &'static str)]) -> Answer {
        let headers =
            headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        Answer { status: StatusCode::from_u16(status).unwrap(), headers, body: String::new() }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let after = |headers: &[_]| answer(429, headers).retry_after();
        assert_eq!(after(&[(header::RETRY_AFTER, "120")]), Some(SignedDuration::from_secs(120)));
        let date = (header::DATE, "Mon, 02 Mar 2026 08:00:00 GMT");
        let later = (header::RETRY_AFTER, "Mon, 02 Mar 2026 08:05:00 GMT");
        assert_eq!(after(&[date.clone(), later.clone()]), Some(SignedDuration::from_mins(5)));
        assert_eq!(after(&[later]), None, "nobody knows by which clock");
        assert_eq!(after(&[date, (header::RETRY_AFTER, "Mon, 02 Mar 2026 07:00:00 GMT")]), None);
        assert_eq!(after(&[(header::RETRY_AFTER, "soon")]), None);
    }

    #[test]
    fn a_status_tells_us_from_the_message() {
        let name = |status| answer(status, &[]).outcome(String::new()).name();
        assert_eq!([200, 202].map(name), ["sent"; 2]);
        assert_eq!([400, 413, 302].map(name), ["permanent"; 3]);
        assert_eq!([401, 403, 404, 500, 503].map(name), ["away"; 5]);
        assert_eq!([502, 504].map(name), ["unsure"; 2]);
        assert_eq!(answer(429, &[]).outcome(String::new()), Outcome::Busy(String::new(), BUSY));
        let busy = answer(503, &[(header::RETRY_AFTER, "7")]).outcome(String::new());
        assert_eq!(busy, Outcome::Busy(String::new(), SignedDuration::from_secs(7)));
    }
}
