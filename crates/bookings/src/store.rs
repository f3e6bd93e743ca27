//! Queries that two or more slices use: resources, bookings, and the one path that writes claims.

pub mod alternatives;
pub mod approvals;
pub mod blackouts;
pub mod bookings;
pub mod calendar;
pub mod claims;
pub mod conflicts;
pub mod credits;
pub mod erasure;
pub mod expiry;
pub mod guests;
pub mod hindsight;
pub mod known;
pub mod leaving;
pub mod live;
pub mod past;
pub mod quotas;
pub mod recheck;
pub mod report_rows;
pub mod reports;
pub mod resources;
pub mod rules;
pub mod series;
pub mod told;
pub mod waitlist;
pub mod write;
