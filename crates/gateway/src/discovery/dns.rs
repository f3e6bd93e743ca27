//! Questions to the DNS: services (SRV) with the addresses of their hosts, or addresses (A, AAAA) alone.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, Record};

use super::Target;
use crate::config::Name;

/// Hosts of one name at most; an answer over UDP holds far fewer.
const MAX_TARGETS: usize = 256;
/// For one attempt of a question; it is made again once.
const TIMEOUT: Duration = Duration::from_secs(1);
/// For all questions about a name.
const WHOLE_TIMEOUT: Duration = Duration::from_secs(3);

/// Asks a DNS server, or those of the system.
#[derive(Clone)]
pub struct Dns(Arc<TokioResolver>);

impl Dns {
    /// Asks this server, or those that the system names.
    ///
    /// # Errors
    /// When the system names none.
    pub fn new(server: Option<SocketAddr>) -> Result<Self, String> {
        let unusable = |error: hickory_resolver::net::NetError| format!("the system's DNS servers: {error}");
        let mut builder = match server {
            Some(server) => {
                let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
                    connection.port = server.port();
                    connection
                });
                let server = NameServerConfig::new(server.ip(), true, connections.into());
                let config = ResolverConfig::from_name_servers(vec![server]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
            None => TokioResolver::builder_tokio().map_err(unusable)?,
        };
        let options = builder.options_mut();
        options.timeout = TIMEOUT;
        options.attempts = 2;
        // We ask when the time of the last answer is over, so a cache would only add to it.
        options.cache_size = 0;
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        Ok(Self(Arc::new(builder.build().map_err(unusable)?)))
    }

    /// The hosts of a name in a stable order, and for how long that holds.
    ///
    /// # Errors
    /// A sentence on why there is no answer within three seconds, or an empty one.
    pub async fn targets(&self, name: &Name) -> Result<(Vec<Target>, Duration), String> {
        let asked = tokio::time::timeout(WHOLE_TIMEOUT, self.ask(name)).await;
        asked.unwrap_or_else(|_| Err("the DNS does not answer".into()))
    }

    async fn ask(&self, name: &Name) -> Result<(Vec<Target>, Duration), String> {
        let (mut targets, ttl) = match name.port {
            Some(port) => {
                let (addresses, ttl) = self.addresses(&name.name).await?;
                let authority = format!("{}:{port}", name.name);
                let target = |address| Target {
                    priority: 0,
                    address: SocketAddr::new(address, port),
                    weight: 0,
                    authority: authority.clone(),
                };
                (addresses.into_iter().map(target).collect(), ttl)
            }
            None => self.services(&name.name).await?,
        };
        targets.sort();
        targets.dedup();
        if targets.is_empty() {
            return Err("no such host".into());
        }
        targets.truncate(MAX_TARGETS);
        Ok((targets, ttl))
    }

    async fn services(&self, name: &str) -> Result<(Vec<Target>, Duration), String> {
        let lookup = self.0.srv_lookup(name).await.map_err(|error| error.to_string())?;
        let mut ttl = ttl(lookup.answers());
        let services = lookup.answers().iter().filter_map(|record| match &record.data {
            RData::SRV(service) => Some(service),
            _ => None,
        });
        let hosts = services.take(MAX_TARGETS).map(|service| async move {
            let host = service.target.to_utf8();
            (service, host.trim_end_matches('.').to_owned(), self.addresses(&host).await)
        });
        let mut targets = Vec::new();
        let mut failed = None;
        for (service, host, addresses) in join_all(hosts).await {
            match addresses {
                Ok((addresses, time)) => {
                    ttl = ttl.min(time);
                    targets.extend(addresses.into_iter().map(|address| Target {
                        priority: service.priority,
                        address: SocketAddr::new(address, service.port),
                        weight: service.weight,
                        authority: format!("{host}:{}", service.port),
                    }));
                }
                Err(error) => failed = Some(error),
            }
        }
        // One host without an address does not take the others away.
        match failed {
            Some(error) if targets.is_empty() => Err(error),
            _ => Ok((targets, ttl)),
        }
    }

    async fn addresses(&self, name: &str) -> Result<(Vec<IpAddr>, Duration), String> {
        let lookup = self.0.lookup_ip(name).await.map_err(|error| error.to_string())?;
        Ok((lookup.iter().collect(), ttl(lookup.as_lookup().answers())))
    }
}

fn ttl(records: &[Record]) -> Duration {
    Duration::from_secs(records.iter().map(|record| u64::from(record.ttl)).min().unwrap_or(0))
}
