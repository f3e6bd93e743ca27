//! `GET /api/v1/groups`: the groups of the organization.

use axum::extract::State;
use kernel::GroupId;
use kernel::role::UsersRead;
use platform::auth::Can;
use platform::http::{Json, Page, PageQuery, Problem, Query};
use uuid::Uuid;

use super::create_group::GroupBody;
use crate::App;

/// Groups in the order of their making. Who is in one, `list_users` and `get_user` tell.
#[utoipa::path(
    get,
    path = "/api/v1/groups",
    operation_id = "list_groups",
    tag = "groups",
    summary = "List groups",
    params(PageQuery),
    responses((status = 200, description = "A page of groups", body = Page<GroupBody>)),
    extensions(("x-permission" = json!("users.read")))
)]
pub async fn list_groups(
    actor: Can<UsersRead>,
    State(app): State<App>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<GroupBody>>, Problem> {
    let after: Option<Uuid> = page.after()?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    let rows = sqlx::query!(
        r#"select id, name, rule, rule_due, (select count(*) from users.membership m
                             where m.organization_id = g.organization_id and m.group_id = g.id) as "members!"
           from users.user_group g where organization_id = $1 and ($2::uuid is null or id > $2) order by id limit $3"#,
        actor.organization.0,
        after,
        page.limit() + 1,
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        let rule = row.rule.map(serde_json::from_value).transpose();
        let rule = rule.map_err(|error| Problem::internal(&error))?;
        let (id, rule_pending) = (GroupId(row.id), row.rule_due);
        items.push(GroupBody { id, name: row.name, members: row.members, rule, rule_pending });
    }
    Ok(Json(Page::of(items, page.limit(), |item: &GroupBody| item.id)))
}
