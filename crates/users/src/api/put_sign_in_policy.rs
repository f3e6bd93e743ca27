//! `PUT /api/v1/sign-in-policy`: the organization demands a second factor of some roles.

use std::collections::BTreeSet;

use axum::extract::State;
use contracts::users::SignInPolicyChanged;
use kernel::Role;
use kernel::role::UsersManage;
use platform::auth::{Can, Fresh};
use platform::events::{self, Origin};
use platform::http::{Json, Problem};

use super::get_sign_in_policy::Policy;
use crate::App;
use crate::store::{second_factor, session_starts};

/// Lays the policy down. Sessions of those roles without a second factor are limited to setting one up, within seconds.
#[utoipa::path(
    put,
    path = "/api/v1/sign-in-policy",
    operation_id = "put_sign_in_policy",
    tag = "organization",
    summary = "Lay down what the organization demands of those who sign in",
    request_body = Policy,
    responses(
        (status = 200, description = "The policy", body = Policy),
        (status = 403, description = "permission_required, step_up_required"),
        (status = 422, description = "invalid_input")
    ),
    extensions(("x-permission" = json!("users.manage")))
)]
pub async fn put_sign_in_policy(
    actor: Can<UsersManage>,
    State(app): State<App>,
    _: Fresh,
    Json(policy): Json<Policy>,
) -> Result<Json<Policy>, Problem> {
    let organization = actor.organization;
    let mut tx = app.context.db.begin(organization).await?;
    second_factor::lock_policy(&mut tx, organization).await?;
    // Read when nobody holds the policy any more: their tokens are from before, and count no more.
    let now = app.context.clock.now();
    let before = sqlx::query_scalar!(
        r#"select second_factor_roles as "roles: Vec<Role>" from users.organization
           where organization_id = $1 for no key update"#,
        organization.0,
    )
    .fetch_one(&mut *tx)
    .await?;
    let (before, after): (BTreeSet<_>, _) = (before.into_iter().collect(), &policy.second_factor_roles);
    if before != *after {
        let roles: Vec<Role> = after.iter().copied().collect();
        sqlx::query!(
            "update users.organization set second_factor_roles = $2 where organization_id = $1",
            organization.0,
            roles as Vec<Role>,
        )
        .execute(&mut *tx)
        .await?;
        session_starts::renew_single_factor_tokens(&mut tx, organization, now).await?;
        let event = SignInPolicyChanged { organization_id: organization, before, after: after.clone() };
        events::append(&mut tx, organization, &Origin::from(&*actor), &event, now).await?;
    }
    tx.commit().await?;
    Ok(Json(policy))
}
