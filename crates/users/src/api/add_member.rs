//! `PUT /api/v1/groups/{id}/members/{user_id}`: somebody comes into a group.

use axum::extract::State;
use http::StatusCode;
use kernel::role::GroupsManage;
use kernel::{GroupId, UserId};
use platform::auth::Can;
use platform::events::Origin;
use platform::http::{Path, Problem};

use crate::App;
use crate::store::accounts;
use crate::store::memberships::{self, By};

/// Adds a member by hand, who stays when a rule would have them no more; the account's version grows, and other services hear of it.
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
    memberships::put(&mut tx, organization, By::Hand, &[(user, group)]).await?;
    let now = app.context.clock.now();
    memberships::tell(&mut tx, organization, &[before], &Origin::from(&*actor), now).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
