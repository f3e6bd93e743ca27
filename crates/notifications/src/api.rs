//! What callers may ask: a file for each operation.

pub mod add_suppression;
pub mod get_unread;
pub mod list_attempts;
pub mod list_dead_letters;
pub mod list_notifications;
pub mod list_suppressions;
pub mod mark_read;
pub mod remove_suppression;
pub mod replay_dead_letter;
pub mod replay_dead_letters;
