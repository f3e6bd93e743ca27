//! `POST /api/v1/groups`: a new group.

use axum::extract::State;
use contracts::users::{GroupChanged, GroupRule};
use garde::Validate;
use kernel::GroupId;
use kernel::role::GroupsManage;
use platform::auth::Can;
use platform::db::OnConstraint as _;
use platform::events::{Origin, append};
use platform::http::Problem;
use platform::idempotency::{Answer, Idempotent};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fields;
use crate::App;
use crate::error::Error;

/// Groups of one organization at most.
pub(super) const MOST: i64 = 1000;

/// The group to create.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateGroup)]
pub struct Request {
    /// Its name, unique in the organization whatever its case: 1 to 100 characters.
    #[garde(length(chars, min = 1, max = 100), custom(fields::name))]
    #[schema(min_length = 1, max_length = 100, example = "Cardiology")]
    pub name: String,
}

/// A group.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Group)]
pub struct GroupBody {
    /// Its id.
    pub id: GroupId,
    /// Its name.
    #[schema(example = "Cardiology")]
    pub name: String,
    /// How many members it has.
    pub members: i64,
    /// Who is in it without being put there; null: nobody.
    pub rule: Option<GroupRule>,
    /// Whether accounts are still being looked at since the rule changed.
    pub rule_pending: bool,
}

/// Creates a group, with nobody in it.
#[utoipa::path(
    post,
    path = "/api/v1/groups",
    operation_id = "create_group",
    tag = "groups",
    summary = "Create a group",
    request_body = Request,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat a request safely: the first answer is given again for 24 h")),
    responses(
        (status = 201, description = "Created", body = GroupBody),
        (status = 403, description = "permission_required"),
        (status = 409, description = "name_taken, too_many_groups, request_in_progress"),
        (status = 422, description = "invalid_input, idempotency_key_reused")
    ),
    extensions(("x-permission" = json!("groups.manage")))
)]
pub async fn create_group(
    actor: Can<GroupsManage>,
    State(app): State<App>,
    request: Idempotent<Request>,
) -> Result<Answer, Problem> {
    let now = app.context.clock.now();
    let mut tx = app.context.db.begin(actor.organization).await?;
    if let Some(answer) = request.replay(&mut tx, &actor, now).await? {
        return Ok(answer);
    }
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from users.user_group where organization_id = $1"#,
        actor.organization.0,
    );
    if count.fetch_one(&mut *tx).await? >= MOST {
        return Err(Error::TooManyGroups.into());
    }
    let group = GroupBody {
        id: GroupId::mint(),
        name: request.body.name.trim().to_owned(),
        members: 0,
        rule: None,
        rule_pending: false,
    };
    sqlx::query!(
        "insert into users.user_group (organization_id, id, name, name_key) values ($1, $2, $3, $4)",
        actor.organization.0,
        group.id.0,
        group.name,
        group.name.to_lowercase(),
    )
    .execute(&mut *tx)
    .await
    .on_constraint("user_group_name", || Error::GroupNameTaken)?;
    let event = GroupChanged { group_id: group.id, name: Some(group.name.clone()), rule: None };
    append(&mut tx, actor.organization, &Origin::from(&*actor), &event, now).await?;
    let answer = Answer::created(&format!("/api/v1/groups/{}", group.id), 1, &group)?;
    request.record(&mut tx, &actor, &answer, now).await?;
    tx.commit().await?;
    Ok(answer)
}
