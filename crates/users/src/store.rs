//! Queries that two or more slices use.

pub mod account_batches;
pub mod accounts;
pub mod api_keys;
pub mod group_rules;
pub mod letters;
pub mod memberships;
pub mod organizations;
pub mod passwords;
pub mod read_only;
pub mod scim_groups;
pub mod scim_users;
pub mod second_factor;
pub mod session_starts;
pub mod sessions;
pub mod settings;
pub mod signing_keys;
pub mod throttle;
