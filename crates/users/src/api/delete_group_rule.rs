//! `DELETE /api/v1/groups/{id}/rule`: a group has members by hand alone again.

use axum::extract::State;
use http::StatusCode;
use kernel::GroupId;
use kernel::role::GroupsManage;
use platform::auth::Can;
use platform::events::Origin;
use platform::http::{Path, Problem};

use crate::App;
use crate::store::group_rules;

/// Takes the rule away. Whom it had leaves in the background, unless somebody put them in by hand.
#[utoipa::path(
    delete,
    path = "/api/v1/groups/{id}/rule",
    operation_id = "delete_group_rule",
    tag = "groups",
    summary = "Have a group's members by hand alone",
    params(("id" = GroupId, Path, description = "The group")),
    responses(
        (status = 204, description = "It has no rule, now or before"),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("groups.manage")))
)]
pub async fn delete_group_rule(
    actor: Can<GroupsManage>,
    State(app): State<App>,
    Path(id): Path<GroupId>,
) -> Result<StatusCode, Problem> {
    let now = app.context.clock.now();
    let mut tx = app.context.db.begin(actor.organization).await?;
    let which = (actor.organization, id);
    group_rules::set(&mut tx, which, None, &Origin::from(&*actor), now).await?;
    tx.commit().await?;
    app.rules_changed.notify_one();
    Ok(StatusCode::NO_CONTENT)
}
