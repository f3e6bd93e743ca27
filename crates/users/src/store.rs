//! Queries that two or more slices use.

pub mod accounts;
pub mod api_keys;
pub mod organizations;
pub mod passwords;
pub mod second_factor;
pub mod session_starts;
pub mod sessions;
pub mod signing_keys;
pub mod throttle;
