//! Backends in trouble beside a sound one: what the others' clients notice.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::drive::{Pace, ask, connect, drive, get};
use super::{Flags, Scene, measure, routes};
use crate::Outcome;
use crate::table::{Report, ms};

/// Requests a second to the backend in trouble.
const TROUBLED: f64 = 300.0;
/// Requests that hang at once.
const HANGING: u32 = 200;
/// How long the gateway waits for `/hanging`, and how often each client of it asks again.
const GIVEN_UP: Duration = Duration::from_secs(1);

/// When the clients of a backend that hangs ask again.
#[derive(Clone, Copy)]
enum Again {
    /// One after the other.
    InTurn,
    /// All at the same moment.
    AtOnce,
}

/// Adds a row for each kind of trouble; the times are those of the sound backend's clients.
pub async fn add(scene: &Scene, flags: &Flags, report: &mut Report) -> Outcome {
    let file = routes::trouble(scene.folder.path(), scene.backend)?;
    let server = scene.gateway(&file).await?;
    let (request, pace) = (get("/sound", None), flags.pace(Some(f64::from(flags.rate) / 2.0)));
    let (_, told) = measure(&server, &request, pace).await?;
    row(report, "a sound backend alone", &told);

    let failing = Pace { connections: 8, rate: Some(TROUBLED), time: pace.time + Duration::from_secs(1) };
    let (port, path) = (server.port, get("/failing", None));
    let trouble = tokio::spawn(async move { drive(port, &path, failing).await });
    let (_, told) = measure(&server, &request, pace).await?;
    row(report, "the same, another fails one time in ten (breaker on)", &told);
    trouble.await??;

    // The last one has nothing to do with trouble: it tells what so many requests at once cost by themselves.
    for (name, path, again) in [
        ("200 requests hang at another", "/hanging-long", Again::AtOnce),
        (
            "the same, each given up after a second and asked again, one after the other",
            "/hanging",
            Again::InTurn,
        ),
        ("the same, all given up and asked again at the same moment", "/hanging", Again::AtOnce),
        (
            "none hangs; 200 more ask the sound backend at the same moment, each second",
            "/sound",
            Again::AtOnce,
        ),
    ] {
        let _others = crowd(port, path, again).await?;
        let (_, told) = measure(&server, &request, pace).await?;
        row(report, name, &told);
    }
    Ok(())
}

/// Clients that ask for a path, each again after a second. They end when this is dropped.
async fn crowd(port: u16, path: &str, again: Again) -> Outcome<JoinSet<()>> {
    let (request, mut clients) = (get(path, None), JoinSet::new());
    let mut streams = Vec::new();
    for _ in 0..HANGING {
        streams.push(connect(port).await?);
    }
    let start = Instant::now();
    for (place, mut stream) in (0..).zip(streams) {
        let request = Arc::clone(&request);
        let offset = match again {
            Again::InTurn => GIVEN_UP * place / HANGING,
            Again::AtOnce => Duration::ZERO,
        };
        clients.spawn(async move {
            let (mut buffer, mut due) = (Vec::new(), start + offset);
            loop {
                sleep_until(due).await;
                if ask(&mut stream, &request, &mut buffer).await.is_err() {
                    return;
                }
                due = Instant::now().max(due + GIVEN_UP);
            }
        });
    }
    Ok(clients)
}

fn row(report: &mut Report, name: &str, told: &super::drive::Told) {
    let (p50, p99) = (ms(told.times.at(500)), ms(told.times.at(990)));
    report.rows.push(vec![name.to_owned(), "–".to_owned(), "–".to_owned(), p50, p99]);
    report.faults.extend(told.odd().map(|odd| format!("{name}: {odd}")));
}
