//! The booking service on the real PostgreSQL, through its real router.
#![expect(clippy::unwrap_used, reason = "test code")]

mod approvals;
mod as_of;
mod audit;
mod availability;
mod blackouts;
mod catalogue;
mod changes;
mod conflicts;
mod create;
mod credits;
mod dry_run;
mod erasure;
mod guests;
mod harness;
mod life;
mod live;
mod moving;
mod pairs;
mod races;
mod remit;
mod reports;
mod rules;
mod schedules;
mod schema;
mod series;
mod sight;
mod waitlist;
