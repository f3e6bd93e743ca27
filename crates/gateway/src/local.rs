//! Paths that a service in the same process answers, such as documentation.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Incoming};
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt as _};

use crate::body::{self, BoxError, ResponseBody};
use crate::call::Call;
use crate::failure;
use crate::fault::Fault;
use crate::own;

/// A service in the same process.
pub type LocalService = BoxCloneSyncService<Request<Full<Bytes>>, Response<ResponseBody>, Infallible>;

/// A client has so long to send a body to a local path.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Services by the paths they answer.
#[derive(Clone, Default)]
pub struct Locals(Vec<(String, LocalService)>);

impl Locals {
    /// Lets a service answer these paths and everything below them.
    pub fn add<S, B>(&mut self, prefixes: &[&str], service: S)
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let service =
            BoxCloneSyncService::new(service.map_response(|response: Response<B>| response.map(body::boxed)));
        self.0
            .extend(prefixes.iter().map(|prefix| (prefix.trim_end_matches('/').to_owned(), service.clone())));
    }

    /// The service for a path.
    pub fn find(&self, path: &str) -> Option<LocalService> {
        let fits = |prefix: &str| {
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.0.iter().find(|(prefix, _)| fits(prefix)).map(|(_, service)| service.clone())
    }
}

/// Lets a service answer.
///
/// # Errors
/// 413 and 400 when the body cannot be read.
pub async fn answer(
    service: LocalService,
    call: &Call,
    body: Incoming,
    limit: u64,
) -> Result<Response<ResponseBody>, Fault> {
    let incomplete = || own::bad_request("incomplete_body", "The body of the request did not arrive.");
    let read = tokio::time::timeout(BODY_TIMEOUT, body::limited(body, limit).collect())
        .await
        .map_err(|_| incomplete())?;
    let bytes = read
        .map_err(
            |error| if body::is_too_large(error.as_ref()) { failure::too_large() } else { incomplete() },
        )?
        .to_bytes();
    let query = call.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    let mut request = Request::new(Full::new(bytes));
    *request.method_mut() = call.method.clone();
    *request.uri_mut() = format!("{}{query}", call.path)
        .parse()
        .map_err(|_| own::bad_request("invalid_path", "error: invalid path"))?;
    *request.headers_mut() = call.headers.clone();
    call.announce(request.headers_mut());
    match service.oneshot(request).await {
        Ok(response) => Ok(response),
        Err(never) => match never {},
    }
}
