//! Queries that two or more slices use.

pub mod account_batches;
pub mod accounts;
pub mod letters;
pub mod organizations;
pub mod read_only;
pub mod sessions;
pub mod settings;
pub mod signing_keys;
