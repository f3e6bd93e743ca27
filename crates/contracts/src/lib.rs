//! What crosses a process boundary: events and cross-service bodies, a module per publishing service.
//!
//! It changes only by addition: an old snapshot of every event must still deserialize. Personal data stays out of
//! events; ids stand for it.

pub mod bookings;
pub mod resources;
pub mod rules;
pub mod users;
