//! Queries that two or more slices use.

pub mod accounts;
pub mod organizations;
pub mod sessions;
pub mod settings;
pub mod signing_keys;
