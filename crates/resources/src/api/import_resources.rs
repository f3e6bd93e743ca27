//! `POST /api/v1/resources/import`: a file or a list of resources, each line accounted for.

mod apply;
mod catalogue;
mod csv_lines;
mod draft;
mod header;
mod json_lines;
mod links;
mod mapping;
mod plan;
mod report;
mod upload;

use axum::extract::State;
use kernel::role::CatalogueManage;
use platform::auth::Can;
use platform::events::Origin;
use platform::http::{Json, Problem};

use super::get_resource;
use crate::App;
use crate::store::parts;
use report::Report;
use upload::{Form, Upload};

/// A file and its mapping, in bytes, at most.
pub const MAX_BODY: usize = 16 * 1024 * 1024;
/// Lines of a file, or resources of a list, at most.
pub const MAX_LINES: usize = 20_000;

/// Imports resources in one transaction: lines that are valid go in, the others are named in the report.
///
/// A line with the external id of a resource changes that resource. A line without an external id is the resource of
/// the same name at the same place, if there is one without an external id; otherwise it is a new one. What a line is
/// silent about stays as it is. Parts are added to wholes, never taken away. Two imports take turns.
#[utoipa::path(
    post,
    path = "/api/v1/resources/import",
    operation_id = "import_resources",
    tag = "resources",
    summary = "Import resources from CSV or JSON",
    request_body(
        description = "16 MiB and 20,000 lines at most.",
        content((Form = "multipart/form-data"), (json_lines::Body = "application/json"))
    ),
    responses(
        (status = 200, description = "What became of every line. Codes of lines: `required`, `invalid_value`, \
            `wrong_cell_count`, `duplicate_external_id`, `unknown_type`, `unknown_amenity`, `unknown_location`, \
            `location_too_deep`, `wrong_kind`, `unknown_time_zone`, `resource_retired`, `unknown_part_of`, \
            `outside_remit`, `ambiguous_part_of`, `part_of_invalid`, `parts_cycle`, `whole_has_units`, `too_many_parts`", body = Report),
        (status = 400, description = "malformed_body, malformed_json"),
        (status = 403, description = "permission_required"),
        (status = 409, description = "catalogue_changed, external_id_taken"),
        (status = 413, description = "body_too_large"),
        (status = 415, description = "unsupported_media_type"),
        (status = 422, description = "not_utf8, malformed_csv, too_many_lines, file_missing, invalid_input \
            (`unknown_column`, `ambiguous_column`, `location_only`, `required`)"),
        (status = 503, description = "busy: another import is under way")
    ),
    extensions(("x-permission" = json!("catalogue.manage")))
)]
pub async fn import_resources(
    actor: Can<CatalogueManage>,
    State(app): State<App>,
    upload: Upload,
) -> Result<Json<Report>, Problem> {
    let (organization, dry_run) = (actor.organization, upload.dry_run);
    let reading = tokio::task::spawn_blocking(|| upload.read());
    let mut batch = reading.await.map_err(|error| Problem::internal(&error))??;
    let mut tx = app.context.db.begin(organization).await?;
    parts::lock(&mut tx, organization).await?;
    let plan = plan::plan(&mut tx, &actor, &mut batch, &app.config.default_time_zone).await?;
    if !dry_run {
        apply::apply(&mut tx, organization, &Origin::from(&*actor), &plan, app.context.clock.now()).await?;
        tx.commit().await?;
        for entry in plan.changes().iter().filter(|entry| entry.before.is_some()) {
            get_resource::forget(&app, organization, entry.id).await;
        }
    }
    let created = apply::Missing::of(&plan.catalogue, &plan.changes()).created(&plan.catalogue);
    Ok(Json(report::report(batch, &plan, created, dry_run)))
}
