//! What a measurement starts from: a catalogue, people, rules, and bookings, loaded as the schema's owner.

use sqlx::{AssertSqlSafe, Executor as _, PgConnection};
use tokio::time::Instant;

use crate::Outcome;
use crate::stage::Stage;

/// Bookings loaded at a time.
const BATCH: u64 = 400_000;

/// How much of everything.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Tenants.
    pub organizations: u32,
    /// Resources of each.
    pub resources: u64,
    /// People of each; the first is a manager.
    pub people: u64,
    /// Bookings of all.
    pub bookings: u64,
}

/// Fills the schema, and says how that went. Secondary indexes and the exclusion constraint are put away for the time
/// and built at the end, and foreign keys are not checked row by row: the constraint checks all of it when it returns.
pub async fn load(stage: &Stage, sizes: Sizes) -> Outcome<String> {
    let started = Instant::now();
    let mut owner = stage.owner().await?;
    sqlx::raw_sql(include_str!("seed.sql")).execute(&mut owner).await?;
    owner.execute("set session_replication_role = replica").await?;
    let Sizes { organizations, resources, people, bookings } = sizes;
    run(&mut owner, format!("call bench.catalogue({organizations}, {resources}, {people})")).await?;
    run(&mut owner, "call bench.put_away()".to_owned()).await?;
    let each = bookings / u64::from(organizations);
    for organization in 1..=organizations {
        for (first, last) in batches(resources, each) {
            let plan = format!("call bench.plan({organization}, {resources}, {each}, {first}, {last})");
            run(&mut owner, plan).await?;
            run(&mut owner, format!("call bench.spread({people})")).await?;
        }
    }
    run(&mut owner, "call bench.put_back()".to_owned()).await?;
    for statement in
        ["vacuum analyze bookings.booking, bookings.booking_resource, bookings.claim", "checkpoint"]
    {
        run(&mut owner, statement.to_owned()).await?;
    }
    let claims = stage.number("select count(*) from bookings.claim").await?;
    Ok(format!(
        "{organizations} organizations of {resources} resources, {people} people each; {claims} bookings there already, \
         loaded in {} s",
        started.elapsed().as_secs()
    ))
}

/// Ranges of resources with about so many bookings each; the popular come first and fill a batch sooner.
fn batches(resources: u64, bookings: u64) -> Vec<(u64, u64)> {
    let steps = bookings.div_ceil(BATCH).max(1);
    // The first r resources have a share of the root of r: equal shares end at the squares.
    let end = |step: u64| (resources * step * step) / (steps * steps);
    (0..steps).map(|step| (end(step) + 1, end(step + 1))).filter(|(first, last)| first <= last).collect()
}

async fn run(owner: &mut PgConnection, statement: String) -> Outcome {
    owner.execute(AssertSqlSafe(statement)).await?;
    Ok(())
}
