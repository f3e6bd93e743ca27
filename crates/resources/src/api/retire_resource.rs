//! `DELETE /api/v1/resources/{id}`: retired for good, and readable for good.

use axum::extract::State;
use contracts::resources::ResourceRetired;
use http::StatusCode;
use kernel::role::CatalogueManage;
use kernel::{OrganizationId, ResourceId};
use platform::auth::Can;
use platform::db::Tx;
use platform::events::{Origin, append};
use platform::http::{IfMatch, Path, Problem};

use super::{get_resource, remit};
use crate::App;
use crate::error::Error;
use crate::resource::{Content, Status};
use crate::store::{contents, parts, sight, states, write};

/// Retires a resource; retiring it again changes nothing.
#[utoipa::path(
    delete,
    path = "/api/v1/resources/{id}",
    operation_id = "retire_resource",
    tag = "resources",
    summary = "Retire a resource",
    params(
        ("id" = ResourceId, Path, description = "The resource"),
        ("If-Match" = String, Header, description = "The `ETag` of the version that is to be retired")
    ),
    responses(
        (status = 204, description = "Retired: it takes no bookings any more, and stays readable"),
        (status = 403, description = "permission_required, outside_remit"),
        (status = 404, description = "not_found"),
        (status = 409, description = "still_part (with the names in `wholes`)"),
        (status = 412, description = "stale_version"),
        (status = 428, description = "if_match_required")
    ),
    extensions(("x-permission" = json!("catalogue.manage")))
)]
pub async fn retire_resource(
    actor: Can<CatalogueManage>,
    State(app): State<App>,
    Path(id): Path<ResourceId>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let organization = actor.organization;
    let mut tx = app.context.db.begin(organization).await?;
    // Nothing becomes a whole of it while it is being retired.
    parts::lock(&mut tx, organization).await?;
    sight::demand(&mut tx, &actor, id).await?;
    let stored = contents::lock_one(&mut tx, organization, id).await?;
    if_match.check(stored.version)?;
    if stored.content.status == Status::Retired {
        return Ok(StatusCode::NO_CONTENT);
    }
    let wholes = wholes(&mut tx, organization, id).await?;
    if !wholes.is_empty() {
        return Err(Error::StillPart(wholes).into());
    }
    let content = Content { status: Status::Retired, ..stored.content };
    write::update(&mut tx, organization, &[(id, &content)]).await?;
    let resource = states::state(&mut tx, organization, id).await?.resource;
    remit::demand_change(&mut tx, &actor, None, &resource).await?;
    let (origin, now) = (Origin::from(&*actor), app.context.clock.now());
    append(&mut tx, organization, &origin, &ResourceRetired { resource }, now).await?;
    tx.commit().await?;
    get_resource::forget(&app, organization, id).await;
    Ok(StatusCode::NO_CONTENT)
}

/// The names of what can be booked and has it as a part.
async fn wholes(tx: &mut Tx, organization: OrganizationId, id: ResourceId) -> Result<Vec<String>, Problem> {
    let names = sqlx::query_scalar!(
        "select r.name from resources.resource_part p
         join resources.resource r on r.organization_id = $1 and r.id = p.whole_id
         where p.organization_id = $1 and p.part_id = $2 and r.status <> 'retired' order by r.name_key",
        organization.0,
        id.0,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(names)
}
