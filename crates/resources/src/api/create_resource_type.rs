//! `POST /api/v1/resource-types`: a new resource type.

use axum::extract::State;
use garde::Validate;
use kernel::ResourceTypeId;
use kernel::role::CatalogueManage;
use platform::auth::Can;
use platform::db::OnConstraint as _;
use platform::http::Problem;
use platform::idempotency::{Answer, Idempotent};
use serde::Deserialize;
use utoipa::ToSchema;

use super::TypeBody;
use crate::App;
use crate::error::Error;
use crate::name::Name;

/// The resource type to create.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateResourceType)]
pub struct Request {
    /// Its name, unique in the organization whatever its case: 1 to 200 characters.
    #[garde(skip)]
    #[schema(example = "seminar room")]
    pub name: Name,
}

/// Creates a resource type.
#[utoipa::path(
    post,
    path = "/api/v1/resource-types",
    operation_id = "create_resource_type",
    tag = "catalogue",
    summary = "Create a resource type",
    request_body = Request,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat a request safely: the first answer is given again for 24 h")),
    responses(
        (status = 201, description = "Created", body = TypeBody),
        (status = 403, description = "permission_required, outside_remit"),
        (status = 409, description = "name_taken, request_in_progress"),
        (status = 422, description = "invalid_input, idempotency_key_reused")
    ),
    extensions(("x-permission" = json!("catalogue.manage")))
)]
pub async fn create_resource_type(
    actor: Can<CatalogueManage>,
    State(app): State<App>,
    request: Idempotent<Request>,
) -> Result<Answer, Problem> {
    actor.demand_whole()?;
    let now = app.context.clock.now();
    let mut tx = app.context.db.begin(actor.organization).await?;
    if let Some(answer) = request.replay(&mut tx, &actor, now).await? {
        return Ok(answer);
    }
    let name = &request.body.name;
    let id = ResourceTypeId::mint();
    sqlx::query!(
        "insert into resources.resource_type (organization_id, id, name, name_key) values ($1, $2, $3, $4)",
        actor.organization.0,
        id.0,
        name.as_str(),
        name.key(),
    )
    .execute(&mut *tx)
    .await
    .on_constraint("resource_type_name", || Error::NameTaken("a resource type"))?;
    let body = TypeBody { id, version: 1, name: name.to_string() };
    let answer = Answer::created(&format!("/api/v1/resource-types/{id}"), body.version, &body)?;
    request.record(&mut tx, &actor, &answer, now).await?;
    tx.commit().await?;
    Ok(answer)
}
