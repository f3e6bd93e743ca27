//! From a route file to a gateway that is ready.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use crate::auth::{Verifier, keys::KeyStore};
use crate::config::{self, ConfigError, ConfigErrors, Endpoint, KeySource};
use crate::headers::Identity;
use crate::limiter::PerClient;
use crate::metrics::Metrics;
use crate::proxy::Route;
use crate::routes::Routes;
use crate::spans::Spans;
use crate::upstream::Upstream;
use crate::{Gateway, Inner, Options, Position, local, shadow};

impl Gateway {
    /// Reads a route file.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with line and column.
    pub fn load(path: &Path, options: Options) -> Result<Self, ConfigErrors> {
        Self::parse(&read(path)?, options)
    }

    /// Reads the text of a route file.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with line and column.
    pub fn parse(text: &str, options: Options) -> Result<Self, ConfigErrors> {
        let metrics = Arc::default();
        let (inner, warnings) = build(text, &options, &metrics, None)?;
        Ok(Self {
            port: inner.root.port,
            current: Arc::new(RwLock::new(Arc::new(inner))),
            options: Arc::new(options),
            locals: local::Locals::default(),
            metrics,
            warnings: warnings.into(),
        })
    }

    /// Reads a route file again and puts it in force for new requests; limits and breakers begin anew. The port and
    /// the connections that are open stay. Gives the warnings.
    ///
    /// # Errors
    /// Everything that is wrong with it; then nothing changes.
    pub fn reload(&self, path: &Path) -> Result<Vec<String>, ConfigErrors> {
        let before = self.inner();
        let (inner, warnings) = build(&read(path)?, &self.options, &self.metrics, before.spans.as_ref())?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(inner);
        Ok(warnings)
    }
}

fn read(path: &Path) -> Result<String, ConfigErrors> {
    std::fs::read_to_string(path)
        .map_err(|error| single(format!("{} cannot be read: {error}", path.display())))
}

fn build(
    text: &str,
    options: &Options,
    metrics: &Arc<Metrics>,
    before: Option<&Spans>,
) -> Result<(Inner, Vec<String>), ConfigErrors> {
    check_resolve(options)?;
    let config::Config { mut root, endpoints, warnings } = config::parse(text, options.lenient)?;
    root.debug_endpoint |= options.debug;
    let routes = Routes::build(&endpoints, &root.router).map_err(ConfigErrors)?;
    let secure = endpoints.iter().any(Endpoint::needs_tls);
    let upstream =
        Upstream::new(root.max_idle_connections_per_host, options.resolve.clone(), root.compression, secure);
    let upstream = upstream.map_err(single)?;
    let mut stores = HashMap::new();
    let endpoints =
        endpoints.into_iter().map(|endpoint| route(endpoint, &upstream, &mut stores, metrics)).collect();
    let inner = Inner {
        routes,
        endpoints,
        upstream,
        identity: Identity::new(options.compat.as_deref(), root.router.hide_version),
        early: root.early_limit.map(PerClient::new),
        shadows: shadow::Shadows::default(),
        spans: Spans::start(&root, options, before).map_err(single)?,
        root,
    };
    Ok((inner, warnings))
}

type Stores = HashMap<KeySource, Arc<KeyStore>>;

/// Endpoints that name the same keys share them.
fn route(endpoint: Endpoint, upstream: &Upstream, stores: &mut Stores, metrics: &Arc<Metrics>) -> Arc<Route> {
    let verifier = endpoint.validator.clone().map(|rules| {
        let fresh = || Arc::new(KeyStore::new(rules.keys.clone(), rules.cache_duration, upstream.clone()));
        let keys = Arc::clone(stores.entry(rules.keys.clone()).or_insert_with(fresh));
        Verifier::new(rules, keys)
    });
    Arc::new(Route::new(endpoint, verifier, metrics))
}

fn single(message: String) -> ConfigErrors {
    ConfigErrors(vec![ConfigError { at: Position { line: 1, column: 1 }, path: String::new(), message }])
}

fn check_resolve(options: &Options) -> Result<(), ConfigErrors> {
    for (name, place) in &options.resolve {
        let fits = place
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        if !fits {
            return Err(single(format!(
                "resolve {name}={place}: must be a host and a port such as 127.0.0.1:18081"
            )));
        }
    }
    Ok(())
}
