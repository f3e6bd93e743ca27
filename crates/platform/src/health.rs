//! `/health/live`, `/health/ready` and `/metrics` of a service. The gateway routes none of them to the outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};
use serde::Serialize;

use crate::cache::Cache;
use crate::db::Db;
use crate::http::Json;
use crate::metrics::Metrics;

/// A dependency that does not answer within this time is down.
const TIMEOUT: Duration = Duration::from_secs(2);

/// What a service needs to do its work.
#[derive(Debug)]
pub struct Dependencies {
    /// Without it, the service cannot do its core work.
    pub db: Db,
    /// Without it, the service is slower, and says `degraded`.
    pub cache: Option<Cache>,
    /// What `/metrics` shows.
    pub metrics: Metrics,
}

#[derive(Serialize)]
struct Report {
    status: &'static str,
    dependencies: Vec<Dependency>,
}

#[derive(Serialize)]
struct Dependency {
    name: &'static str,
    up: bool,
    latency_ms: f64,
    /// Of the database: it answers, and takes no writes.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_only: Option<bool>,
}

/// The three operations.
pub fn router(dependencies: Dependencies) -> Router {
    Router::new()
        .route("/health/live", get(|| async { Json(serde_json::json!({ "status": "ok" })) }))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Arc::new(dependencies))
}

async fn ready(State(dependencies): State<Arc<Dependencies>>) -> Response {
    let read_only = AtomicBool::new(false);
    let db = probe("postgresql", async {
        let answer = dependencies.db.is_read_only().await;
        read_only.store(matches!(answer, Ok(true)), Ordering::Relaxed);
        answer.is_ok()
    });
    let cache = async {
        match &dependencies.cache {
            Some(cache) => Some(probe(cache.kind(), cache.answers()).await),
            None => None,
        }
    };
    let (mut db, cache) = tokio::join!(db, cache);
    // What answers no writes still answers reads, so it is kept in rotation.
    let read_only = read_only.into_inner();
    db.read_only = read_only.then_some(true);
    let (status, code) = match (db.up, cache.as_ref().is_none_or(|cache| cache.up)) {
        (false, _) => ("unavailable", StatusCode::SERVICE_UNAVAILABLE),
        (true, _) if read_only => ("read_only", StatusCode::OK),
        (true, true) => ("ready", StatusCode::OK),
        (true, false) => ("degraded", StatusCode::OK),
    };
    let report = Report { status, dependencies: std::iter::once(db).chain(cache).collect() };
    (code, Json(report)).into_response()
}

async fn probe(name: &'static str, check: impl Future<Output = bool>) -> Dependency {
    let started = Instant::now();
    let up = tokio::time::timeout(TIMEOUT, check).await.unwrap_or(false);
    Dependency { name, up, latency_ms: started.elapsed().as_secs_f64() * 1000.0, read_only: None }
}

async fn metrics(State(dependencies): State<Arc<Dependencies>>) -> Response {
    let text = dependencies.metrics.text(&dependencies.db);
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
        .into_response()
}
