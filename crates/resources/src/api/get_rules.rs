//! `GET /api/v1/rules/{id}`: the rules laid on something.

use axum::extract::State;
use axum::response::Response;
use contracts::rules::{RuleSet, Scope};
use http::HeaderMap;
use kernel::ResourceId;
use kernel::role::CatalogueRead;
use platform::auth::Can;
use platform::http::{ETag, Path, Problem};
use serde_json::Value;
use uuid::Uuid;

use super::put_rules::RulesBody;
use crate::App;
use crate::store::sight::Sight;

/// Gives the rules of one scope, without those of others that hold as well.
#[utoipa::path(
    get,
    path = "/api/v1/rules/{id}",
    operation_id = "get_rules",
    tag = "rules",
    summary = "Read the rules of something",
    params(("id" = Uuid, Path, description = "The organization, type, location, resource or group")),
    responses(
        (status = 200, description = "The rules; `ETag` is their version", body = RulesBody),
        (status = 304, description = "The caller has this version already (`If-None-Match`)"),
        (status = 404, description = "not_found: nothing is laid on it")
    ),
    extensions(("x-permission" = json!("catalogue.read")))
)]
pub async fn get_rules(
    actor: Can<CatalogueRead>,
    State(app): State<App>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let none = || Problem::not_found("set of rules");
    let row = sqlx::query!(
        "select scope, version, rules from resources.rules where organization_id = $1 and scope_id = $2",
        actor.organization.0,
        id,
    );
    let row = row.fetch_optional(&mut *tx).await?.ok_or_else(none)?;
    let read = |document: Value| serde_json::from_value::<RuleSet>(document);
    let rules = read(row.rules).map_err(|error| Problem::internal(&error))?;
    let scope: Scope = serde_json::from_value(row.scope.into()).map_err(|error| Problem::internal(&error))?;
    let resource = (scope == Scope::Resource).then_some(ResourceId(id));
    let sight = Sight::of(&mut tx, &actor).await?;
    if sight.among(&mut tx, actor.organization, resource).await?.len() < resource.iter().len() {
        return Err(none());
    }
    Ok(ETag(row.version).answer(&headers, RulesBody { id, scope, version: row.version, rules }))
}
