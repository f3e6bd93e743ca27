//! The platform on the real PostgreSQL and Redis, through a service that does nothing but show it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod authentication;
mod cache;
mod feed;
mod idempotency;
mod migrations;
mod notes;
mod postgres;
mod stack;
