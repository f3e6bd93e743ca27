//! What callers may ask: a file for each operation.

pub mod list_notifications;
