//! `DELETE /api/v1/groups/{id}`: a group without members is removed.

use axum::extract::State;
use contracts::users::GroupChanged;
use http::StatusCode;
use kernel::GroupId;
use kernel::role::GroupsManage;
use platform::auth::Can;
use platform::db::OnConstraint as _;
use platform::events::{Origin, append};
use platform::http::{Path, Problem};

use crate::App;
use crate::error::Error;

/// Removes a group. Members are taken out before, one by one and with the rule, so that what hangs on their membership is
/// told of each.
#[utoipa::path(
    delete,
    path = "/api/v1/groups/{id}",
    operation_id = "delete_group",
    tag = "groups",
    summary = "Remove a group",
    params(("id" = GroupId, Path, description = "The group")),
    responses(
        (status = 204, description = "Removed"),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found"),
        (status = 409, description = "group_not_empty")
    ),
    extensions(("x-permission" = json!("groups.manage")))
)]
pub async fn delete_group(
    actor: Can<GroupsManage>,
    State(app): State<App>,
    Path(id): Path<GroupId>,
) -> Result<StatusCode, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let removed = sqlx::query!(
        "delete from users.user_group where organization_id = $1 and id = $2",
        actor.organization.0,
        id.0,
    )
    .execute(&mut *tx)
    .await
    .on_constraint("membership_group", || Error::GroupNotEmpty)?;
    if removed.rows_affected() == 0 {
        return Err(Problem::not_found("group"));
    }
    let event = GroupChanged { group_id: id, name: None, rule: None };
    append(&mut tx, actor.organization, &Origin::from(&*actor), &event, app.context.clock.now()).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
