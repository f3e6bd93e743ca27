//! `PUT /api/v1/groups/{id}/rule`: who is in a group without being put there.

use axum::extract::State;
use contracts::users::GroupRule;
use garde::Validate;
use http::StatusCode;
use kernel::GroupId;
use kernel::role::GroupsManage;
use platform::auth::Can;
use platform::events::Origin;
use platform::http::{Json, Path, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::create_group::GroupBody;
use crate::App;
use crate::group_rule;
use crate::store::group_rules;

/// The rule.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(transparent)]
#[garde(transparent)]
#[schema(as = PutGroupRule)]
pub struct Request(#[garde(custom(is_rule))] pub GroupRule);

fn is_rule(rule: &GroupRule, (): &()) -> garde::Result {
    group_rule::check(rule).map_err(garde::Error::new)
}

/// Gives a group a rule, in place of the one it has. Accounts that exist are looked at in the background (`rule_pending`),
/// those that are made or changed from now on at once. Members by hand stay.
#[utoipa::path(
    put,
    path = "/api/v1/groups/{id}/rule",
    operation_id = "put_group_rule",
    tag = "groups",
    summary = "Have a group's members follow from a rule",
    params(("id" = GroupId, Path, description = "The group")),
    request_body = Request,
    responses(
        (status = 202, description = "The group; its members are on their way", body = GroupBody),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found"),
        (status = 409, description = "too_many_group_rules"),
        (status = 422, description = "invalid_input")
    ),
    extensions(("x-permission" = json!("groups.manage")))
)]
pub async fn put_group_rule(
    actor: Can<GroupsManage>,
    State(app): State<App>,
    Path(id): Path<GroupId>,
    Json(Request(rule)): Json<Request>,
) -> Result<(StatusCode, Json<GroupBody>), Problem> {
    let now = app.context.clock.now();
    let mut tx = app.context.db.begin(actor.organization).await?;
    let which = (actor.organization, id);
    let (name, members) =
        group_rules::set(&mut tx, which, Some(rule.clone()), &Origin::from(&*actor), now).await?;
    tx.commit().await?;
    app.rules_changed.notify_one();
    let group = GroupBody { id, name, members, rule: Some(rule), rule_pending: true };
    Ok((StatusCode::ACCEPTED, Json(group)))
}
