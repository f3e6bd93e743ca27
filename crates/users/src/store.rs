//! Queries that two or more slices use.

pub mod account_batches;
pub mod accounts;
pub mod api_keys;
pub mod archive;
pub mod erasure;
pub mod identities;
pub mod leftovers;
pub mod letters;
pub mod organizations;
pub mod passkeys;
pub mod passwords;
pub mod read_only;
pub mod sealed;
pub mod second_factor;
pub mod session_starts;
pub mod sessions;
pub mod settings;
pub mod sign_on_accounts;
pub mod sign_on_flows;
pub mod signing_keys;
pub mod single_sign_on;
pub mod slugs;
pub mod throttle;
