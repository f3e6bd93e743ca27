//! Creating bookings over HTTP: which resource, when, and by whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use kernel::{Clock as _, Role, SystemClock};
use rand::Rng as _;
use serde_json::json;

use crate::Outcome;
use crate::load::Ask;
use crate::names;
use crate::stage::Stage;

/// People who book.
pub const PEOPLE: u64 = 64;
/// Slots of the one hot resource, in the order of a step that meets each once.
pub const HOT_SLOTS: u64 = 64_800;
/// That step: a prime that does not divide the number.
pub const HOT_STEP: u64 = 7919;

/// Which resources are booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// Any of so many.
    Even(u64),
    /// Any of so many, those with small numbers more often, as they are seeded.
    Popular(u64),
    /// One alone, at ever another time: for two minutes.
    Hot(u64),
}

impl Spread {
    /// How long a booking is, in seconds.
    pub const fn length(self) -> i64 {
        match self {
            Self::Hot(_) => 120,
            Self::Even(_) | Self::Popular(_) => 1800,
        }
    }
}

/// The first slot: tomorrow at midnight, as in the seed.
pub fn base() -> Timestamp {
    const DAY: i64 = 86_400;
    let seconds = SystemClock.now().as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(DAY) + DAY).unwrap_or(Timestamp::MAX)
}

/// Tokens of people who book, good for 15 minutes.
pub fn tokens(stage: &Stage, organization: u32) -> Vec<Arc<str>> {
    // The first is a manager; people of the plain kind book.
    let people = (2..PEOPLE + 2).map(|number| names::person(organization, number, Role::User));
    people.map(|person| stage.issuer.token(&person).into()).collect()
}

/// A source of requests that book.
pub fn requests(stage: &Stage, spread: Spread) -> impl Fn() -> Ask + Send + Sync + 'static + use<> {
    let (tokens, base, turn) = (tokens(stage, 1), base(), AtomicU64::new(0));
    move || {
        let mut random = rand::rng();
        let (resource, slot) = match spread {
            Spread::Even(resources) => (random.random_range(1..=resources), slot(&mut random)),
            Spread::Popular(resources) => {
                let u = random.random_range(0..resources);
                (1 + u * u / resources, slot(&mut random))
            }
            Spread::Hot(resource) => {
                (resource, (turn.fetch_add(1, Ordering::Relaxed) * HOT_STEP % HOT_SLOTS) as i64)
            }
        };
        let token = &tokens[random.random_range(0..tokens.len())];
        let length = SignedDuration::from_secs(spread.length());
        let starts_at = base + SignedDuration::from_secs(slot * spread.length());
        let body = json!({
            "resource_id": names::resource(1, resource), "title": "Review",
            "starts_at": starts_at, "ends_at": starts_at + length,
        });
        let key = format!("{:032x}", random.random::<u128>());
        Ask {
            path: "/api/v1/bookings".to_owned(),
            token: Some(token.clone()),
            post: Some((key, body.to_string())),
        }
    }
}

/// One of the two slots of three that the seed leaves free, of half an hour, within 90 days.
fn slot(random: &mut impl rand::Rng) -> i64 {
    3 * random.random_range(0..1440) + random.random_range(1..=2)
}

/// Bookings of the round that the database has.
pub async fn written(stage: &Stage) -> Outcome<i64> {
    // Only bookings of this run have a key, and it is written in their transaction.
    stage.number("select count(*) from bookings.idempotency_key").await
}
