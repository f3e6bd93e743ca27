//! The binary's parts: its settings, the wiring of the services, and its commands.

pub mod all;
pub mod commands;
pub mod console;
pub mod docs;
pub mod launch;
pub mod openapi;
pub mod secret_file;
pub mod settings;
pub mod wiring;
