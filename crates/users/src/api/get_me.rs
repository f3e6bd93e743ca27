//! `GET /api/v1/me`: the caller, and what they may do.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use kernel::role::ProfileOwn;
use kernel::{OrganizationId, Role};
use platform::auth::Can;
use platform::http::{ETag, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::UserBody;
use crate::App;
use crate::store::{accounts, organizations};

/// The caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// The account.
    #[serde(flatten)]
    pub user: UserBody,
    /// All their roles.
    pub roles: Vec<Role>,
    /// The names of all they may do with the token that was sent.
    #[schema(value_type = Vec<String>, example = json!(["profile.own", "bookings.own"]))]
    pub permissions: Vec<&'static str>,
    /// Where they belong.
    pub organization: OrganizationBody,
}

/// An organization.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Organization)]
pub struct OrganizationBody {
    /// Its id.
    pub id: OrganizationId,
    /// Its short name, with which its people sign in.
    #[schema(example = "default")]
    pub slug: String,
    /// Its name.
    #[schema(example = "Example University")]
    pub name: String,
}

/// The caller.
#[utoipa::path(
    get,
    path = "/api/v1/me",
    operation_id = "get_me",
    tag = "profile",
    summary = "Read one's own account, roles and permissions",
    responses(
        (status = 200, description = "The caller", body = Me),
        (status = 404, description = "not_found: the account has been removed")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn get_me(actor: Can<ProfileOwn>, State(app): State<App>) -> Result<Response, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let account = accounts::load(&mut tx, actor.organization, actor.user).await?;
    let account = account.ok_or_else(|| Problem::not_found("user"))?;
    let organization = organizations::load(&mut tx, actor.organization).await?;
    tx.commit().await?;
    let me = Me {
        roles: vec![account.role],
        // Of what the role may, what the token may: a session without a demanded second factor can set one up, no more.
        permissions: account.role.permissions().into_iter().filter(|name| actor.may_by_name(name)).collect(),
        organization: OrganizationBody {
            id: organization.id,
            slug: organization.slug,
            name: organization.name,
        },
        user: account.into(),
    };
    // Never 304: what a token may is no part of the version, and another token of the same person may more.
    Ok(ETag(me.user.version).answer(&HeaderMap::new(), me))
}
