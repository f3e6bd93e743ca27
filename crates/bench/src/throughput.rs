//! Durable bookings a second over HTTP, against the same inserts and locks written by hand.

use std::time::Duration;

use clap::Args;

use crate::baseline::{self, Kind, Template};
use crate::creating::{self, Spread};
use crate::load::{Answers, drive};
use crate::seed::{self, Sizes};
use crate::stage::{Stage, Tuning};
use crate::table::{Report, median, ms, rate, ratio};
use crate::{Outcome, statements};

/// Clients at once, in both.
pub const CLIENTS: usize = 16;
/// Resources that are booked.
pub const RESOURCES: u64 = 1000;

/// How long and how often.
#[derive(Debug, Clone, Args)]
pub struct Flags {
    /// Seconds of each round.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Rounds of each kind, one after the other in turn.
    #[arg(long, default_value_t = 3)]
    rounds: u64,
}

impl Default for Flags {
    fn default() -> Self {
        Self { seconds: 5, rounds: 3 }
    }
}

/// What a replica and the baseline made in the same rounds.
#[derive(Default)]
pub struct Compared {
    /// The service's bookings a second, round by round.
    pub ours: Vec<f64>,
    /// pgbench's, likewise.
    pub plain: Vec<f64>,
    /// pgbench's with the notification.
    pub notifying: Vec<f64>,
    /// The service's last answers.
    pub last: Answers,
    /// Seconds of processor time for each booking in the last round: the service's, and PostgreSQL's under it.
    pub cpu: [f64; 2],
    /// PostgreSQL's for each booking of plain pgbench.
    pub plain_cpu: f64,
}

/// Measures.
pub async fn run(flags: &Flags, tuning: &Tuning) -> Outcome<Report> {
    let stage = Stage::start(1, tuning).await?;
    let sizes = Sizes { organizations: 1, resources: RESOURCES, people: 1000, bookings: 10_000 };
    let seeded = seed::load(&stage, sizes).await?;
    let mut report = Report {
        title: "Throughput: bookings over HTTP against pgbench".to_owned(),
        how: vec![
            stage.settings().await?,
            seeded,
            format!(
                "{CLIENTS} clients; rounds of {} s, in turn; the median of {}",
                flags.seconds, flags.rounds
            ),
        ],
        head: HEAD.into(),
        ..Report::default()
    };
    let _quiet = stage.alone()?;
    for hot in [false, true] {
        let spread = |round| if hot { Spread::Hot(RESOURCES - round) } else { Spread::Even(RESOURCES) };
        let compared = compare(&stage, flags.seconds, flags.rounds, spread, &mut report).await?;
        let what = if hot { "one hot resource" } else { "1,000 resources" };
        report.rows.push(row(what, &compared));
    }
    let (now, most) = stage.replicas[0].memory()?;
    report.how.push(format!("memory of the service afterwards: {now:.0} MB, at most {most:.0} MB"));
    stage.stop().await?;
    Ok(report)
}

/// The head of the table of [`row`].
pub const HEAD: [&str; 9] = [
    "bookings on",
    "service",
    "pgbench",
    "ratio",
    "pgbench with NOTIFY",
    "ratio",
    "service p50 / p95 / p99",
    "CPU each: service + PostgreSQL",
    "pgbench: PostgreSQL",
];

/// A row of it.
pub fn row(what: &str, compared: &Compared) -> Vec<String> {
    let [ours, plain, notifying] =
        [&compared.ours, &compared.plain, &compared.notifying].map(|rates| median(rates.clone()));
    vec![
        what.to_owned(),
        rate(ours),
        rate(plain),
        ratio(ours, plain),
        rate(notifying),
        ratio(ours, notifying),
        compared.last.times.cells().join(" / "),
        compared.cpu.map(|cpu| ms(Duration::from_secs_f64(cpu))).join(" + "),
        ms(Duration::from_secs_f64(compared.plain_cpu)),
    ]
}

/// Rounds of the service and of both baselines, in turn. What goes wrong is added to the report.
pub async fn compare(
    stage: &Stage,
    seconds: u64,
    rounds: u64,
    spread: impl Fn(u64) -> Spread,
    report: &mut Report,
) -> Outcome<Compared> {
    let time = Duration::from_secs(seconds);
    let ports = stage.ports();
    // Connections, plans and keys are there, and the template is of this day.
    drive(&ports, CLIENTS, Duration::from_secs(1), creating::requests(stage, spread(0))).await?;
    let template = Template::read(stage).await?;
    let mut compared = Compared::default();
    for round in 0..rounds {
        let before = creating::written(stage).await?;
        statements::reset(stage).await?;
        let (cpu, server) = (stage.replicas[0].cpu()?, stage.postgres_cpu()?);
        let answers = drive(&ports, CLIENTS, time, creating::requests(stage, spread(3 * round + 1))).await?;
        let made = answers.count(201);
        let used = [stage.replicas[0].cpu()? - cpu, stage.postgres_cpu()? - server];
        compared.cpu = used.map(|seconds| seconds / made as f64);
        if round + 1 == rounds {
            report.notes.extend(statements::read(stage).await?);
        }
        let written = creating::written(stage).await? - before;
        if i64::try_from(made)? != written {
            report.faults.push(format!("{made} bookings were acknowledged, the database has {written}"));
        }
        report.faults.extend(stage.faults(answers.odd.as_ref())?);
        compared.ours.push(answers.rate(201));
        compared.last = answers;
        for (kind, of) in [(Kind::Plain, 2), (Kind::Notifying, 3)] {
            let server = stage.postgres_cpu()?;
            let made =
                baseline::run(stage, &template, spread(3 * round + of), kind, CLIENTS, seconds).await?;
            match kind {
                Kind::Plain => {
                    compared.plain.push(made);
                    compared.plain_cpu = (stage.postgres_cpu()? - server) / (made * seconds as f64);
                }
                Kind::Notifying => compared.notifying.push(made),
            }
        }
    }
    Ok(compared)
}
