//! `GET /api/v1/sign-in-policy`: of whom the organization demands a second factor.

use std::collections::BTreeSet;

use axum::extract::State;
use garde::Validate;
use kernel::Role;
use kernel::role::UsersRead;
use platform::auth::Can;
use platform::http::{Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;

/// What an organization demands of those who sign in.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignInPolicy)]
pub struct Policy {
    /// The roles that need a second factor. Who has none yet may sign in, and do nothing but set one up.
    #[garde(skip)]
    #[schema(value_type = Vec<Role>, example = json!(["admin"]))]
    pub second_factor_roles: BTreeSet<Role>,
}

/// The policy.
#[utoipa::path(
    get,
    path = "/api/v1/sign-in-policy",
    operation_id = "get_sign_in_policy",
    tag = "organization",
    summary = "Read what the organization demands of those who sign in",
    responses(
        (status = 200, description = "The policy", body = Policy),
        (status = 403, description = "permission_required")
    ),
    extensions(("x-permission" = json!("users.read")))
)]
pub async fn get_sign_in_policy(
    actor: Can<UsersRead>,
    State(app): State<App>,
) -> Result<Json<Policy>, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let roles = sqlx::query_scalar!(
        r#"select second_factor_roles as "roles: Vec<Role>" from users.organization where organization_id = $1"#,
        actor.organization.0,
    )
    .fetch_one(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(Json(Policy { second_factor_roles: roles.into_iter().collect() }))
}
