//! The outermost layers: correlation, admission of the head, headers of every answer, the access log.

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderValue, Response, StatusCode};
use uuid::Uuid;

use crate::body::ResponseBody;
use crate::call::{Call, Peer};
use crate::config::Root;
use crate::fault::Fault;
use crate::framing::Refusal;
use crate::headers::{CORRELATION_ID, TRACEPARENT};
use crate::own;

/// What the connection knows of a request.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Who is at the other end.
    pub peer: Peer,
    /// Why its head is refused, if it is.
    pub refusal: Option<Refusal>,
}

/// Gives the request its correlation id and its place in a trace.
///
/// # Errors
/// 400 when the client's id is not plain; the answer then carries a new one.
pub fn correlate(call: &mut Call) -> Result<(), Fault> {
    let given = call.headers.get(CORRELATION_ID).map(|value| value.to_str().unwrap_or_default().to_owned());
    let trace = call.headers.get(TRACEPARENT).and_then(|value| value.to_str().ok());
    call.traceparent = trace.filter(|text| is_traceparent(text)).map_or_else(new_traceparent, str::to_owned);
    match given {
        Some(id) if is_plain(&id) => {
            call.correlation_id = id;
            Ok(())
        }
        Some(_) => {
            call.correlation_id = mint().to_string();
            let detail = "X-Correlation-Id is 1 to 128 letters, digits, dots, dashes and underscores.";
            Err(own::bad_request("invalid_correlation_id", detail))
        }
        None => {
            call.correlation_id = mint().to_string();
            Ok(())
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the gateway is generic, so it does not know the kernel that mints ids"
)]
fn mint() -> Uuid {
    Uuid::now_v7()
}

fn is_plain(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// Version 00 of the header (W3C Trace Context, section 3.2).
fn is_traceparent(text: &str) -> bool {
    let fields: Vec<&str> = text.split('-').collect();
    let hex = |field: &str, length: usize| {
        field.len() == length
            && field.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    match fields.as_slice() {
        [version, trace, span, flags] => {
            hex(version, 2)
                && *version != "ff"
                && hex(trace, 32)
                && hex(span, 16)
                && hex(flags, 2)
                && trace.contains(|digit| digit != '0')
                && span.contains(|digit| digit != '0')
        }
        _ => false,
    }
}

fn new_traceparent() -> String {
    let trace = mint().simple().to_string();
    // The end of such an id is random; its beginning is the time.
    let span = mint().simple().to_string();
    format!("00-{trace}-{}-01", span.get(16..).unwrap_or("0000000000000001"))
}

/// Refuses heads that no honest client sends, and hosts that are not ours.
///
/// # Errors
/// 400 for a head whose end or length is unclear (RFC 9112, section 6.1: request smuggling), 403 for another host.
pub fn admit(call: &Call, arrival: &Arrival, root: &Root) -> Result<(), Fault> {
    let both = call.headers.contains_key(CONTENT_LENGTH) && call.headers.contains_key(TRANSFER_ENCODING);
    if arrival.refusal == Some(Refusal::Malformed) {
        let detail =
            "Lines end with CRLF and are not folded; one length, or `chunked` alone, tells the body's end.";
        return Err(own::bad_request("malformed_request", detail));
    }
    if arrival.refusal == Some(Refusal::TwoLengths) || both {
        return Err(own::bad_request(
            "ambiguous_length",
            "Content-Length and Transfer-Encoding exclude each other.",
        ));
    }
    let allowed = root.security.as_ref().map_or(&[][..], |security| &security.allowed_hosts);
    if !allowed.is_empty() && !allowed.iter().any(|host| host.eq_ignore_ascii_case(&call.host)) {
        return Err(Fault::new(StatusCode::FORBIDDEN, "host_not_allowed", "This host is not served here."));
    }
    Ok(())
}

/// Puts the headers on that every answer has.
pub fn dress(root: &Root, call: &Call, response: &mut Response<ResponseBody>) {
    let headers = response.headers_mut();
    if !call.correlation_id.is_empty()
        && let Ok(value) = HeaderValue::from_str(&call.correlation_id)
    {
        headers.insert(CORRELATION_ID, value);
    }
    for (name, value) in root.security.iter().flat_map(|security| &security.headers) {
        headers.insert(name, value.clone());
    }
}
