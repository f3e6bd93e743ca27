//! Queries that two or more slices use.

pub mod accounts;
pub mod organizations;
pub mod read_only;
pub mod sessions;
pub mod signing_keys;
