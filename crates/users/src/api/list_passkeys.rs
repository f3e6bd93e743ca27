//! `GET /api/v1/me/passkeys`: the caller's passkeys.

use axum::extract::State;
use kernel::PasskeyId;
use kernel::role::ProfileOwn;
use platform::auth::Can;
use platform::http::{Json, Page, PageQuery, Problem, Query};

use super::add_passkey::Body;
use crate::App;
use crate::passkey;

/// Lists the caller's passkeys, oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/me/passkeys",
    operation_id = "list_passkeys",
    tag = "profile",
    summary = "List one's passkeys, oldest first",
    params(PageQuery),
    responses(
        (status = 200, description = "A page of passkeys", body = Page<Body>),
        (status = 400, description = "invalid_query, invalid_cursor")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn list_passkeys(
    actor: Can<ProfileOwn>,
    State(app): State<App>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Body>>, Problem> {
    let after: Option<PasskeyId> = page.after()?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    let rows = sqlx::query!(
        r#"select id as "id: PasskeyId", name, state, created_at, last_used_at from users.passkey
           where organization_id = $1 and user_id = $2 and ($3::uuid is null or id > $3) order by id limit $4"#,
        actor.organization.0,
        actor.user.0,
        after.map(|id| id.0),
        page.limit() + 1,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let items = rows.into_iter().map(|row| Body {
        id: row.id,
        name: row.name,
        synced: passkey::is_synced(&row.state),
        created_at: row.created_at.to_jiff(),
        last_used_at: row.last_used_at.map(|at| at.to_jiff()),
    });
    Ok(Json(Page::of(items.collect(), page.limit(), |passkey| passkey.id)))
}
