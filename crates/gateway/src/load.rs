//! From a route file to a gateway that is ready.

mod behind;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use behind::Behind;

use crate::auth::{Verifier, keys::KeyStore};
use crate::config::{self, ConfigError, ConfigErrors, Endpoint, KeySource, Validator};
use crate::headers::Identity;
use crate::limits::store::Store;
use crate::limits::{Clients, Limits};
use crate::metrics::Metrics;
use crate::proxy::{Route, Target};
use crate::read_only::Observed;
use crate::routes::Routes;
use crate::spans::Spans;
use crate::tls::Live;
use crate::upstream::Upstream;
use crate::{Gateway, Inner, Known, Options, Position, local, shadow};

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
        let (known, metrics) = (Arc::<Known>::default(), Arc::<Metrics>::default());
        let (inner, warnings) = build(text, &options, &known, &metrics, None)?;
        Ok(Self {
            known,
            background: Arc::default(),
            port: inner.root.port,
            current: Arc::new(RwLock::new(Arc::new(inner))),
            options: Arc::new(options),
            locals: local::Locals::default(),
            metrics,
            switch: Arc::default(),
            warnings: warnings.into(),
        })
    }

    /// Reads a route file again and puts it in force for new requests; limits, breakers and caches begin anew, what
    /// is known of hosts and the keys that verify tokens stay, and so do the port and the connections that are open.
    /// Gives the warnings.
    ///
    /// # Errors
    /// Everything that is wrong with it; then nothing changes.
    pub fn reload(&self, path: &Path) -> Result<Vec<String>, ConfigErrors> {
        let before = self.inner();
        let (inner, warnings) =
            build(&read(path)?, &self.options, &self.known, &self.metrics, Some(&before))?;
        let inner = Arc::new(inner);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&inner);
        self.background.follow(&inner);
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
    known: &Known,
    metrics: &Arc<Metrics>,
    before: Option<&Inner>,
) -> Result<(Inner, Vec<String>), ConfigErrors> {
    check_resolve(options)?;
    let config::Config { mut root, endpoints, warnings } = config::parse(text, options.lenient)?;
    root.debug_endpoint |= options.debug;
    root.trust(&options.trusted_proxies);
    let routes = Routes::build(&endpoints, &root.router).map_err(ConfigErrors)?;
    let secure = endpoints.iter().any(Endpoint::needs_tls);
    let upstream = Upstream::new(
        root.max_idle_connections_per_host,
        options.resolve.clone(),
        root.compression,
        secure,
        root.client_tls.as_ref(),
    );
    let upstream = upstream.map_err(single)?;
    let tls = root.tls.clone().map(Live::new).transpose().map_err(single)?;
    let store = options.redis_url.as_deref().map(Store::new).transpose().map_err(single)?.map(Arc::new);
    // Keys that came under other rules for TLS are not trusted under these.
    let same_tls = |before: &&Inner| before.root.client_tls == root.client_tls;
    let keys = before.filter(same_tls).map(|before| &before.keys);
    let mut common = Common { stores: HashMap::new(), before: keys, store, observed: Observed::default() };
    let mut behind = Behind::new(&root, &endpoints, known, &metrics.backends)?;
    let ready = |endpoint: Endpoint| {
        let targets = behind.targets(&endpoint);
        route(endpoint, targets, &upstream, &mut common, metrics)
    };
    let endpoints = endpoints.into_iter().map(ready).collect();
    let duties = behind.duties(options.dns).map_err(single)?;
    let inner = Inner {
        routes,
        endpoints,
        upstream,
        identity: Identity::new(options.compat.as_deref(), root.router.hide_version),
        early: root
            .early_limit
            .as_ref()
            .and_then(|limit| Clients::new(limit, "early", common.store.as_ref())),
        observed: common.observed,
        keys: common.stores,
        tls,
        shadows: shadow::Shadows::default(),
        duties,
        spans: Spans::start(&root, options, before.and_then(|before| before.spans.as_ref()))
            .map_err(single)?,
        root,
    };
    Ok((inner, warnings))
}

/// The keys of each source, by how long they are kept.
pub type Stores = HashMap<(KeySource, Duration), Arc<KeyStore>>;

/// What endpoints have in common.
struct Common<'b> {
    stores: Stores,
    /// Those of the file before.
    before: Option<&'b Stores>,
    store: Option<Arc<Store>>,
    observed: Observed,
}

/// Endpoints that name the same keys share them.
fn route(
    endpoint: Endpoint,
    targets: Vec<Target>,
    upstream: &Upstream,
    common: &mut Common<'_>,
    metrics: &Arc<Metrics>,
) -> Arc<Route> {
    let Common { stores, before, store, observed } = common;
    let mut keys_of = |rules: &Validator| {
        let (source, lifetime) = (rules.keys.clone(), rules.cache_duration);
        let before = before.iter().flat_map(|stores| stores.values());
        let fresh = || Arc::new(KeyStore::new(source.clone(), lifetime, upstream.clone(), before));
        Arc::clone(stores.entry((source.clone(), lifetime)).or_insert_with(fresh))
    };
    let verifier = endpoint.validator.clone().map(|rules| {
        let keys = keys_of(&rules);
        let first = Verifier::new(rules, keys);
        endpoint.issuers.iter().fold(first, |all, rules| all.or(rules.clone(), keys_of(rules)))
    });
    let scope = format!("{} {}", endpoint.method, endpoint.path);
    let limits = Limits::new(endpoint.limit.as_ref(), &scope, store.as_ref());
    let observed = observed.of(&endpoint);
    Arc::new(Route::new(endpoint, verifier, limits, observed, targets, metrics))
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
