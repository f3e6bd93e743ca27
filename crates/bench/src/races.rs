//! Every pair of operations at one slot, over two replicas, and what the database says of it afterwards.

mod caller;
mod crash;
mod model;
mod operation;
mod round;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use clap::Args;
use futures_util::future::try_join_all;
use sqlx::Executor as _;
use tokio::time::Instant;

use crate::Outcome;
use crate::seed::{self, Sizes};
use crate::stage::{Stage, Tuning};
use crate::table::{Report, ms};
use caller::{Caller, World};
use model::Model;
use operation::Operation;
use round::{Ended, Tally, crowd, pair};

/// Rounds of a crowd at one slot, among so many rounds of pairs.
const CROWDS: u64 = 50;
/// Resources that are fought for, and as many again for each of a pair to come from.
pub const RESOURCES: u64 = 100;
/// Members of the group whose bookings are requests that block nobody.
pub const APPLICANTS: std::ops::Range<u64> = 100..164;
/// The people who wait for a time that is given up.
pub const WAITING: std::ops::Range<u64> = 200..1200;

/// How many, and whether something is killed meanwhile.
#[derive(Debug, Clone, Args)]
pub struct Flags {
    /// Rounds, each of one pair of operations at a slot of its own.
    #[arg(long, default_value_t = 720)]
    rounds: u64,
    /// Clients at once.
    #[arg(long, default_value_t = 64)]
    clients: usize,
    /// Kill a replica and PostgreSQL meanwhile, and start them again.
    #[arg(long)]
    kill: bool,
}

impl Flags {
    /// Without and with kills, small enough for a minute.
    pub fn all() -> [Self; 2] {
        [false, true].map(|kill| Self { rounds: if kill { 280 } else { 720 }, clients: 64, kill })
    }
}

/// Races.
pub async fn run(flags: &Flags, tuning: &Tuning) -> Outcome<Report> {
    let mut stage = Stage::start(2, tuning).await?;
    let sizes = Sizes { organizations: 1, resources: 3 * RESOURCES, people: WAITING.end, bookings: 0 };
    seed::load(&stage, sizes).await?;
    stage.owner().await?.execute(sqlx::raw_sql(include_str!("races/applicants.sql"))).await?;
    let world = World {
        ports: stage.ports(),
        issuer: stage.issuer.clone(),
        kills: flags.kill,
        model: Model::default(),
    };
    let world = Arc::new(world);
    let mut report = Report::default();
    let operations = operations(&world, &mut report).await?;
    let started = Instant::now();
    let done = AtomicBool::new(false);
    let crashes = crash::every_few_seconds(&mut stage, flags.kill, &done);
    let rounds = async {
        let ended = rounds(&world, flags, &operations).await;
        done.store(true, Ordering::Relaxed);
        ended
    };
    let (ended, crashes) = tokio::join!(rounds, crashes);
    let (tally, crashes) = (ended?, crashes?);
    report.title = format!(
        "Races: every pair of operations at one slot{}",
        if flags.kill { ", with kill -9" } else { "" }
    );
    report.how = vec![
        stage.settings().await?,
        format!(
            "two replicas, {} clients; {} rounds in {} s",
            flags.clients,
            flags.rounds,
            started.elapsed().as_secs()
        ),
        format!("killed meanwhile: {crashes}"),
    ];
    report.head = vec!["pair", "rounds", "one winner", "cut by a kill", "slowest pair of answers"];
    report.rows = rows(&tally.ended);
    report.faults.extend(tally.faults);
    report.faults.extend(model::faults(&world, &stage, &tally.places, flags.kill).await?);
    report.rows.push(vec![
        "bookings in the model, and in the database".to_owned(),
        model::size(&world).to_string(),
        "agree".to_owned(),
        String::new(),
        String::new(),
    ]);
    let deadlocks = stage.number("select sum(deadlocks)::bigint from pg_stat_database").await?;
    report.how.push(format!(
        "deadlocks that PostgreSQL resolved, and the service ran again, since the last kill: {deadlocks}"
    ));
    if !report.faults.is_empty() {
        report.rows.pop();
    }
    stage.stop().await?;
    Ok(report)
}

/// All that the service has. A series is none while its route is not there.
async fn operations(world: &Arc<World>, report: &mut Report) -> Outcome<Vec<Operation>> {
    let mut caller = Caller::new(world.clone(), 0);
    let mut operations = Operation::ALL.to_vec();
    let status = operation::probe_series(&mut caller).await?;
    if status != 201 {
        operations.retain(|operation| *operation != Operation::Series);
    }
    if !matches!(status, 201 | 404 | 405) {
        report
            .faults
            .push(format!("a series is answered {status}: races/operation.rs does not know its request"));
    }
    Ok(operations)
}

async fn rounds(world: &Arc<World>, flags: &Flags, operations: &[Operation]) -> Outcome<Tally> {
    let places = operations.iter().enumerate();
    let pairs: Arc<Vec<[Operation; 2]>> =
        Arc::new(places.flat_map(|(at, one)| operations[at..].iter().map(|other| [*one, *other])).collect());
    let (next, total) = (Arc::new(AtomicU64::new(0)), flags.rounds);
    let workers = (0..flags.clients.div_ceil(2)).map(|_| {
        let (world, pairs, next) = (world.clone(), pairs.clone(), next.clone());
        tokio::spawn(async move {
            let mut callers = [0, 1].map(|replica| Caller::new(world.clone(), replica));
            let mut tally = Tally::default();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= total {
                    return Ok::<_, Box<dyn std::error::Error + Send + Sync>>(tally);
                }
                let operations = pairs[usize::try_from(number)? % pairs.len()];
                pair(&mut callers, number, operations, &mut tally).await?;
            }
        })
    });
    let mut tally = Tally::default();
    for part in try_join_all(workers).await? {
        tally.add(part?);
    }
    for number in 0..total.div_ceil(CROWDS) {
        crowd(world, total + number, flags.clients, &mut tally).await?;
    }
    Ok(tally)
}

fn rows(ended: &BTreeMap<String, Ended>) -> Vec<Vec<String>> {
    let cells = |(pair, ended): (&String, &Ended)| {
        vec![
            pair.clone(),
            ended.rounds.to_string(),
            ended.right.to_string(),
            ended.cut.to_string(),
            ms(ended.slowest),
        ]
    };
    ended.iter().map(cells).collect()
}
