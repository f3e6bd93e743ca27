//! The gateway on real sockets: the published cases, our own cases, and what no case can say.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod backend;
mod backends;
mod client;
#[path = "../../../otlp/tests/it/collector.rs"]
mod collector;
mod conformance;
mod deploy;
mod errors;
mod gateway;
mod limits;
mod own_cases;
mod passing;
mod raw;
mod telemetry;
mod tokens;
