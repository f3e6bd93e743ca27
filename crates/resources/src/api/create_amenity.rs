//! `POST /api/v1/amenities`: a new amenity.

use axum::extract::State;
use garde::Validate;
use kernel::AmenityId;
use kernel::role::CatalogueManage;
use platform::auth::Can;
use platform::db::OnConstraint as _;
use platform::http::Problem;
use platform::idempotency::{Answer, Idempotent};
use serde::Deserialize;
use utoipa::ToSchema;

use super::AmenityBody;
use crate::App;
use crate::error::Error;
use crate::name::Name;

/// The amenity to create.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateAmenity)]
pub struct Request {
    /// Its name, unique in the organization whatever its case: 1 to 200 characters.
    #[garde(skip)]
    #[schema(example = "projector")]
    pub name: Name,
}

/// Creates an amenity.
#[utoipa::path(
    post,
    path = "/api/v1/amenities",
    operation_id = "create_amenity",
    tag = "catalogue",
    summary = "Create an amenity",
    request_body = Request,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat a request safely: the first answer is given again for 24 h")),
    responses(
        (status = 201, description = "Created", body = AmenityBody),
        (status = 403, description = "permission_required, outside_remit"),
        (status = 409, description = "name_taken, request_in_progress"),
        (status = 422, description = "invalid_input, idempotency_key_reused")
    ),
    extensions(("x-permission" = json!("catalogue.manage")))
)]
pub async fn create_amenity(
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
    let id = AmenityId::mint();
    sqlx::query!(
        "insert into resources.amenity (organization_id, id, name, name_key) values ($1, $2, $3, $4)",
        actor.organization.0,
        id.0,
        name.as_str(),
        name.key(),
    )
    .execute(&mut *tx)
    .await
    .on_constraint("amenity_name", || Error::NameTaken("an amenity"))?;
    let body = AmenityBody { id, version: 1, name: name.to_string() };
    let answer = Answer::created(&format!("/api/v1/amenities/{id}"), body.version, &body)?;
    request.record(&mut tx, &actor, &answer, now).await?;
    tx.commit().await?;
    Ok(answer)
}
