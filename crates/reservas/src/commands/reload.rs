//! The route file is read again while the gateway runs: at SIGHUP, and when the file has changed.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use gateway::Gateway;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How often the file is looked at. It is read once it was the same twice, so that none is read half-written.
const LOOK: Duration = Duration::from_secs(1);

/// What tells one state of a file from another; none when there is no file.
type Stamp = Option<(SystemTime, u64)>;

/// Reads the route file again at SIGHUP and when it has changed: a right one replaces the old in one step, a wrong one
/// is logged and changes nothing.
///
/// # Errors
/// When signals cannot be heard.
pub fn reload_on_change(
    gateway: &Gateway,
    file: Option<PathBuf>,
    shutdown: CancellationToken,
) -> Result<(), String> {
    let Some(file) = file else { return Ok(()) };
    let mut hangup =
        signal(SignalKind::hangup()).map_err(|error| format!("signals cannot be heard: {error}"))?;
    let gateway = gateway.clone();
    // Before anything is served, so that no change after that is missed.
    let mut known = stamp(&file);
    tokio::spawn(async move {
        let mut looks = tokio::time::interval(LOOK);
        let mut last = known;
        loop {
            let changed = tokio::select! {
                () = shutdown.cancelled() => return,
                _ = hangup.recv() => true,
                _ = looks.tick() => false,
            };
            let now = stamp(&file);
            let settled = now == last && now != known && now.is_some();
            last = now;
            if changed || settled {
                known = now;
                reload(&gateway, &file);
            }
        }
    });
    Ok(())
}

/// A look at a local file takes microseconds, so it is not worth a thread.
fn stamp(file: &Path) -> Stamp {
    let found = std::fs::metadata(file).ok()?;
    Some((found.modified().ok()?, found.len()))
}

fn reload(gateway: &Gateway, file: &Path) {
    let name = file.display();
    match gateway.reload(file) {
        Ok(warnings) => tracing::info!(file = %name, ?warnings, "the route file was read again"),
        Err(errors) => tracing::error!(file = %name, %errors, "the route file stays as it was"),
    }
}
