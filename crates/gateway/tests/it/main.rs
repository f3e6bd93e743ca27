//! The gateway on real sockets: the published cases, our own cases, and what no case can say.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod backend;
mod backends;
mod cache;
mod certificates;
mod client;
#[path = "../../../otlp/tests/it/collector.rs"]
mod collector;
mod compression;
mod conformance;
mod deploy;
mod discovery;
mod errors;
mod fuzzing;
mod gateway;
mod hostile;
mod hosts;
mod http2;
mod key_sources;
mod limits;
mod own_cases;
mod passing;
mod raw;
mod read_only;
mod redis;
mod reload;
mod scripted;
mod shared_limits;
mod stalled;
mod telemetry;
mod tls;
mod tokens;
mod versions;
mod websocket;
