//! `DELETE /api/v1/groups/{id}/members/{user_id}`: somebody leaves a group.

use axum::extract::State;
use http::StatusCode;
use kernel::role::GroupsManage;
use kernel::{GroupId, UserId};
use platform::auth::Can;
use platform::events::Origin;
use platform::http::{Path, Problem};

use crate::App;
use crate::error::Error;
use crate::store::accounts;
use crate::store::memberships::{self, By};

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
        (status = 204, description = "Out of it, unless the rule of the group has them as well"),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found"),
        (status = 409, description = "member_by_rule: nobody put them in by hand")
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
    if memberships::take(&mut tx, organization, By::Hand, &[(user, group)]).await? == 0 {
        return Err(Error::MemberByRule.into());
    }
    let now = app.context.clock.now();
    memberships::tell(&mut tx, organization, &[before], &Origin::from(&*actor), now).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
