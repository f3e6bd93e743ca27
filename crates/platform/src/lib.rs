//! I/O that any product needs: configuration, logs, HTTP, authentication, PostgreSQL, events, caches, health.
//!
//! No business noun lives here; an unrelated product could use this crate unchanged.

pub mod audit;
pub mod auth;
pub mod cache;
pub mod config;
pub mod csv;
pub mod data_dir;
pub mod db;
pub mod events;
pub mod health;
pub mod http;
pub mod idempotency;
pub mod internal;
pub mod metrics;
pub mod openapi;
pub mod personal_data;
pub mod postgres;
pub mod remote;
pub mod sealing;
pub mod service;
pub mod telemetry;
