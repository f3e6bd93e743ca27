//! Paths that a service in the same process answers, such as documentation.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Body;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt as _};

use crate::body::{self, BoxError, ResponseBody};
use crate::call::Call;
use crate::config::Root;
use crate::fault::Fault;
use crate::own;

/// A service in the same process.
pub type LocalService = BoxCloneSyncService<Request<Full<Bytes>>, Response<ResponseBody>, Infallible>;

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

/// Lets a service answer; nothing is sent to it but questions, so that nobody's body waits in memory.
///
/// # Errors
/// 405 for other methods than GET and HEAD.
pub async fn answer(
    root: &Root,
    service: LocalService,
    call: &Call,
) -> Result<Response<ResponseBody>, Fault> {
    let methods = [Method::GET, Method::HEAD];
    if !methods.contains(&call.method) {
        return Err(own::method_not_allowed(root, &methods));
    }
    let query = call.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    let mut request = Request::new(Full::default());
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
