//! Throughput with ever more bookings there already.

use clap::Args;

use crate::Outcome;
use crate::creating::Spread;
use crate::seed::{self, Sizes};
use crate::stage::{Stage, Tuning};
use crate::table::{Report, median, ratio};
use crate::throughput::{CLIENTS, HEAD, RESOURCES, compare, row};

/// How many, and for how long.
#[derive(Debug, Clone, Args)]
pub struct Flags {
    /// Bookings that are there already; the first is what the others are compared with.
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 300_000])]
    sizes: Vec<u64>,
    /// Seconds of each round.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Rounds of each kind, one after the other in turn.
    #[arg(long, default_value_t = 2)]
    rounds: u64,
}

impl Default for Flags {
    fn default() -> Self {
        Self { sizes: vec![10_000, 300_000], seconds: 5, rounds: 2 }
    }
}

/// Measures.
pub async fn run(flags: &Flags, tuning: &Tuning) -> Outcome<Report> {
    let mut report = Report {
        title: "Growth: the same with more bookings there already".to_owned(),
        how: vec![format!(
            "{CLIENTS} clients, new bookings within the next 90 days, resources by popularity; rounds of {} s, in turn; \
             the median of {}",
            flags.seconds, flags.rounds
        )],
        head: HEAD.into_iter().chain(["of the first"]).collect(),
        ..Report::default()
    };
    let mut first = None;
    for size in &flags.sizes {
        let stage = Stage::start(1, tuning).await?;
        let sizes = Sizes { organizations: 1, resources: RESOURCES, people: 1000, bookings: *size };
        report.how.push(seed::load(&stage, sizes).await?);
        let _quiet = stage.alone()?;
        let spread = |_| Spread::Popular(RESOURCES);
        let compared = compare(&stage, flags.seconds, flags.rounds, spread, &mut report).await?;
        let ours = median(compared.ours.clone());
        let mut cells = row(&format!("{size} existing"), &compared);
        cells.push(ratio(ours, *first.get_or_insert(ours)));
        report.rows.push(cells);
        stage.stop().await?;
    }
    Ok(report)
}
