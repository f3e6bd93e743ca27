//! `GET /health/read-only`: whether writes are refused in the whole installation; gateways ask, the world cannot.

use axum::extract::State;
use jiff::Timestamp;
use platform::http::{Json, Problem};
use serde::Serialize;

use crate::App;
use crate::store::read_only;

/// What gateways are told.
#[derive(Debug, Serialize)]
pub struct Told {
    read_only: bool,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
}

/// Tells it.
///
/// # Errors
/// When the database fails.
pub async fn get_read_only(State(app): State<App>) -> Result<Json<Told>, Problem> {
    let order = read_only::load(&app.context.db).await?;
    Ok(Json(Told {
        read_only: order.is_some(),
        retry_after: order.as_ref().map(|order| order.retry_after_seconds),
        since: order.as_ref().map(|order| order.since),
        reason: order.and_then(|order| order.reason),
    }))
}
