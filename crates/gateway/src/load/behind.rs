//! From what a route file says of backends to hosts, caches, and what is done in the background.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use url::Url;

use crate::Known;
use crate::background::Duties;
use crate::cache::Caches;
use crate::config::{
    Backend, Concurrency, ConfigError, ConfigErrors, Endpoint, Health, HostRules, Name, Root,
};
use crate::discovery::{Discovery, Dns};
use crate::hosts::balance::{Balance, Places};
use crate::hosts::base::Base;
use crate::hosts::{Place, Rules};
use crate::metrics::BackendCounts;
use crate::proxy::Target;

/// What stands behind the endpoints of a file while it is made ready.
pub struct Behind<'k> {
    known: &'k Known,
    counts: &'k BackendCounts,
    standard: HostRules,
    caches: Caches,
    rules: BTreeMap<String, Rules>,
    checks: BTreeMap<String, Place>,
    names: BTreeMap<Name, Arc<Discovery>>,
}

/// What backends say of a host or a name.
#[derive(Default)]
struct Said {
    health: Option<Health>,
    concurrency: Option<Concurrency>,
}

impl<'k> Behind<'k> {
    /// Collects what is said of each host; whoever says something says it for all that name the host.
    ///
    /// # Errors
    /// When two backends say different things of one host.
    pub fn new(
        root: &Root,
        endpoints: &[Endpoint],
        known: &'k Known,
        counts: &'k BackendCounts,
    ) -> Result<Self, ConfigErrors> {
        let standard = root.rules.clone();
        let mut said: BTreeMap<String, Said> = BTreeMap::new();
        let mut errors = Vec::new();
        for (place, endpoint) in endpoints.iter().enumerate() {
            for (index, backend) in endpoint.backends.iter().enumerate() {
                for key in keys(backend) {
                    let of = said.entry(key.clone()).or_default();
                    let health = agree(&mut of.health, backend.rules.health.as_ref());
                    let concurrency = agree(&mut of.concurrency, backend.rules.concurrency.as_ref());
                    for namespace in [(!health).then_some("health"), (!concurrency).then_some("concurrency")]
                        .into_iter()
                        .flatten()
                    {
                        errors.push(ConfigError {
                            at: endpoint.at,
                            path: format!("endpoints[{place}].backend[{index}]"),
                            message: format!(
                                "`_reservas/{namespace}` of {key} is different at another backend"
                            ),
                        });
                    }
                }
            }
        }
        if !errors.is_empty() {
            return Err(ConfigErrors(errors));
        }
        let rules = said.into_iter().map(|(key, said)| {
            let health = said.health.or_else(|| standard.health.clone()).map(Arc::new);
            let concurrency = said.concurrency.or(standard.concurrency).unwrap_or_default();
            (key, Rules { health, concurrency })
        });
        let rules = rules.collect();
        let backends = endpoints.iter().flat_map(|endpoint| &endpoint.backends);
        let caches = Caches::new(backends.filter_map(|backend| backend.cache), counts);
        let (checks, names) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { known, counts, standard, caches, rules, checks, names })
    }

    /// A target for each backend of an endpoint.
    pub fn targets(&mut self, endpoint: &Endpoint) -> Vec<Target> {
        endpoint.backends.iter().map(|backend| self.target(endpoint, backend)).collect()
    }

    fn target(&mut self, endpoint: &Endpoint, backend: &Backend) -> Target {
        let named: BTreeSet<String> = keys(backend).collect();
        let (places, named) = if backend.discovered.is_empty() {
            let places: Vec<Place> = backend.hosts.iter().map(|host| self.place(host)).collect();
            let first = places.first().map(|place| place.base.clone());
            (Places::Fixed(places.into()), first)
        } else {
            let found = backend.discovered.iter().map(|name| self.name(name).subscribe());
            (Places::Found(found.collect()), named.first().map(|name| Base::new(name)))
        };
        Target::new(
            endpoint,
            backend,
            Balance::new(places, named.unwrap_or_else(|| Base::new(""))),
            &self.caches,
            self.standard.retry,
            self.counts,
        )
    }

    fn rules(&self, key: &str) -> Rules {
        self.rules.get(key).cloned().unwrap_or_default()
    }

    fn place(&mut self, host: &Url) -> Place {
        let name = origin(host);
        let base = host.as_str().trim_end_matches('/');
        let place = Place::new(&self.known.hosts, &name, base, &self.rules(&name));
        // A host is checked at its own root, whatever path a backend appends to it.
        let mut root = place.clone();
        root.base = Base::new(&name);
        self.checks.entry(name).or_insert(root);
        place
    }

    fn name(&mut self, name: &Name) -> &Discovery {
        let rules = self.rules(&key(name));
        let (hosts, answers) = (&self.known.hosts, &self.known.answers);
        let fresh = || Arc::new(Discovery::new(name.clone(), rules, hosts, answers));
        self.names.entry(name.clone()).or_insert_with(fresh)
    }

    /// What is to be done in the background.
    ///
    /// # Errors
    /// When the DNS is needed and cannot be asked.
    pub fn duties(self, server: Option<SocketAddr>) -> Result<Duties, String> {
        let names: Vec<Name> = self.names.keys().cloned().collect();
        self.known.answers.keep(&names);
        let dns = if names.is_empty() { None } else { Some(Dns::new(server)?) };
        let (checks, names) = (self.checks.into_values().collect(), self.names.into_values().collect());
        Ok(Duties { checks, names, dns })
    }
}

/// Takes what is said; `false` when something else was said before.
fn agree<T: Clone + PartialEq>(known: &mut Option<T>, said: Option<&T>) -> bool {
    match (known.as_ref(), said) {
        (Some(known), Some(said)) => known == said,
        (None, Some(said)) => {
            *known = Some(said.clone());
            true
        }
        (_, None) => true,
    }
}

/// What the hosts and names of a backend are known by.
fn keys(backend: &Backend) -> impl Iterator<Item = String> {
    backend.hosts.iter().map(origin).chain(backend.discovered.iter().map(key))
}

fn origin(host: &Url) -> String {
    host.origin().ascii_serialization()
}

/// The form of an address, so that what is kept for a name has one.
fn key(name: &Name) -> String {
    let port = name.port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("http://{}{port}", name.name)
}
