//! Active checks: asking a host, again and again, whether it is well.

use tokio_util::sync::CancellationToken;

use super::Place;
use crate::config::Check;
use crate::upstream::Upstream;

/// Checks a place until `stop`, if its rules want it checked.
pub fn start(place: Place, upstream: Upstream, stop: CancellationToken) {
    let Some(rules) = place.health.as_ref().and_then(|health| health.check.clone()) else { return };
    tokio::spawn(async move {
        stop.run_until_cancelled(watch(&place, &upstream, &rules)).await;
    });
}

async fn watch(place: &Place, upstream: &Upstream, rules: &Check) {
    let url = format!("{}{}", place.base, rules.path);
    loop {
        let well = upstream.probe(&url, place.authority.clone(), rules.timeout).await;
        let host = &place.host;
        // The lock is given back before anything is written.
        let change = host.standing().checked(well, rules);
        match change {
            Some(true) => tracing::info!(host = host.name, "a host is well again"),
            Some(false) => tracing::warn!(host = host.name, "a host is not well and is left out"),
            None => {}
        }
        tokio::time::sleep(rules.interval).await;
    }
}
