//! `/operator/organizations`: what the installation's operator does with organizations. Reached on this service's own
//! port, with the operator's token; the gateway routes none of it, and no token of an organization opens it.

use std::collections::BTreeSet;

use axum::Router;
use axum::extract::{FromRequestParts, State};
use axum::routing::{get, post, put};
use garde::Validate;
use http::request::Parts;
use http::{StatusCode, header};
use kernel::{Email, Kind, OrganizationId, UserId};
use platform::http::{Json, Page, PageQuery, Path, Problem, Query};
use platform::internal::InternalToken;
use serde::{Deserialize, Serialize};

use super::fields;
use crate::App;
use crate::setup::{self, Listed};

/// The routes.
pub fn routes() -> Router<App> {
    let all = "/operator/organizations";
    Router::new()
        .route(all, get(list_organizations).post(create_organization))
        .route(&format!("{all}/{{slug}}/disable"), post(disable_organization))
        .route(&format!("{all}/{{slug}}/enable"), post(enable_organization))
        .route(&format!("{all}/{{slug}}/hosts"), put(put_hosts))
}

/// A caller that showed the operator's token.
#[derive(Debug, Clone, Copy)]
pub struct Operator;

impl FromRequestParts<App> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let shown = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let shown = shown.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        // Compared as the internal token is: in constant time, and never equal while none is set.
        if InternalToken(app.config.operator_token.clone()).is(shown.trim()) {
            return Ok(Self);
        }
        Err(Problem::new(
            Kind::Unauthenticated,
            "operator_token_required",
            "This is for the operator of the installation, with the token of its settings.",
        ))
    }
}

/// The organization to make, with its first administrator.
#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Create {
    /// Its short name: 1 to 63 lower-case letters, digits and inner dashes.
    #[garde(custom(fields::slug))]
    slug: String,
    /// Its name: 1 to 200 characters.
    #[garde(custom(fields::name))]
    name: String,
    /// The first administrator's address.
    #[garde(skip)]
    admin_email: Email,
}

/// A new organization, and what its first administrator signs in with.
#[derive(Serialize)]
struct Created {
    id: OrganizationId,
    slug: String,
    admin_id: UserId,
    admin_email: Email,
    /// Shown this once.
    admin_password: String,
}

async fn create_organization(
    _: Operator,
    State(app): State<App>,
    Json(body): Json<Create>,
) -> Result<(StatusCode, [(header::HeaderName, &'static str); 1], Json<Created>), Problem> {
    let made = setup::create_organization(
        &app.context,
        &app.config,
        &body.slug,
        &body.name,
        body.admin_email.as_str(),
        None,
    )
    .await?;
    let created = Created {
        id: made.organization_id,
        slug: body.slug,
        admin_id: made.user_id,
        admin_email: made.email,
        admin_password: made.password.map(|secret| secret.expose().to_owned()).unwrap_or_default(),
    };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(created)))
}

async fn list_organizations(
    _: Operator,
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Listed>>, Problem> {
    let after: Option<String> = query.after()?;
    let items =
        setup::list_organizations(&app.context, &after.unwrap_or_default(), query.limit() + 1).await?;
    Ok(Json(Page::of(items, query.limit(), |item: &Listed| item.slug.clone())))
}

async fn disable_organization(
    _: Operator,
    State(app): State<App>,
    Path(slug): Path<String>,
) -> Result<StatusCode, Problem> {
    setup::set_active(&app.context, &slug, false).await.map(|()| StatusCode::NO_CONTENT)
}

async fn enable_organization(
    _: Operator,
    State(app): State<App>,
    Path(slug): Path<String>,
) -> Result<StatusCode, Problem> {
    setup::set_active(&app.context, &slug, true).await.map(|()| StatusCode::NO_CONTENT)
}

/// The host names that lead to an organization.
#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Hosts {
    /// All of them: at most 20, in lower case and without ports.
    #[garde(skip)]
    hosts: BTreeSet<String>,
}

async fn put_hosts(
    _: Operator,
    State(app): State<App>,
    Path(slug): Path<String>,
    Json(body): Json<Hosts>,
) -> Result<StatusCode, Problem> {
    setup::set_hosts(&app.context, &slug, body.hosts).await.map(|()| StatusCode::NO_CONTENT)
}
