//! What the gateway answers without a backend: health, debug, redirects, and its errors.

use std::time::Duration;

use http::header::{ALLOW, CONTENT_TYPE, LOCATION};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};

use crate::body::{self, ResponseBody};
use crate::call::Call;
use crate::config::{Rate, Root};
use crate::fault::Fault;
use crate::{clock, escape, limits};

const JSON: &str = "application/json; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// Answers the gateway's own paths.
pub fn answer(root: &Root, call: &Call, read_only: impl Fn() -> bool) -> Option<Response<ResponseBody>> {
    if root.router.health.as_deref() == Some(call.path.as_str()) && call.method == Method::GET {
        // As in the original, and one member more while it is needed.
        let read_only = if read_only() { "\"read_only\":true," } else { "" };
        let text = format!("{{\"agents\":{{}},\"now\":\"{}\",{read_only}\"status\":\"ok\"}}", clock::now());
        return Some(with_text(StatusCode::OK, JSON, text));
    }
    if root.debug_endpoint && call.path.starts_with("/__debug/") {
        return Some(with_text(StatusCode::OK, JSON, "{\"message\":\"pong\"}".into()));
    }
    (root.debug_endpoint && call.path == "/__debug").then(|| redirect(call, "/__debug/"))
}

/// Sends the client to the path where the endpoint is; 301 for GET, else 307, which keeps the method.
pub fn redirect(call: &Call, path: &str) -> Response<ResponseBody> {
    let query = call.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    let location = format!("{}{query}", escape::path(path, "/"));
    let (status, text) = if call.method == Method::GET {
        let shown = location
            .replace('&', "&amp;")
            .replace('"', "&#34;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('\'', "&#39;");
        (StatusCode::MOVED_PERMANENTLY, format!("<a href=\"{shown}\">Moved Permanently</a>.\n\n"))
    } else {
        (StatusCode::TEMPORARY_REDIRECT, String::new())
    };
    let mut response = with_text(status, "text/html; charset=utf-8", text);
    if let Ok(value) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(LOCATION, value);
    }
    response
}

/// Tells the methods of a path.
pub fn options(methods: &[Method]) -> Response<ResponseBody> {
    let mut response = Response::new(body::empty());
    if let Ok(value) = HeaderValue::from_str(&list(methods)) {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}

fn with_text(status: StatusCode, content_type: &'static str, text: String) -> Response<ResponseBody> {
    let mut response =
        if text.is_empty() { Response::new(body::empty()) } else { Response::new(body::full(text)) };
    *response.status_mut() = status;
    if status != StatusCode::TEMPORARY_REDIRECT {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    response
}

fn list(methods: &[Method]) -> String {
    methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ")
}

/// 404, in the file's own words when it has some.
pub fn not_found(root: &Root) -> Fault {
    let (content_type, text) = error_body(root, 0, "404 page not found");
    Fault::new(StatusCode::NOT_FOUND, "unknown_path", "There is nothing at this path.")
        .plain(StatusCode::NOT_FOUND, content_type, text)
        .handled()
}

/// 405 with the methods that there are.
pub fn method_not_allowed(root: &Root, methods: &[Method]) -> Fault {
    let (content_type, text) = error_body(root, 1, "405 method not allowed");
    Fault::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This path does not take this method.")
        .plain(StatusCode::METHOD_NOT_ALLOWED, content_type, text)
        .with_header(ALLOW, &list(methods))
        .handled()
}

fn error_body(root: &Root, which: usize, standard: &str) -> (&'static str, String) {
    match root.router.error_body.get(which).and_then(Option::as_ref) {
        Some(text) => (JSON, text.clone()),
        None => ("text/plain", standard.to_owned()),
    }
}

/// 400 with a sentence.
pub fn bad_request(code: &'static str, detail: &str) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, code, detail).plain(StatusCode::BAD_REQUEST, TEXT, detail)
}

/// Refuses parameters that are still encoded, or that would change the backend's path.
///
/// # Errors
/// 400 with the words of the original.
pub fn check_params(params: &[(String, String)]) -> Result<(), Fault> {
    for (_, value) in params {
        match escape::decode(value) {
            None => {
                return Err(bad_request(
                    "invalid_path",
                    &format!("error: invalid URL escape {:?}", broken_escape(value)),
                ));
            }
            Some(again)
                if again != *value
                    || value.contains(['?', '#'])
                    || value.contains(char::is_control)
                    || value == "."
                    || value == ".." =>
            {
                return Err(bad_request("invalid_path", "error: encoded url params"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// The escape that cannot be read, as Go shows it: up to three characters.
fn broken_escape(value: &str) -> String {
    let is_broken = |(place, _): &(usize, &str)| {
        let digits = value.get(place + 1..place + 3).unwrap_or_default();
        digits.len() != 2 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let place = value.match_indices('%').find(is_broken).map_or(0, |(place, _)| place);
    value.get(place..).unwrap_or_default().chars().take(3).collect()
}

/// 429 with the time to wait, and the policy (draft-ietf-httpapi-ratelimit-headers).
pub fn too_many(wait: Duration, rate: Rate) -> Fault {
    let seconds = wait.as_secs_f64().ceil().max(1.0);
    Fault::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "Too many requests; try again later.")
        .retry(wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)))
        .with_header(HeaderName::from_static("ratelimit-policy"), &limits::policy(rate))
        .with_header(HeaderName::from_static("ratelimit"), &format!("\"client\";r=0;t={seconds}"))
}

/// 429 for a client that has too many requests under way already.
pub fn too_many_at_once() -> Fault {
    let detail = "Too many requests at once; wait for some to be answered.";
    Fault::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail).retry(1)
}

/// 503 when all clients together ask for too much.
pub fn overloaded(wait: Duration) -> Fault {
    Fault::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "overloaded",
        "Too many requests from everyone; try again later.",
    )
    .retry(wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)))
}

/// 503 for a write while only reading is possible.
pub fn read_only(retry_after: u64, reason: Option<&str>) -> Fault {
    let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    Fault::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "read_only",
        format!("Nothing can be changed at the moment; reading works{reason}."),
    )
    .retry(retry_after)
}
