//! What callers may ask: a file for each operation.

pub mod get_unread;
pub mod list_notifications;
pub mod mark_read;
