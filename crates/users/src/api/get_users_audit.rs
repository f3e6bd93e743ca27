//! `GET /api/v1/audit/users`: sign-ins, roles, keys, settings and whatever else happened to accounts, the newest first; also as a file.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use kernel::role::AuditRead;
use platform::audit::{self, AuditEntry, Filter};
use platform::auth::Can;
use platform::http::{Page, Problem, Query};

use crate::App;

/// Everything that happened, the newest first.
#[utoipa::path(
    get,
    path = "/api/v1/audit/users",
    operation_id = "get_users_audit",
    tag = "audit",
    summary = "See everything that happened to accounts, sessions, keys and settings",
    description = "A page, or with `format` (or `Accept: text/csv`, `application/x-ndjson`) all of it as a file.",
    params(Filter),
    responses(
        (status = 200, description = "A page of events, or the file", body = Page<AuditEntry>),
        (status = 400, description = "invalid_query, invalid_cursor")
    ),
    extensions(("x-permission" = json!("audit.read")))
)]
pub async fn get_users_audit(
    actor: Can<AuditRead>,
    State(app): State<App>,
    headers: HeaderMap,
    Query(filter): Query<Filter>,
) -> Result<Response, Problem> {
    audit::answer(&app.context.db, actor.organization, &headers, filter).await
}
