//! `POST /api/v1/locations`: a new place in the tree.

use axum::extract::State;
use garde::Validate;
use kernel::LocationId;
use kernel::role::CatalogueManage;
use platform::auth::Can;
use platform::http::Problem;
use platform::idempotency::{Answer, Idempotent};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{LocationBody, remit};
use crate::App;
use crate::error::Error;
use crate::location::{Kind, code_key};
use crate::name::Name;
use crate::store::places;

/// The location to create.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateLocation)]
pub struct Request {
    /// Its name, unique beside its siblings whatever its case: 1 to 200 characters.
    #[garde(skip)]
    #[schema(example = "Main building")]
    pub name: Name,
    /// What it is. A place lies in one of a wider kind; zones may lie in zones.
    #[garde(skip)]
    pub kind: Kind,
    /// What it lies in; nothing for the top of a tree.
    #[garde(skip)]
    pub parent_id: Option<LocationId>,
    /// A short name, as it stands in room numbers, unique beside its siblings: 1 to 200 characters.
    #[garde(skip)]
    #[schema(example = "MB")]
    pub code: Option<Name>,
}

/// Creates a location.
#[utoipa::path(
    post,
    path = "/api/v1/locations",
    operation_id = "create_location",
    tag = "catalogue",
    summary = "Create a location",
    request_body = Request,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat a request safely: the first answer is given again for 24 h")),
    responses(
        (status = 201, description = "Created", body = LocationBody),
        (status = 403, description = "permission_required, outside_remit"),
        (status = 409, description = "name_taken, code_taken, request_in_progress"),
        (status = 422, description = "invalid_input (`unknown_location`, `wrong_kind`), idempotency_key_reused")
    ),
    extensions(("x-permission" = json!("catalogue.manage")))
)]
pub async fn create_location(
    actor: Can<CatalogueManage>,
    State(app): State<App>,
    request: Idempotent<Request>,
) -> Result<Answer, Problem> {
    let now = app.context.clock.now();
    let mut tx = app.context.db.begin(actor.organization).await?;
    if let Some(answer) = request.replay(&mut tx, &actor, now).await? {
        return Ok(answer);
    }
    let Request { name, kind, parent_id, code } = &request.body;
    if let Some(parent_id) = parent_id {
        let parent = places::kind(&mut tx, actor.organization, *parent_id).await?;
        check_parent(*kind, parent)?;
    }
    remit::demand_location(&mut tx, &actor, *parent_id).await?;
    let id = LocationId::mint();
    sqlx::query!(
        "insert into resources.location (organization_id, id, parent_id, kind, name, name_key, code, code_key)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        actor.organization.0,
        id.0,
        parent_id.map(|id| id.0),
        kind.name(),
        name.as_str(),
        name.key(),
        code.as_ref().map(Name::as_str),
        code_key(code.as_ref()),
    )
    .execute(&mut *tx)
    .await
    .map_err(taken)?;
    let code = code.as_ref().map(ToString::to_string);
    let body =
        LocationBody { id, version: 1, parent_id: *parent_id, kind: *kind, name: name.to_string(), code };
    let answer = Answer::created(&format!("/api/v1/locations/{id}"), body.version, &body)?;
    request.record(&mut tx, &actor, &answer, now).await?;
    tx.commit().await?;
    Ok(answer)
}

fn check_parent(kind: Kind, parent: Option<Kind>) -> Result<(), Problem> {
    let Some(parent) = parent else {
        return Err(Problem::invalid_field("/parent_id", "unknown_location", "There is no such location."));
    };
    if kind.fits_in(parent) {
        return Ok(());
    }
    let detail = format!("A {} cannot lie in a {}.", kind.name(), parent.name());
    Err(Problem::invalid_field("/kind", "wrong_kind", detail))
}

/// One insert can break two rules.
fn taken(error: sqlx::Error) -> Problem {
    match error.as_database_error().and_then(|database| database.constraint()) {
        Some("location_name") => Error::NameTaken("a location").into(),
        Some("location_code") => Error::CodeTaken.into(),
        _ => error.into(),
    }
}
