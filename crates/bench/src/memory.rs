//! What the service holds in memory after load of all kinds.

use std::time::Duration;

use clap::Args;

use crate::Outcome;
use crate::availability::needs;
use crate::creating::{Spread, requests};
use crate::load::drive;
use crate::seed::{self, Sizes};
use crate::stage::{Stage, Tuning};
use crate::table::Report;

/// Resources of each organization.
const RESOURCES: u64 = 500;
/// Organizations.
const ORGANIZATIONS: u32 = 10;

/// How long.
#[derive(Debug, Clone, Args)]
pub struct Flags {
    /// Seconds of each kind of load.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Clients at once.
    #[arg(long, default_value_t = 64)]
    clients: usize,
}

impl Default for Flags {
    fn default() -> Self {
        Self { seconds: 5, clients: 64 }
    }
}

/// Measures.
pub async fn run(flags: &Flags, tuning: &Tuning) -> Outcome<Report> {
    let stage = Stage::start(1, tuning).await?;
    let sizes = Sizes { organizations: ORGANIZATIONS, resources: RESOURCES, people: 1000, bookings: 100_000 };
    let mut report = Report {
        title: "Memory of the service".to_owned(),
        how: vec![
            seed::load(&stage, sizes).await?,
            format!(
                "{} clients, {} s of each kind of load, one after the other",
                flags.clients, flags.seconds
            ),
        ],
        head: vec!["after", "resident", "at most", "answers"],
        ..Report::default()
    };
    let (time, ports) = (Duration::from_secs(flags.seconds), stage.ports());
    report.rows.push(row(&stage, "the start", 0)?);
    let answers = drive(&ports, flags.clients, time, requests(&stage, Spread::Even(RESOURCES))).await?;
    report.rows.push(row(&stage, "bookings", answers.times.count())?);
    // Two resources are soon full: most are refused, with alternatives.
    let answers = drive(&ports, flags.clients, time, requests(&stage, Spread::Even(2))).await?;
    report.rows.push(row(&stage, "bookings of what is mostly taken", answers.times.count())?);
    let answers = drive(&ports, flags.clients, time, needs(&stage, ORGANIZATIONS)).await?;
    report.rows.push(row(&stage, "searches", answers.times.count())?);
    stage.stop().await?;
    Ok(report)
}

fn row(stage: &Stage, after: &str, answers: usize) -> Outcome<Vec<String>> {
    let (now, most) = stage.replicas[0].memory()?;
    Ok(vec![after.to_owned(), format!("{now:.0} MB"), format!("{most:.0} MB"), answers.to_string()])
}
