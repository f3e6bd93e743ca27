//! What must agree across the workspace: documents, routes, error codes.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod documents;
mod errors;
mod gateway;
mod permissions;
mod routes;
mod workspace;
