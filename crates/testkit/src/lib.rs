//! For tests: a service on the real PostgreSQL, a clock moved by hand, actors with real tokens.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a failure is a failed test"
)]

mod app;
mod client;
mod clock;
mod database;
mod identity_provider;
mod issuer;
mod played;
mod push_server;
mod stream;
mod vendors;

pub use app::{TestApp, unprotected_tables};
pub use client::{Call, Reply};
pub use clock::ManualClock;
pub use database::{database, empty_database, variable};
pub use identity_provider::{CLIENT_ID, CLIENT_SECRET, IdentityProvider};
pub use issuer::{Issuer, Person};
pub use played::Played;
pub use push_server::PushServer;
pub use stream::{EventStream, Told};
pub use vendors::{Aws, Vendors};
