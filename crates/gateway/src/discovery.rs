//! Hosts that the DNS names (`sd: "dns"`): asked in the background, so that a request waits for a first answer only.

mod dns;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use dns::Dns;

use crate::config::Name;
use crate::hosts::{Hosts, Place, Rules, check};
use crate::upstream::Upstream;

/// An answer is not asked for again before this, however short-lived it says to be.
const MIN_TTL: Duration = Duration::from_secs(1);
/// And not trusted for longer than this.
const MAX_TTL: Duration = Duration::from_secs(300);
/// The first pause after a failure; it doubles up to [`MAX_PAUSE`].
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause after a failure.
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// Repeats that the heaviest host of a name gets; the others get their share of it.
const MAX_REPEATS: u32 = 10;

/// One host of a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Lower ones first (RFC 2782).
    pub priority: u16,
    /// Where it is.
    pub address: SocketAddr,
    /// How much of the load it takes among those of its priority.
    pub weight: u16,
    /// What the host is called there.
    pub authority: String,
}

/// What is known of a name.
#[derive(Debug)]
pub enum Found {
    /// Nothing yet.
    Pending,
    /// Its places.
    Known(Arc<[Place]>),
    /// Nothing, because the DNS did not answer.
    Failed(String),
}

/// The last answers of all names, kept when the route file is read again.
#[derive(Debug, Default)]
pub struct Answers(Mutex<BTreeMap<Name, Vec<Target>>>);

impl Answers {
    /// Forgets the names that are not among these.
    pub fn keep(&self, names: &[Name]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|name, _| names.contains(name));
    }

    fn get(&self, name: &Name) -> Option<Vec<Target>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn set(&self, name: &Name, targets: Vec<Target>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), targets);
    }
}

/// Follows one name.
pub struct Discovery {
    name: Name,
    rules: Rules,
    hosts: Arc<Hosts>,
    answers: Arc<Answers>,
    found: watch::Sender<Found>,
}

impl Discovery {
    /// Begins with the last answer, if there is one.
    pub fn new(name: Name, rules: Rules, hosts: &Arc<Hosts>, answers: &Arc<Answers>) -> Self {
        let known = answers.get(&name).map(|targets| Found::Known(places(&targets, hosts, &rules)));
        let found = watch::Sender::new(known.unwrap_or(Found::Pending));
        Self { name, rules, hosts: Arc::clone(hosts), answers: Arc::clone(answers), found }
    }

    /// Where the answers can be read.
    pub fn subscribe(&self) -> watch::Receiver<Found> {
        self.found.subscribe()
    }

    /// Asks the DNS until `stop`, and checks the hosts that it names.
    pub fn start(self: Arc<Self>, dns: Dns, upstream: Upstream, stop: CancellationToken) {
        tokio::spawn(async move {
            stop.run_until_cancelled(self.follow(&dns, &upstream, &stop)).await;
        });
    }

    async fn follow(&self, dns: &Dns, upstream: &Upstream, stop: &CancellationToken) {
        let mut pause = PAUSE;
        let mut checks = stop.child_token();
        let mut known = self.answers.get(&self.name).unwrap_or_default();
        if !known.is_empty() {
            self.publish(&known, upstream, &checks);
        }
        loop {
            let wait = match dns.targets(&self.name).await {
                Ok((targets, ttl)) => {
                    pause = PAUSE;
                    if targets != known {
                        // The checks of hosts that stay begin anew: what they found so far is kept with the host.
                        checks.cancel();
                        checks = stop.child_token();
                        self.publish(&targets, upstream, &checks);
                        known = targets;
                    }
                    ttl.clamp(MIN_TTL, MAX_TTL)
                }
                Err(error) => {
                    tracing::warn!(
                        name = self.name.name,
                        error,
                        "the DNS did not name hosts; the last ones stay"
                    );
                    self.found.send_if_modified(|found| match found {
                        Found::Known(_) => false,
                        Found::Pending | Found::Failed(_) => {
                            *found = Found::Failed(format!("lookup {}: {error}", self.name.name));
                            true
                        }
                    });
                    let wait = pause;
                    pause = (pause * 2).min(MAX_PAUSE);
                    wait
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    fn publish(&self, targets: &[Target], upstream: &Upstream, checks: &CancellationToken) {
        let places = places(targets, &self.hosts, &self.rules);
        let mut checked: Vec<&str> = Vec::new();
        for place in places.iter() {
            if !checked.contains(&place.host.name.as_str()) {
                checked.push(&place.host.name);
                check::start(place.clone(), upstream.clone(), checks.clone());
            }
        }
        tracing::info!(name = self.name.name, hosts = ?checked, "the DNS names hosts");
        self.answers.set(&self.name, targets.to_vec());
        self.found.send_replace(Found::Known(places));
    }
}

/// Places in the order of their turn: heavier ones more often, and not all turns of one in a row.
fn places(targets: &[Target], hosts: &Hosts, rules: &Rules) -> Arc<[Place]> {
    let heaviest = |priority: u16| {
        let of = targets.iter().filter(|target| target.priority == priority);
        of.map(|target| u32::from(target.weight)).max().unwrap_or(0)
    };
    let repeats = |target: &Target| {
        let heaviest = heaviest(target.priority);
        let share = (u32::from(target.weight) * MAX_REPEATS).checked_div(heaviest);
        // Equal weights are one repeat each.
        let equal = targets.iter().all(|other| other.weight == target.weight);
        if equal { 1 } else { share.unwrap_or(1).max(1) }
    };
    let repeated: Vec<(u32, Place)> = targets
        .iter()
        .map(|target| {
            let base = format!("http://{}", target.address);
            let mut place = Place::new(hosts, &base, &base, rules);
            place.priority = target.priority;
            place.authority = HeaderValue::from_str(&target.authority).ok();
            (repeats(target), place)
        })
        .collect();
    let rounds = 0..MAX_REPEATS;
    rounds
        .flat_map(|round| repeated.iter().filter(move |(repeats, _)| *repeats > round))
        .map(|(_, place)| place.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_become_repeats_that_are_spread() {
        let target = |port: u16, weight| Target {
            priority: 1,
            address: SocketAddr::from(([10, 0, 0, 1], port)),
            weight,
            authority: "a:1".into(),
        };
        let order = |targets: &[Target]| -> Vec<String> {
            let places = places(targets, &Hosts::default(), &Rules::default());
            places
                .iter()
                .map(|place| place.base.as_str().rsplit(':').next().unwrap_or_default().to_owned())
                .collect()
        };
        assert_eq!(order(&[target(1, 10), target(2, 10)]), ["1", "2"]);
        assert_eq!(order(&[target(1, 0), target(2, 0)]), ["1", "2"]);
        let order = order(&[target(1, 30), target(2, 10)]);
        assert_eq!(order.iter().filter(|port| *port == "1").count(), 10);
        assert_eq!(order.iter().filter(|port| *port == "2").count(), 3);
        assert_eq!(order[..4], ["1", "2", "1", "2"]);
    }
}
