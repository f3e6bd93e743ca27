//! `DELETE /api/v1/groups/{id}/members/{user_id}`: somebody leaves a group.

use axum::extract::State;
use http::StatusCode;
use kernel::role::GroupsManage;
use kernel::{GroupId, UserId};
use platform::auth::Can;
use platform::events::Origin;
use platform::http::{Path, Problem};

use crate::App;
use crate::store::accounts;

/// Takes a member out; the account's version grows, and other services hear of it.
#[utoipa::path(
    delete,
    path = "/api/v1/groups/{id}/members/{user_id}",
    operation_id = "remove_member",
    tag = "groups",
    summary = "Take somebody out of a group",
    params(
        ("id" = GroupId, Path, description = "The group"),
        ("user_id" = UserId, Path, description = "The account")
    ),
    responses(
        (status = 204, description = "Out of it"),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("groups.manage")))
)]
pub async fn remove_member(
    actor: Can<GroupsManage>,
    State(app): State<App>,
    Path((group, user)): Path<(GroupId, UserId)>,
) -> Result<StatusCode, Problem> {
    let organization = actor.organization;
    let mut tx = app.context.db.begin(organization).await?;
    let before =
        accounts::lock(&mut tx, organization, user).await?.ok_or_else(|| Problem::not_found("user"))?;
    if !before.groups.contains(&group) {
        return Err(Problem::not_found("member"));
    }
    sqlx::query!(
        "delete from users.membership where organization_id = $1 and user_id = $2 and group_id = $3",
        organization.0,
        user.0,
        group.0,
    )
    .execute(&mut *tx)
    .await?;
    let mut groups = before.groups.clone();
    groups.remove(&group);
    let now = app.context.clock.now();
    accounts::regroup(&mut tx, organization, &before, groups, &Origin::from(&*actor), now).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
