//! The way of a request from its path to its backends. Each layer stands where it does for the reason given.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{Method, Response};
use hyper::body::{Body as _, Incoming};
use tokio::time::Instant;

use crate::auth::Claims;
use crate::body::ResponseBody;
use crate::call::Call;
use crate::config::{Output, RateKey};
use crate::fault::Fault;
use crate::households::Share;
use crate::places::household;
use crate::proxy::{self, Answerer, Ask, Inputs, Route};
use crate::routes::Found;
use crate::{Gateway, Inner, escape, failure, intake, limits, local, own, places, read_only};

impl Inner {
    /// From the path to whoever answers it.
    pub async fn route(
        &self,
        gateway: &Gateway,
        call: &Call,
        body: Incoming,
        answerer: &mut Answerer,
    ) -> Result<Response<ResponseBody>, Fault> {
        let Self { root, routes, endpoints, .. } = self;

        // The gateway's own paths before the file's: health must answer whatever the file says.
        let read_only = || read_only::is_on(&root.read_only, &gateway.switch, &self.observed);
        if let Some(response) = own::answer(root, call, read_only) {
            *answerer = Answerer::Other("gateway");
            return Ok(response);
        }
        if !call.has_one_host {
            return Err(own::bad_request("invalid_host", "error: the request names no host, or several"));
        }

        // The cheap limit before all that costs something: checking signatures is what an attacker would make us do.
        let early = match &self.early {
            Some(early) => early.check(&household(call.client).to_string()).await?,
            None => None,
        };
        if let Some(service) = gateway.locals.find(&call.path) {
            *answerer = Answerer::Other("local");
            return local::answer(root, service, call).await;
        }
        let path = escape::decode(&call.path)
            .ok_or_else(|| own::bad_request("invalid_path", "error: invalid URL escape"))?;
        let (index, params) = match routes.find(&call.method, &path) {
            Found::Endpoint(index, params) => (index, params),
            Found::Elsewhere(elsewhere) => return Ok(own::redirect(call, &elsewhere)),
            Found::OtherMethods(_) if root.router.auto_options && call.method == Method::OPTIONS => {
                return Ok(own::options(&routes.methods_of(&path)));
            }
            Found::OtherMethods(methods) => return Err(own::method_not_allowed(root, &methods)),
            Found::Nothing => return Err(own::not_found(root)),
        };
        let Some(found) = endpoints.get(index) else { return Err(own::not_found(root)) };
        *answerer = Answerer::Endpoint(Arc::clone(found));
        if root.router.check_params {
            own::check_params(&params)?;
        }
        let params = params.into_iter().collect();
        let mut answer = self.endpoint(gateway, call, body, found, params, early).await;
        if let Some(deprecation) = &found.endpoint.deprecation {
            match &mut answer {
                Ok(response) => deprecation.mark(response.headers_mut()),
                Err(fault) => fault.headers.extend_from_slice(deprecation.headers()),
            }
        }
        answer
    }

    /// From an endpoint to its backends.
    async fn endpoint(
        &self,
        gateway: &Gateway,
        call: &Call,
        body: Incoming,
        route: &Arc<Route>,
        params: BTreeMap<String, String>,
        early: Option<limits::Left>,
    ) -> Result<Response<ResponseBody>, Fault> {
        let Self { root, upstream, identity, shadows, .. } = self;
        let start = Instant::now();

        // The token before the endpoint's limits, so that strangers cannot use up what others may.
        let claims = match &route.verifier {
            Some(verifier) => verifier.check(&call.headers, start + route.endpoint.timeout).await?,
            None => Claims::new(),
        };
        call.facts.identify(&claims);
        let left = self.limit(call, route, &params).await?.or(early);

        // Read-only after the token: who may not write anyway is told so.
        let goes_on = route.endpoint.allow_in_read_only;
        let write = match call.method {
            Method::GET => None,
            _ => read_only::check(&root.read_only, &gateway.switch, route.observed.as_deref(), goes_on)?,
        };

        // The size last, so that a refused request never makes us read its body.
        let limit = route.endpoint.max_payload;
        if body.size_hint().lower() > limit {
            return Err(failure::too_large());
        }
        let share = self.share(gateway, call)?;
        let payload = intake::payload(body, route, root, start, &call.facts).await?;
        let socket = route.tunnels.as_ref().map(|tunnels| tunnels.take(call.wish.as_ref())).transpose()?;
        let inputs = Arc::new(Inputs::gather(route, call, params, claims, identity));
        shadows.send(upstream, route, &inputs, &payload);
        let ask = Ask { upstream, route, inputs: &inputs };
        let asked = Instant::now();
        let answer = match route.endpoint.output {
            Output::NoOp => {
                let deadline = start + route.endpoint.head_timeout.unwrap_or(route.endpoint.timeout);
                let socket = socket.zip(call.wish.clone());
                proxy::pass::answer(&ask, payload, identity, deadline, share, socket).await
            }
            // Boxed, so that what passes answers on does not carry its weight.
            _ => Box::pin(proxy::aggregate::answer(&ask, payload, identity, start)).await,
        };
        route.observe(asked.elapsed(), &answer, identity);
        let tell = root.router.return_error_msg && route.endpoint.output != Output::NoOp;
        let mut response = answer.map_err(|failure| failure.into_fault(tell))?;
        if let Some(write) = write {
            read_only::learn(write, goes_on, &response);
        }
        limits::tell(left, response.headers_mut());
        Ok(response)
    }

    async fn limit(
        &self,
        call: &Call,
        route: &Route,
        params: &BTreeMap<String, String>,
    ) -> Result<Option<limits::Left>, Fault> {
        // Each client before all together: what one is refused is not taken from the others.
        let left = match (&route.limits.clients, &route.endpoint.limit) {
            (Some(clients), Some(limit)) => {
                let client = match &limit.key {
                    RateKey::Ip(None) => household(call.client).to_string(),
                    RateKey::Ip(Some(name)) => household(call.client_in(name)).to_string(),
                    RateKey::Header(name) => call.header(name).to_owned(),
                    RateKey::Param(name) => params.get(name).cloned().unwrap_or_default(),
                };
                // Who leaves the header out has nothing to be counted by, and so nothing to take.
                if client.is_empty() {
                    return Err(clients.refuse());
                }
                clients.check(&client).await?
            }
            _ => None,
        };
        route.limits.check_everyone().await?;
        Ok(left)
    }

    /// The client's share of what is under way; none where many clients may have one address.
    fn share(&self, gateway: &Gateway, call: &Call) -> Result<Option<Share>, Fault> {
        let limits = &self.root.connections;
        if places::is_exempt(&limits.exempt, call.client) {
            return Ok(None);
        }
        let share = gateway.known.calls.take(call.client, limits.max_calls_per_client);
        share.map(Some).ok_or_else(own::too_many_at_once)
    }

    /// Gives an error of the gateway's own its form.
    pub fn show(&self, fault: Fault, call: &Call) -> Response<ResponseBody> {
        let handled = fault.handled;
        // Read-only mode says once that it is on; every write says so to its client.
        if fault.status.is_server_error() && fault.code != "read_only" {
            tracing::warn!(
                status = fault.status.as_u16(),
                code = fault.code,
                path = call.path,
                correlation_id = call.correlation_id,
                "the gateway answered with an error"
            );
        }
        let mut response = if self.root.problems {
            fault.into_problem(&call.path, &call.correlation_id)
        } else {
            fault.into_plain()
        };
        if handled {
            self.identity.mark(response.headers_mut(), false);
        }
        response
    }
}
