//! `PUT /api/v1/groups/{id}/members/{user_id}`: somebody comes into a group.

use axum::extract::State;
use http::StatusCode;
use kernel::role::GroupsManage;
use kernel::{GroupId, UserId};
use platform::auth::Can;
use platform::db::OnConstraint as _;
use platform::events::Origin;
use platform::http::{Path, Problem};

use crate::App;
use crate::store::accounts;

/// Adds a member; the account's version grows, and other services hear of it.
#[utoipa::path(
    put,
    path = "/api/v1/groups/{id}/members/{user_id}",
    operation_id = "add_member",
    tag = "groups",
    summary = "Put somebody into a group",
    params(
        ("id" = GroupId, Path, description = "The group"),
        ("user_id" = UserId, Path, description = "The account")
    ),
    responses(
        (status = 204, description = "In it, now or before"),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("groups.manage")))
)]
pub async fn add_member(
    actor: Can<GroupsManage>,
    State(app): State<App>,
    Path((group, user)): Path<(GroupId, UserId)>,
) -> Result<StatusCode, Problem> {
    let organization = actor.organization;
    let mut tx = app.context.db.begin(organization).await?;
    let before =
        accounts::lock(&mut tx, organization, user).await?.ok_or_else(|| Problem::not_found("user"))?;
    if before.groups.contains(&group) {
        return Ok(StatusCode::NO_CONTENT);
    }
    sqlx::query!(
        "insert into users.membership (organization_id, user_id, group_id) values ($1, $2, $3)",
        organization.0,
        user.0,
        group.0,
    )
    .execute(&mut *tx)
    .await
    .on_constraint("membership_group", || Problem::not_found("group"))?;
    let mut groups = before.groups.clone();
    groups.insert(group);
    let now = app.context.clock.now();
    accounts::regroup(&mut tx, organization, &before, groups, &Origin::from(&*actor), now).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
