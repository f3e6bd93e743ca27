//! `GET /api/v1/invitations`: those that were neither accepted nor revoked and have not run out.

use axum::extract::State;
use jiff_sqlx::ToSqlx as _;
use kernel::role::UsersManage;
use kernel::{Email, GroupId, InvitationId, Remit, Role, UserId};
use platform::auth::Can;
use platform::http::{Json, Page, PageQuery, Problem, Query};

use super::create_invitation::InvitationBody;
use crate::App;

/// Invitations in the order of their making.
#[utoipa::path(
    get,
    path = "/api/v1/invitations",
    operation_id = "list_invitations",
    tag = "invitations",
    summary = "List open invitations, oldest first",
    params(PageQuery),
    responses(
        (status = 200, description = "A page of invitations", body = Page<InvitationBody>),
        (status = 400, description = "invalid_query, invalid_cursor"),
        (status = 403, description = "permission_required")
    ),
    extensions(("x-permission" = json!("users.manage")))
)]
pub async fn list_invitations(
    actor: Can<UsersManage>,
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<InvitationBody>>, Problem> {
    let after: Option<InvitationId> = query.after()?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    let rows = sqlx::query!(
        r#"select id as "id: InvitationId", email, name, role as "role: Role", groups, remit as "remit: sqlx::types::Json<Remit>",
                  invited_by as "invited_by: UserId", created_at, expires_at
           from users.invitation
           where organization_id = $1 and expires_at > $2 and ($3::uuid is null or id > $3)
           order by id limit $4"#,
        actor.organization.0,
        app.context.clock.now().to_sqlx(),
        after.map(|id| id.0),
        query.limit() + 1,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let mut items = Vec::new();
    for row in rows {
        items.push(InvitationBody {
            id: row.id,
            email: Email::try_from(row.email).map_err(|error| Problem::internal(&error))?,
            name: row.name,
            role: row.role,
            remit: row.remit.map(|remit| remit.0),
            groups: row.groups.into_iter().map(GroupId).collect(),
            invited_by: row.invited_by,
            created_at: row.created_at.to_jiff(),
            expires_at: row.expires_at.to_jiff(),
        });
    }
    Ok(Json(Page::of(items, query.limit(), |item| item.id)))
}
