//! `GET /api/v1/me/sessions`: where the caller is signed in.

use axum::extract::State;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::SessionId;
use kernel::role::ProfileOwn;
use platform::auth::Can;
use platform::http::{Json, Page, PageQuery, Problem, Query};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::device;

/// A session that goes on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct Body {
    /// Its id.
    pub id: SessionId,
    /// What the program that signed in said of itself.
    #[schema(example = "Firefox on Linux")]
    pub device: String,
    /// The address it was last used from.
    #[schema(example = "192.0.2.7")]
    pub address: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it last got new tokens.
    pub last_seen_at: Timestamp,
    /// When it ends, whatever happens.
    pub expires_at: Timestamp,
    /// When it ends unless it gets new tokens.
    pub idle_until: Timestamp,
    /// Whether it is to be remembered.
    pub remembered: bool,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// Lists the caller's sessions, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/me/sessions",
    operation_id = "list_sessions",
    tag = "profile",
    summary = "List one's sessions, newest first",
    params(PageQuery),
    responses(
        (status = 200, description = "A page of sessions that go on", body = Page<Body>),
        (status = 400, description = "invalid_query, invalid_cursor")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn list_sessions(
    actor: Can<ProfileOwn>,
    State(app): State<App>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Body>>, Problem> {
    let before: Option<SessionId> = page.after()?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    let rows = sqlx::query!(
        r#"select id as "id: SessionId", agent, address, created_at, last_seen_at, expires_at, idle_until, remembered
           from users.session
           where organization_id = $1 and user_id = $2 and ended_at is null and expires_at > $3 and idle_until > $3
             and ($4::uuid is null or id < $4)
           order by id desc limit $5"#,
        actor.organization.0,
        actor.user.0,
        app.context.clock.now().to_sqlx(),
        before.map(|id| id.0),
        page.limit() + 1,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let items = rows.into_iter().map(|row| Body {
        id: row.id,
        device: device::name(row.agent.as_deref()),
        address: row.address,
        created_at: row.created_at.to_jiff(),
        last_seen_at: row.last_seen_at.to_jiff(),
        expires_at: row.expires_at.to_jiff(),
        idle_until: row.idle_until.to_jiff(),
        remembered: row.remembered,
        current: row.id == actor.session,
    });
    Ok(Json(Page::of(items.collect(), page.limit(), |session| session.id)))
}
