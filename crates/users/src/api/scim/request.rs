//! What a SCIM request says, each failure in SCIM's form: the body, and the parameters of a list.

use std::collections::HashMap;

use axum::RequestExt as _;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::IntoResponse as _;
use http::request::Parts;
use http::{StatusCode, header};
use platform::http::extract::body_problem;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::scim::filter::{self, Clause};
use crate::scim::{MOST_RESULTS, Refusal, projected};

/// Resources on a page when the client does not say.
const PAGE: i64 = 100;

/// A JSON object.
#[derive(Debug)]
pub(super) struct Body(pub(super) Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !["application/scim+json", "application/json"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(media_type))
        {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Refusal::new(status, None, "Send the body as application/scim+json."));
        }
        let body = request.extract::<Bytes, _>().await;
        let body = body.map_err(|rejection| body_problem(rejection.into_response().status()))?;
        match serde_json::from_slice(&body) {
            Ok(Value::Object(object)) => Ok(Self(object)),
            Ok(_) => Err(Refusal::bad("invalidSyntax", "The body is a JSON object.")),
            Err(error) => Err(Refusal::bad("invalidSyntax", format!("The body is not JSON: {error}."))),
        }
    }
}

/// What of which resources is asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// The first to be given, from 1.
    pub(super) start: i64,
    /// How many at most.
    pub(super) count: i64,
    /// What they have to meet.
    pub(super) filter: Vec<Clause>,
    attributes: Option<String>,
    excluded: Option<String>,
}

impl Asked {
    /// A resource with what is asked for of it.
    pub(super) fn of(&self, resource: Value) -> Value {
        projected(resource, self.attributes.as_deref(), self.excluded.as_deref())
    }

    /// Whether the client said which attributes it wants.
    pub(super) const fn is_narrow(&self) -> bool {
        self.attributes.is_some() || self.excluded.is_some()
    }

    /// Whether an attribute, which is dear to read, is asked for.
    pub(super) fn wants(&self, name: &str) -> bool {
        let mut probe = Map::new();
        probe.insert(name.to_owned(), Value::Bool(true));
        self.of(Value::Object(probe)).get(name).is_some()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let query = parts.uri.query().unwrap_or_default();
        let mut fields: HashMap<String, String> = url::form_urlencoded::parse(query.as_bytes())
            .map(|(key, value)| (key.to_lowercase(), value.into()))
            .collect();
        let number = |name: &str, otherwise: i64| match fields.get(name) {
            None => Ok(otherwise),
            Some(text) => {
                text.trim().parse::<i64>().map_err(|_| Refusal::value(format!("{name} is a whole number.")))
            }
        };
        // Below their least both mean the least (RFC 7644, section 3.4.2.4).
        let (start, count) = (number("startindex", 1)?.max(1), number("count", PAGE)?.clamp(0, MOST_RESULTS));
        let filter = fields.get("filter").map(|text| filter::parse(text)).transpose()?.unwrap_or_default();
        let (attributes, excluded) = (fields.remove("attributes"), fields.remove("excludedattributes"));
        Ok(Self { start, count, filter, attributes, excluded })
    }
}

/// The id of a path; what has not the form of one is not there.
pub(super) fn id(text: &str) -> Result<Uuid, Refusal> {
    text.parse().map_err(|_| Refusal::not_found())
}
