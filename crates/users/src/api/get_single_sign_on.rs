//! `GET /api/v1/organization/single-sign-on`: how the people of the organization sign in through its identity provider.

use axum::extract::State;
use contracts::users::SingleSignOn;
use kernel::role::OrganizationManage;
use platform::auth::Can;
use platform::http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::single_sign_on::refusal::Refusal;
use crate::store::single_sign_on;

/// The settings, and what the provider has to be told of us. The secret is shown to nobody.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SingleSignOnSettings)]
pub struct Body {
    /// The settings.
    #[serde(flatten)]
    pub settings: SingleSignOn,
    /// Where the provider has to send browsers back.
    #[schema(
        example = "https://booking.example.edu/api/v1/auth/sso/callback/01936f6e-0000-7000-8000-000000000000"
    )]
    pub redirect_uri: String,
}

/// The settings.
#[utoipa::path(
    get,
    path = "/api/v1/organization/single-sign-on",
    operation_id = "get_single_sign_on",
    tag = "organization",
    summary = "Read how people sign in through the identity provider",
    responses(
        (status = 200, description = "The settings", body = Body),
        (status = 403, description = "permission_required"),
        (status = 404, description = "no_single_sign_on")
    ),
    extensions(("x-permission" = json!("organization.manage")))
)]
pub async fn get_single_sign_on(
    actor: Can<OrganizationManage>,
    State(app): State<App>,
) -> Result<Json<Body>, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let kept =
        single_sign_on::load(&mut tx, &app.context.keyring, actor.organization).await?.ok_or(Refusal::Off)?;
    tx.commit().await?;
    Ok(Json(Body { settings: kept.settings, redirect_uri: app.redirect_uri(actor.organization) }))
}
