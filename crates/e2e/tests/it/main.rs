//! The product from end to end: a real `reservas all`, spoken to through its gateway alone.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod accounts;
mod authorization;
mod client;
mod correlation;
mod documentation;
mod installation;
mod journey;
mod live;
mod readme;
mod real_data;
mod starting;
mod survival;
