//! Which host of a backend is asked next: in turn among those that are well, and any of them when none is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;
use tokio::time::Instant;

use super::base::Base;
use super::standing::Fit;
use super::{Attempt, Host, Place};
use crate::discovery::Found;
use crate::failure::{Failure, Kind};

/// Where the places of a backend come from.
#[derive(Debug)]
pub enum Places {
    /// The file names them.
    Fixed(Arc<[Place]>),
    /// The DNS does.
    Found(Vec<watch::Receiver<Found>>),
}

/// The turn of a backend's places.
#[derive(Debug)]
pub struct Balance {
    places: Places,
    /// What the file names, by which answers are kept.
    pub named: Base,
    turn: AtomicUsize,
}

impl Balance {
    /// Begins with the first.
    pub fn new(places: Places, named: Base) -> Self {
        Self { places, named, turn: AtomicUsize::new(0) }
    }

    /// The place whose turn it is; with `avoid`, another one if there is one.
    ///
    /// # Errors
    /// When the DNS names no host, or did not answer yet.
    pub async fn next(&self, avoid: Option<&Host>, deadline: Instant) -> Result<Attempt, Failure> {
        let places = self.places(deadline).await?;
        // A second try takes no turn, or the same host would be the first one again and again.
        let step = usize::from(avoid.is_none());
        let turn = self.turn.fetch_add(step, Ordering::Relaxed);
        let attempt = choose(&places, turn, avoid, Instant::now());
        attempt.ok_or_else(|| Failure::new(Kind::Unreachable, "no host"))
    }

    async fn places(&self, deadline: Instant) -> Result<Arc<[Place]>, Failure> {
        let found = match &self.places {
            Places::Fixed(places) => return Ok(Arc::clone(places)),
            Places::Found(found) => found,
        };
        let mut all = Vec::with_capacity(found.len());
        let mut failed = None;
        for found in found {
            match known(found.clone(), deadline).await {
                Ok(places) => all.push(places),
                Err(failure) => failed = Some(failure),
            }
        }
        match (all.as_slice(), failed) {
            ([one], _) => Ok(Arc::clone(one)),
            ([], Some(failure)) => Err(failure),
            (several, _) => Ok(several.iter().flat_map(|places| places.iter().cloned()).collect()),
        }
    }
}

/// What the DNS said; waits only for its very first answer.
async fn known(mut found: watch::Receiver<Found>, deadline: Instant) -> Result<Arc<[Place]>, Failure> {
    let answered = found.wait_for(|found| !matches!(found, Found::Pending));
    let answered = tokio::time::timeout_at(deadline, answered).await.map_err(|_| Failure::timeout())?;
    match answered.as_deref() {
        Ok(Found::Known(places)) => Ok(Arc::clone(places)),
        Ok(Found::Failed(error)) => Err(Failure::new(Kind::Unreachable, error.clone())),
        Ok(Found::Pending) | Err(_) => Err(Failure::new(Kind::Unreachable, "the gateway does not run")),
    }
}

fn choose(places: &[Place], turn: usize, avoid: Option<&Host>, now: Instant) -> Option<Attempt> {
    let avoided = |place: &Place| avoid.is_some_and(|host| std::ptr::eq(host, Arc::as_ptr(&place.host)));
    // The common case without counting.
    if let [only] = places {
        let trial = only.fit(now) == Fit::Due && only.host.standing().begin_trial(now);
        return Some(only.attempt(trial));
    }
    let due = |place: &&Place| {
        !avoided(place) && place.fit(now) == Fit::Due && place.host.standing().begin_trial(now)
    };
    if let Some(place) = places.iter().find(due) {
        return Some(place.attempt(true));
    }
    let well = |place: &&Place| !avoided(place) && place.fit(now) == Fit::Well;
    let first = places.iter().filter(well).map(|place| place.priority).min();
    let among = |fits: &dyn Fn(&&Place) -> bool| {
        let count = places.iter().filter(|place| fits(place)).count();
        let chosen = places.iter().filter(|place| fits(place)).nth(turn.checked_rem(count)?);
        chosen.map(|place| place.attempt(false))
    };
    // No host is well: asking one is better than asking none.
    first
        .and_then(|priority| among(&|place| well(place) && place.priority == priority))
        .or_else(|| among(&|place| !avoided(place)))
        .or_else(|| among(&|_| true))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Health;
    use crate::hosts::{Hosts, Rules};

    fn places(hosts: &Hosts, names: &[&str]) -> Vec<Place> {
        let second = Duration::from_secs(1);
        let health = Health { check: None, max_failures: 1, eject_for: second, max_ejection: second };
        let rules = Rules { health: Some(Arc::new(health)), ..Rules::default() };
        names.iter().map(|name| Place::new(hosts, name, name, &rules)).collect()
    }

    fn asked(places: &[Place], avoid: Option<&Host>, now: Instant) -> String {
        (0..6)
            .filter_map(|turn| choose(places, turn, avoid, now))
            .map(|chosen| chosen.place.base.to_string())
            .collect()
    }

    #[test]
    fn repeats_are_weights_and_the_ejected_are_left_out_until_their_trial() {
        let (hosts, now) = (Hosts::default(), Instant::now());
        let all = places(&hosts, &["a", "a", "b"]);
        assert_eq!(asked(&all, None, now), "aabaab");
        assert_eq!(asked(&all, Some(&all[0].host), now), "bbbbbb");
        all[2].attempt(false).report(false);
        assert_eq!(asked(&all, None, Instant::now()), "aaaaaa");
        all[0].attempt(false).report(false);
        assert_eq!(asked(&all, None, Instant::now()), "aabaab", "none is well, so all are asked");
        let later = Instant::now() + Duration::from_secs(2);
        let trial = choose(&all, 0, None, later).unwrap();
        assert_eq!(trial.place.base.as_str(), "a");
        trial.report(true);
        let second = choose(&all, 0, None, later).unwrap();
        assert_eq!(second.place.base.as_str(), "b", "each has its own trial");
        assert_eq!(asked(&all, None, later), "aaaaaa", "one call tries at a time");
        assert_eq!((hosts.all().len(), all[2].host.ejections()), (2, 1));
    }

    #[test]
    fn the_second_priority_is_asked_when_the_first_is_not_well() {
        let hosts = Hosts::default();
        let mut all = places(&hosts, &["a", "b"]);
        all[1].priority = 1;
        assert_eq!(asked(&all, None, Instant::now()), "aaaaaa");
        all[0].attempt(false).report(false);
        assert_eq!(asked(&all, None, Instant::now()), "bbbbbb");
    }
}
