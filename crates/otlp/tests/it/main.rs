//! Spans on their way to a receiver that decodes them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod collector;
mod sending;
