//! The gateway on one core, load and backend on the other: processor time a request, against nginx in the same run.

mod backend;
mod connections;
mod drive;
mod process;
mod routes;
mod trouble;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use kernel::{OrganizationId, Role, SystemClock};
use tempfile::TempDir;
use testkit::{Issuer, Person};
use tokio::process::Command;

pub use connections::run as connections;

use crate::Outcome;
use crate::stage::Tuning;
use crate::table::{Report, median, ms, rate, ratio};
use drive::{Pace, Told, drive, get};
use process::{Pinned, arguments, free_port};
use routes::Case;

/// How much and how long.
#[derive(Debug, Clone, Args)]
pub struct Flags {
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Requests a second at which processor time is compared.
    #[arg(long, default_value_t = 2000)]
    rate: u32,
    /// Connections that ask.
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// How often nginx and the gateway are measured in turn; the middle counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// The binary to measure, such as `target/dist/reservas-gateway`; absent, the one beside this program.
    #[arg(long)]
    gateway: Option<PathBuf>,
    /// The binary of another build (`reservas-gateway` or `reservas`), measured in turn with this one.
    #[arg(long)]
    against: Option<PathBuf>,
}

impl Default for Flags {
    fn default() -> Self {
        Self { seconds: 4, rate: 2000, connections: 32, rounds: 3, gateway: None, against: None }
    }
}

impl Flags {
    fn pace(&self, rate: Option<f64>) -> Pace {
        Pace { connections: self.connections, rate, time: Duration::from_secs(self.seconds) }
    }
}

/// What is around the gateway.
struct Scene {
    folder: TempDir,
    backend: u16,
    collector: u16,
    issuer: Issuer,
    binary: PathBuf,
}

impl Scene {
    async fn set(flags: &Flags) -> Outcome<Self> {
        let folder = tempfile::Builder::new().prefix("reservas-bench-").tempdir()?;
        let binary = flags.gateway.clone().map_or_else(process::gateway, Ok)?;
        let backend = backend::start().await?;
        let issuer = Issuer::start(Arc::new(SystemClock)).await;
        let collector = backend::collector().await?;
        process::stay_aside().await?;
        Ok(Self { folder, backend, collector, issuer, binary })
    }

    fn cases(&self) -> Vec<Case> {
        Case::all(self.backend, self.issuer.base(), self.collector)
    }

    async fn gateway(&self, routes: &Path) -> Outcome<Pinned> {
        self.start(&self.binary, routes, "error").await
    }

    async fn start(&self, binary: &Path, routes: &Path, level: &str) -> Outcome<Pinned> {
        let (port, file) = (free_port()?, routes.display().to_string());
        let log = self.folder.path().join("gateway.log");
        Pinned::start(binary, &arguments(binary, "run", &file), port, (&log, level)).await
    }

    async fn nginx(&self) -> Outcome<Pinned> {
        let port = free_port()?;
        let file = routes::nginx(self.folder.path(), port, self.backend)?.display().to_string();
        let log = self.folder.path().join("nginx.log");
        let home = self.folder.path().display().to_string();
        // As root, nginx would give its worker to a user who cannot write into the folder.
        let started =
            Pinned::start(Path::new("/usr/sbin/nginx"), &["-p", &home, "-c", &file], port, (&log, "")).await;
        started.map_err(|error| {
            format!("nginx, the baseline: {error} (install it with scripts/provide nginx)").into()
        })
    }

    /// Whether this build takes the route file.
    async fn takes(&self, routes: &Path) -> Outcome<bool> {
        let file = routes.display().to_string();
        let mut command = Command::new(&self.binary);
        command.args(arguments(&self.binary, "check", &file)).env_clear();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command.status().await?.success())
    }

    fn token(&self) -> String {
        self.issuer.token(&Person::new(OrganizationId::mint(), Role::User))
    }
}

/// Processor time a request in µs, and what was told.
async fn measure(server: &Pinned, request: &Arc<[u8]>, pace: Pace) -> Outcome<(f64, Told)> {
    // Connections, keys and caches are there before it counts.
    drive(server.port, request, Pace { time: Duration::from_millis(500), ..pace }).await?;
    let before = server.cpu()?;
    let told = drive(server.port, request, pace).await?;
    let spent = server.cpu()?.saturating_sub(before);
    Ok((spent.as_secs_f64() * 1e6 / told.times.count().max(1) as f64, told))
}

