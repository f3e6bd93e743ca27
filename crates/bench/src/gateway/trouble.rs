//! Backends in trouble beside a sound one: what the others' clients notice.

use std::sync::Arc;
use std::time::Duration;

use super::drive::{Pace, connect, drive, get};
use super::{Flags, Scene, measure, routes};
use crate::Outcome;
use crate::table::{Report, ms};

/// Requests a second to the backend in trouble.
const TROUBLED: f64 = 300.0;
/// Requests that hang at once.
const HANGING: usize = 200;

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

    let hanging = hang(port).await?;
    let (_, told) = measure(&server, &request, pace).await?;
    row(report, "the same, 200 requests hang at another", &told);
    hanging.abort();
    Ok(())
}

/// Requests that hang until the gateway gives up, again and again.
async fn hang(port: u16) -> Outcome<tokio::task::JoinHandle<()>> {
    let mut streams = Vec::new();
    for _ in 0..HANGING {
        streams.push(connect(port).await?);
    }
    let request = get("/hanging", None);
    Ok(tokio::spawn(async move {
        let tasks = streams.into_iter().map(|mut stream| {
            let request = Arc::clone(&request);
            async move {
                let mut buffer = Vec::new();
                while super::drive::ask(&mut stream, &request, &mut buffer).await.is_ok() {}
            }
        });
        futures_util::future::join_all(tasks).await;
    }))
}

fn row(report: &mut Report, name: &str, told: &super::drive::Told) {
    let (p50, p99) = (ms(told.times.at(500)), ms(told.times.at(990)));
    report.rows.push(vec![name.to_owned(), "–".to_owned(), "–".to_owned(), p50, p99]);
    report.faults.extend(told.odd().map(|odd| format!("{name}: {odd}")));
}
