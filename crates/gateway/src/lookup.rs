//! Where a path leads, without asking anyone.

use http::Method;

use crate::routes::Found;
use crate::{Gateway, escape, own};

impl Gateway {
    /// The endpoint that a path, still encoded, leads to, and the values of its parameters in the order of the path;
    /// `None` when it leads nowhere or is refused.
    pub fn lookup(&self, method: &Method, path: &str) -> Option<(String, Vec<(String, String)>)> {
        let inner = self.inner();
        let Found::Endpoint(index, values) = inner.routes.find(method, &escape::decode(path)?) else {
            return None;
        };
        if inner.root.router.check_params {
            own::check_params(&values).ok()?;
        }
        Some((inner.endpoints.get(index)?.endpoint.path.clone(), values))
    }
}
