//! Cross-origin rules: answering preflights and marking answers (the fetch standard, section 3.2).

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

use crate::body::{self, ResponseBody};
use crate::config::Cors;

const REQUEST_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// The answer to a preflight; `None` when the request is none.
pub fn preflight(cors: &Cors, method: &Method, headers: &HeaderMap) -> Option<Response<ResponseBody>> {
    if *method != Method::OPTIONS || text(headers, &ACCESS_CONTROL_REQUEST_METHOD).is_empty() {
        return None;
    }
    let mut response = Response::new(body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let mut vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers".to_owned();
    if cors.allow_private_network {
        vary.push_str(", Access-Control-Request-Private-Network");
    }
    set(response.headers_mut(), VARY, &vary);
    let origin = text(headers, &ORIGIN);
    let wanted = text(headers, &ACCESS_CONTROL_REQUEST_METHOD).to_uppercase();
    let names = text(headers, &ACCESS_CONTROL_REQUEST_HEADERS);
    if !allows_origin(cors, origin) || !allows_method(cors, &wanted) || !allows_headers(cors, names) {
        return Some(response);
    }
    let answer = response.headers_mut();
    mark_origin(cors, origin, answer);
    set(answer, ACCESS_CONTROL_ALLOW_METHODS, &wanted);
    if !names.is_empty() {
        set(answer, ACCESS_CONTROL_ALLOW_HEADERS, names);
    }
    if cors.allow_private_network && text(headers, &REQUEST_PRIVATE_NETWORK) == "true" {
        set(answer, ALLOW_PRIVATE_NETWORK, "true");
    }
    if !cors.max_age.is_zero() {
        set(answer, ACCESS_CONTROL_MAX_AGE, &cors.max_age.as_secs().to_string());
    }
    Some(response)
}

/// Marks the answer to any other request.
pub fn mark(cors: &Cors, method: &Method, request: &HeaderMap, answer: &mut HeaderMap) {
    answer.append(VARY, HeaderValue::from_static("Origin"));
    let origin = text(request, &ORIGIN);
    if !allows_origin(cors, origin) || !allows_method(cors, method.as_str()) {
        return;
    }
    mark_origin(cors, origin, answer);
    if !cors.expose_headers.is_empty() {
        set(answer, ACCESS_CONTROL_EXPOSE_HEADERS, &cors.expose_headers.join(", "));
    }
}

fn mark_origin(cors: &Cors, origin: &str, answer: &mut HeaderMap) {
    let any = cors.allow_origins.iter().any(|allowed| allowed == "*");
    set(answer, ACCESS_CONTROL_ALLOW_ORIGIN, if any { "*" } else { origin });
    if cors.allow_credentials {
        set(answer, ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    }
}

fn allows_origin(cors: &Cors, origin: &str) -> bool {
    let fits = |allowed: &String| match allowed.split_once('*') {
        None => allowed.eq_ignore_ascii_case(origin),
        Some((start, end)) => {
            origin.len() >= start.len() + end.len() && origin.starts_with(start) && origin.ends_with(end)
        }
    };
    !origin.is_empty() && cors.allow_origins.iter().any(fits)
}

fn allows_method(cors: &Cors, method: &str) -> bool {
    method == "OPTIONS" || cors.allow_methods.iter().any(|allowed| allowed == method || allowed == "*")
}

fn allows_headers(cors: &Cors, names: &str) -> bool {
    let allowed = |name: &str| {
        let name = name.trim().to_ascii_lowercase();
        name.is_empty()
            || name == "origin"
            || cors.allow_headers.iter().any(|allowed| *allowed == name || allowed == "*")
    };
    names.split(',').all(allowed)
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
