//! Queries that two or more slices use.

pub mod accounts;
pub mod contents;
pub mod events;
pub mod names;
pub mod parts;
pub mod places;
pub mod sight;
pub mod states;
pub mod write;
