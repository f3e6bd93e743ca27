//! The booking service on the real PostgreSQL, through its real router.
#![expect(clippy::unwrap_used, reason = "test code")]

mod availability;
mod catalogue;
mod create;
mod harness;
mod life;
mod moving;
mod races;
mod schema;
