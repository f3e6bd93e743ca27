//! Queries that two or more slices use.

pub mod account_batches;
pub mod accounts;
pub mod api_keys;
pub mod identities;
pub mod letters;
pub mod organizations;
pub mod passwords;
pub mod read_only;
pub mod second_factor;
pub mod session_starts;
pub mod sessions;
pub mod settings;
pub mod sign_on_accounts;
pub mod sign_on_flows;
pub mod signing_keys;
pub mod single_sign_on;
pub mod throttle;
