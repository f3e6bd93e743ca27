//! What the clients were told, and whether the database agrees.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;
use sqlx::Row as _;

use super::caller::World;
use super::operation::Place;
use crate::Outcome;
use crate::stage::Stage;

/// A booking as somebody was told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    version: i64,
    status: String,
    resource: String,
    starts_at: Timestamp,
    ends_at: Timestamp,
}

/// All that was acknowledged, by the booking's id.
#[derive(Default)]
pub struct Model {
    told: Mutex<BTreeMap<String, Told>>,
    /// Bookings that a request was on its way to when something was killed.
    doubted: Mutex<BTreeSet<String>>,
}

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn told(booking: &Value) -> Option<Told> {
    Some(Told {
        version: booking["version"].as_i64()?,
        status: booking["status"].as_str()?.to_owned(),
        resource: booking["resources"][0]["resource_id"].as_str()?.to_owned(),
        starts_at: booking["starts_at"].as_str()?.parse().ok()?,
        ends_at: booking["ends_at"].as_str()?.parse().ok()?,
    })
}

impl Model {
    /// Remembers a booking that an answer shows, unless something newer is known.
    pub fn hear(&self, answer: &Value) {
        for booking in answer["bookings"].as_array().into_iter().flatten() {
            self.hear(booking);
        }
        let (Some(id), Some(heard)) = (answer["id"].as_str(), told(answer)) else { return };
        let mut told = open(&self.told);
        let is_news = told.get(id).is_none_or(|known| known.version < heard.version);
        if is_news {
            told.insert(id.to_owned(), heard);
        }
    }

    /// Remembers that a request was cut.
    pub fn doubt(&self, id: &str) {
        open(&self.doubted).insert(id.to_owned());
    }
}

/// How many bookings were told of.
pub fn size(world: &World) -> usize {
    open(&world.model.told).len()
}

/// Every way in which the database says something else than the clients were told, or breaks the one invariant.
pub async fn faults(
    world: &World,
    stage: &Stage,
    places: &[(Place, bool)],
    kills: bool,
) -> Outcome<Vec<String>> {
    let mut faults = Vec::new();
    let overlaps = stage
        .number(
            "select count(*) from (select ends_at > lead(starts_at) over (partition by organization_id, unit_id
                                                                          order by starts_at, ends_at) as bad
                                   from bookings.claim where live) claim where bad",
        )
        .await?;
    if overlaps > 0 {
        faults.push(format!("{overlaps} live claims overlap"));
    }
    let broken = stage
        .number(
            "select count(*) from (select sum(1) as events, max(stream_version) as last from bookings.event
                                   group by organization_id, stream_id) stream where events <> last",
        )
        .await?;
    if broken > 0 {
        faults.push(format!("{broken} streams of events have gaps"));
    }
    faults.extend(disagreements(world, stage).await?);
    faults.extend(holders(stage, places, kills).await?);
    Ok(faults)
}

/// Bookings that were acknowledged and are not there, or are there otherwise; and those nobody was told of.
async fn disagreements(world: &World, stage: &Stage) -> Outcome<Vec<String>> {
    let rows = sqlx::query(
        "select b.id::text, b.version, b.status, r.resource_id::text, to_jsonb(b.starts_at) #>> '{}',
                to_jsonb(b.ends_at) #>> '{}',
                exists (select from bookings.waitlist_entry w where w.organization_id = b.organization_id
                        and w.booking_id = b.id) or b.terms ? 'waitlist' as offered
         from bookings.booking b
         join bookings.booking_resource r on r.organization_id = b.organization_id and r.booking_id = b.id",
    );
    let rows = rows.fetch_all(&mut stage.owner().await?).await?;
    let (mut told, doubted) = (open(&world.model.told).clone(), open(&world.model.doubted).clone());
    let mut faults = Vec::new();
    for row in rows {
        let (id, offered): (String, bool) = (row.try_get(0)?, row.try_get(6)?);
        let (starts_at, ends_at): (String, String) = (row.try_get(4)?, row.try_get(5)?);
        let found = Told {
            version: row.try_get(1)?,
            status: row.try_get(2)?,
            resource: row.try_get(3)?,
            starts_at: starts_at.parse()?,
            ends_at: ends_at.parse()?,
        };
        let Some(known) = told.remove(&id) else {
            // An offer is told to who waits, not to who cancelled.
            if !offered {
                faults.push(format!("nobody was told of booking {id}: {found:?}"));
            }
            continue;
        };
        // Another request for the time was approved, and this one rejected with it.
        let rejected =
            known.status == "pending" && found.status == "rejected" && found.version == known.version + 1;
        let late = doubted.contains(&id) && found.version > known.version;
        if known != found && !rejected && !late {
            faults.push(format!("booking {id} is {found:?}, its clients were told {known:?}"));
        }
    }
    faults.extend(told.into_iter().map(|(id, known)| format!("booking {id} is lost: {known:?}")));
    Ok(faults)
}

/// Of every slot, the middle is one booking's: nobody lost it, and no two have it.
async fn holders(stage: &Stage, places: &[(Place, bool)], kills: bool) -> Outcome<Vec<String>> {
    let mut owner = stage.owner().await?;
    let mut faults = Vec::new();
    for (place, cut) in places {
        let count = sqlx::query(
            "select count(*) from bookings.claim c join bookings.unit u on u.organization_id = c.organization_id
                 and u.id = c.unit_id
             where u.resource_id = $1 and c.live and c.starts_at < to_timestamp($3) and c.ends_at > to_timestamp($2)",
        );
        let (from, to) = (place.minute(16).as_second() as f64, place.minute(29).as_second() as f64);
        let count: i64 =
            count.bind(place.resource.0).bind(from).bind(to).fetch_one(&mut owner).await?.try_get(0)?;
        let right = count == 1 || *cut && kills && count == 0;
        if !right {
            faults.push(format!("{count} bookings hold {} at {}", place.resource, place.at));
        }
    }
    Ok(faults)
}
