//! `GET /api/v1/organization`: the settings of the caller's organization.

use axum::extract::State;
use axum::response::Response;
use contracts::users::OrganizationSettings;
use http::HeaderMap;
use kernel::OrganizationId;
use kernel::role::OrganizationManage;
use platform::auth::Can;
use platform::http::{ETag, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::store::settings::{self, Kept};

/// An organization and its settings.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrganizationSettingsOf)]
pub struct SettingsBody {
    /// Its id.
    pub id: OrganizationId,
    /// Its settings.
    #[serde(flatten)]
    pub settings: OrganizationSettings,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
}

impl SettingsBody {
    /// As clients see them.
    #[must_use]
    pub fn new(id: OrganizationId, kept: Kept) -> Self {
        Self { id, settings: kept.settings, version: kept.version }
    }
}

/// The settings.
#[utoipa::path(
    get,
    path = "/api/v1/organization",
    operation_id = "get_organization",
    tag = "organization",
    summary = "Read the organization's settings",
    responses(
        (status = 200, description = "The settings", body = SettingsBody),
        (status = 304, description = "Not changed since the version in If-None-Match"),
        (status = 403, description = "permission_required")
    ),
    extensions(("x-permission" = json!("organization.manage")))
)]
pub async fn get_organization(
    actor: Can<OrganizationManage>,
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let kept = settings::load(&mut tx, actor.organization).await?;
    tx.commit().await?;
    Ok(ETag(kept.version).answer(&headers, SettingsBody::new(actor.organization, kept)))
}
