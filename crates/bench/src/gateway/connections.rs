//! What connections cost the gateway: memory at rest, under load, and with ten thousand that only stay open.

use tokio::net::TcpStream;

use super::drive::{ask, connect, get};
use super::process::Pinned;
use super::{Flags, Scene, measure};
use crate::Outcome;
use crate::stage::Tuning;
use crate::table::{Report, ms};

/// Connections that are open and asked once.
const BUSY: usize = 1_000;
/// Connections that stay open.
const IDLE: usize = 10_000;

/// Measures.
pub async fn run(flags: &Flags, tuning: &Tuning) -> Outcome<Report> {
    let _alone = tuning.lock()?;
    let scene = Scene::set(flags).await?;
    let cases = scene.cases();
    let case = cases.first().ok_or("no case")?;
    let request = get(case.path, None);
    let server = scene.gateway(&case.write(scene.folder.path())?).await?;
    let mut report = Report {
        title: "The gateway's memory and its connections".to_owned(),
        how: vec![format!(
            "no-op; p50 and p99 of {} requests a second on {} connections",
            flags.rate, flags.connections
        )],
        head: vec!["state", "resident", "of it its own", "CPU-µs a request", "p50", "p99"],
        ..Report::default()
    };
    row(&mut report, "started", &server, None)?;
    let pace = flags.pace(Some(flags.rate.into()));
    let (cost, told) = measure(&server, &request, pace).await?;
    row(&mut report, "under load", &server, Some((cost, &told)))?;
    let busy = measure(&server, &request, super::Pace { connections: BUSY, ..pace }).await?;
    row(&mut report, "the same load on 1,000 connections", &server, Some((busy.0, &busy.1)))?;
    let idle = open(&server, &request).await?;
    row(&mut report, "10,000 connections open, each asked once", &server, None)?;
    let (cost, told) = measure(&server, &request, pace).await?;
    row(&mut report, "the load beside them", &server, Some((cost, &told)))?;
    drop(idle);
    Ok(report)
}

/// Opens them one after the other; each is answered once, so that it is known to be there.
async fn open(server: &Pinned, request: &[u8]) -> Outcome<Vec<TcpStream>> {
    let (mut streams, mut buffer) = (Vec::with_capacity(IDLE), Vec::new());
    for _ in 0..IDLE {
        let mut stream =
            connect(server.port).await.map_err(|error| format!("10,000 connections: {error} (ulimit -n)"))?;
        ask(&mut stream, request, &mut buffer).await?;
        streams.push(stream);
    }
    Ok(streams)
}

fn row(report: &mut Report, state: &str, server: &Pinned, load: Option<(f64, &super::Told)>) -> Outcome {
    let (all, own) = server.memory()?;
    let mut cells = vec![state.to_owned(), format!("{all:.1} MB"), format!("{own:.1} MB")];
    match load {
        Some((cost, told)) => {
            cells.extend([format!("{cost:.1}"), ms(told.times.at(500)), ms(told.times.at(990))]);
            report.faults.extend(told.odd().map(|odd| format!("{state}: {odd}")));
        }
        None => cells.extend(["–", "–", "–"].map(str::to_owned)),
    }
    report.rows.push(cells);
    Ok(())
}
