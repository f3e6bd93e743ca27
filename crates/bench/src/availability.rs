//! Search by need over many resources of many organizations, against the same HTTP stack doing nothing.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;
use kernel::Role;
use rand::Rng as _;

use crate::creating::base;
use crate::load::{Answers, Ask, drive};
use crate::seed::{self, Sizes};
use crate::stage::{Stage, Tuning};
use crate::table::{Report, rate, ratio};
use crate::{Outcome, names, statements};

/// How much there is, and for how long it is searched.
#[derive(Debug, Clone, Args)]
pub struct Flags {
    /// Resources of all organizations.
    #[arg(long, default_value_t = 5000)]
    resources: u64,
    /// Organizations.
    #[arg(long, default_value_t = 10)]
    organizations: u32,
    /// Bookings of all organizations, past and to come.
    #[arg(long, default_value_t = 500_000)]
    bookings: u64,
    /// Seconds of each round.
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// Clients at once, one number for each round.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 4, 16])]
    clients: Vec<usize>,
}

impl Default for Flags {
    fn default() -> Self {
        Self { resources: 5000, organizations: 10, bookings: 500_000, seconds: 8, clients: vec![1, 4, 16] }
    }
}

/// Measures.
pub async fn run(flags: &Flags, tuning: &Tuning) -> Outcome<Report> {
    let stage = Stage::start(1, tuning).await?;
    let resources = flags.resources / u64::from(flags.organizations);
    let sizes =
        Sizes { organizations: flags.organizations, resources, people: 100, bookings: flags.bookings };
    let mut report = Report {
        title: "Availability: search by need".to_owned(),
        how: vec![stage.settings().await?, seed::load(&stage, sizes).await?, needs_in_words()],
        head: vec!["clients", "what", "p50", "p95", "p99", "p95 to p95 of nothing", "answers"],
        ..Report::default()
    };
    let _quiet = stage.alone()?;
    let time = Duration::from_secs(flags.seconds);
    for clients in flags.clients.iter().copied() {
        let nothing = || Ask { path: "/health/live".to_owned(), token: None, post: None };
        let floor = drive(&stage.ports(), clients, Duration::from_secs(2), nothing).await?;
        statements::reset(&stage).await?;
        let found = drive(&stage.ports(), clients, time, needs(&stage, flags.organizations)).await?;
        report.notes.extend(statements::read(&stage).await?);
        report.faults.extend(stage.faults(found.odd.as_ref())?);
        report.rows.push(row(clients, "GET /health/live", &floor, &floor));
        report.rows.push(row(clients, "GET /api/v1/availability", &found, &floor));
    }
    let (now, most) = stage.replicas[0].memory()?;
    report.how.push(format!("memory of the service afterwards: {now:.0} MB, at most {most:.0} MB"));
    stage.stop().await?;
    Ok(report)
}

fn row(clients: usize, what: &str, answers: &Answers, floor: &Answers) -> Vec<String> {
    let [p50, p95, p99] = answers.times.cells();
    let (own, nothing) = (answers.times.at(950), floor.times.at(950));
    let ratio = ratio(own.as_secs_f64(), nothing.as_secs_f64());
    vec![clients.to_string(), what.to_owned(), p50, p95, p99, ratio, rate(answers.rate(200))]
}

fn needs_in_words() -> String {
    "each search: another organization and person, one of four types, 1 to 20 seats, half with a projector, one in four \
     in one site, 30 to 120 minutes within an afternoon of the next 60 days, 20 answers"
        .to_owned()
}

/// A source of searches.
pub fn needs(stage: &Stage, organizations: u32) -> impl Fn() -> Ask + Send + Sync + 'static + use<> {
    let tokens: Vec<Arc<str>> = (1..=organizations)
        .map(|organization| stage.issuer.token(&names::person(organization, 2, Role::User)).into())
        .collect();
    let base = base();
    move || {
        let mut random = rand::rng();
        let organization = random.random_range(0..tokens.len());
        let day = base + SignedDuration::from_hours(24 * random.random_range(0..60));
        let (from, to) = (day + SignedDuration::from_hours(13), day + SignedDuration::from_hours(18));
        let minutes = 30 * random.random_range(1..=4);
        let kind = ["meeting%20room", "lab", "desk", "vehicle"][random.random_range(0..4)];
        let seats = random.random_range(1..=20);
        let mut path = format!(
            "/api/v1/availability?from={from}&to={to}&duration_minutes={minutes}&type={kind}&seats={seats}&limit=20"
        );
        if random.random_bool(0.5) {
            path.push_str("&amenities=projector");
        }
        if random.random_bool(0.25) {
            let number = u32::try_from(organization).unwrap_or(0) + 1;
            path.push_str(&format!("&location_id={}", names::site(number, random.random_range(0..5))));
        }
        Ask { path, token: Some(tokens[organization].clone()), post: None }
    }
}
