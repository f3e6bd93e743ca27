//! The notification service on the real PostgreSQL, with peers and mail servers on free ports.
#![expect(clippy::unwrap_used, reason = "test code: a failure is a failed test")]

mod account;
mod crash;
mod deliver;
mod devices;
mod erasure;
mod fates;
mod inbox;
mod letter;
mod list_notifications;
mod on;
mod outbox;
mod preferences;
mod providers;
mod push;
mod push_failures;
mod pushes;
mod schema;
mod sealing;
mod settings;
mod sms;
mod smtp;
mod statistics;
mod templates;
mod vendors;
mod webhooks;
mod world;
