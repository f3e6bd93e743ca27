//! The product from end to end: a real `reservas all`, spoken to through its gateway alone.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod accounts;
mod authorization;
mod client;
#[path = "../../../otlp/tests/it/collector.rs"]
mod collector;
mod correlation;
mod documentation;
mod installation;
mod journey;
mod letters;
mod live;
mod organizations;
mod overview;
mod privacy;
mod provisioning;
mod read_only;
mod readme;
mod real_data;
mod remit;
mod sight;
mod single_sign_on;
mod starting;
mod survival;
mod told;
mod traces;
