//! Queries that two or more slices use: resources, bookings, and the one path that writes claims.

pub mod alternatives;
pub mod approvals;
pub mod blackouts;
pub mod bookings;
pub mod calendar;
pub mod claims;
pub mod expiry;
pub mod known;
pub mod quotas;
pub mod resources;
pub mod rules;
pub mod series;
pub mod told;
pub mod waitlist;
pub mod write;
