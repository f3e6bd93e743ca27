//! `GET /api/v1/resources/{id}/policy`: every rule that holds for somebody on a resource, and where it comes from.

use axum::extract::State;
use garde::Validate;
use kernel::role::{BookingsManage, BookingsOwn};
use kernel::{Kind, ResourceId, UserId};
use platform::auth::{Can, outside_remit};
use platform::http::{Json, Path, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::learn;
use crate::App;
use crate::origins::{Origin, RuleValue, effective};
use crate::store::known::Known;

/// For whom.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Whose {
    /// For this person instead of the caller; needs `bookings.manage`.
    #[garde(skip)]
    pub user_id: Option<UserId>,
}

/// Every rule that holds for somebody on a resource.
#[derive(Debug, Serialize, ToSchema)]
pub struct EffectivePolicy {
    /// The resource.
    pub resource_id: ResourceId,
    /// For whom.
    pub user_id: UserId,
    /// Whether it is there for them.
    pub sees: bool,
    /// Whether they may book it, as far as rules say who may.
    pub books: bool,
    /// The rules, each with the layers that it comes from.
    pub rules: Vec<RuleValue>,
    /// All layers that were looked at, the most general first.
    pub layers: Vec<Origin>,
}

/// The strictest of all layers, rule by rule.
#[utoipa::path(
    get,
    path = "/api/v1/resources/{id}/policy",
    operation_id = "get_effective_policy",
    tag = "rules",
    summary = "See which rules hold on a resource, and where each comes from",
    params(("id" = ResourceId, Path, description = "The resource"), Whose),
    responses(
        (status = 200, description = "The rules in force", body = EffectivePolicy),
        (status = 400, description = "invalid_query"),
        (status = 403, description = "permission_required, outside_remit"),
        (status = 404, description = "not_found"),
        (status = 503, description = "service_unavailable")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn get_effective_policy(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Path(id): Path<ResourceId>,
    Query(whose): Query<Whose>,
) -> Result<Json<EffectivePolicy>, Problem> {
    let user = whose.user_id.unwrap_or(actor.user);
    if user != actor.user && !actor.may::<BookingsManage>() {
        let detail = "The rules for others need the permission bookings.manage.";
        return Err(Problem::new(Kind::Forbidden, "permission_required", detail));
    }
    let (mut tx, mut known) = learn::begin(&app, &actor, id).await?;
    if user != actor.user {
        drop(tx);
        if !learn::meet(&app, &actor, user).await? {
            return Err(Problem::not_found("user"));
        }
        tx = app.context.db.begin(actor.organization).await?;
        known = Known::load_for(&mut tx, &actor, known.tree, user).await?;
        if !known.is_managed(user, &[id]) {
            return Err(outside_remit());
        }
    }
    tx.commit().await?;
    let person = known.person(user);
    let (layers, item) = known.of_one(id, &person).ok_or_else(|| Problem::not_found("resource"))?;
    Ok(Json(EffectivePolicy {
        resource_id: id,
        user_id: user,
        sees: item.is_seen_by(&person),
        books: item.admits(&person),
        rules: effective(&layers).map_err(|error| Problem::internal(&error))?,
        layers: layers.iter().map(Origin::from).collect(),
    }))
}