/// Measures.
pub async fn run(flags: &Flags, tuning: &Tuning) -> Outcome<Report> {
    let _alone = tuning.lock()?;
    let scene = Scene::set(flags).await?;
    let cases = scene.cases();
    let mut report = Report {
        title: "The gateway against nginx: processor time a request".to_owned(),
        how: vec![
            format!(
                "one core for gateway or nginx, the other for load and backend; {} connections, {} requests a second, {} s each",
                flags.connections, flags.rate, flags.seconds
            ),
            "nginx: one worker, reverse proxy with kept connections, no access log; answers of 300 bytes"
                .to_owned(),
        ],
        head: vec!["what", "CPU-µs a request", "to nginx", "p50", "p99"],
        ..Report::default()
    };
    let base = in_turn(&scene, flags, &cases, &mut report).await?;
    let token = scene.token();
    for case in cases.iter().skip(1) {
        let file = case.write(scene.folder.path())?;
        if !scene.takes(&file).await? {
            report.rows.push(vec![
                case.name.into(),
                "not measured: refused".into(),
                "–".into(),
                "–".into(),
                "–".into(),
            ]);
            continue;
        }
        let server = scene.start(&scene.binary, &file, case.log).await?;
        let pace = flags.pace(Some(flags.rate.into()));
        let (cost, told) = measure(&server, &get(case.path, Some(&token)), pace).await?;
        note(&mut report, case.name, cost, base, &told);
    }
    saturation(&scene, flags, &cases, &mut report).await?;
    trouble::add(&scene, flags, &mut report).await?;
    Ok(report)
}

fn note(report: &mut Report, name: &str, cost: f64, base: f64, told: &Told) {
    let (p50, p99) = (ms(told.times.at(500)), ms(told.times.at(990)));
    report.rows.push(vec![name.to_owned(), format!("{cost:.1}"), ratio(cost, base), p50, p99]);
    report.faults.extend(told.odd().map(|odd| format!("{name}: {odd}")));
}

/// nginx and the first case in turn, so that a noisy neighbour meets both; gives what nginx needs.
async fn in_turn(scene: &Scene, flags: &Flags, cases: &[Case], report: &mut Report) -> Outcome<f64> {
    let case = cases.first().ok_or("no case")?;
    let (request, pace) = (get(case.path, None), flags.pace(Some(flags.rate.into())));
    let file = case.write(scene.folder.path())?;
    let mut all =
        vec![("nginx".to_owned(), scene.nginx().await?), (case.name.to_owned(), scene.gateway(&file).await?)];
    if let Some(other) = &flags.against {
        all.push((format!("{}, {}", case.name, other.display()), scene.start(other, &file, "error").await?));
    }
    let mut measured: Vec<(Vec<f64>, Told)> = all.iter().map(|_| Default::default()).collect();
    for _ in 0..flags.rounds.max(1) {
        for ((_, server), (costs, last)) in all.iter().zip(&mut measured) {
            let (cost, told) = measure(server, &request, pace).await?;
            costs.push(cost);
            *last = told;
        }
    }
    let mut base = 0.0;
    for (place, ((name, _), (costs, told))) in all.iter().zip(measured).enumerate() {
        let cost = median(costs);
        base = if place == 0 { cost } else { base };
        note(report, name, cost, base, &told);
    }
    Ok(base)
}

/// As much as it takes, and how it answers half of that.
async fn saturation(scene: &Scene, flags: &Flags, cases: &[Case], report: &mut Report) -> Outcome {
    let case = cases.first().ok_or("no case")?;
    let request = get(case.path, None);
    let file = case.write(scene.folder.path())?;
    for (name, server) in [("nginx", scene.nginx().await?), (case.name, scene.gateway(&file).await?)] {
        let (cost, told) = measure(&server, &request, flags.pace(None)).await?;
        let most = told.times.count() as f64 / told.took.as_secs_f64();
        note(report, &format!("{name}, all it takes: {}", rate(most)), cost, 0.0, &told);
        let (cost, told) = measure(&server, &request, flags.pace(Some(most / 2.0))).await?;
        note(report, &format!("{name}, at half of it"), cost, 0.0, &told);
    }
    Ok(())
}
