//! `PUT /api/v1/rules/{id}`: the rules of the organization, a type, a location, a resource or a group.

use axum::extract::State;
use contracts::rules::{Policy, Prices, RuleSet, Rules, RulesChanged, Schedule, Scope};
use garde::Validate;
use kernel::role::CatalogueManage;
use kernel::{Kind, LocationId, OrganizationId, ResourceId};
use platform::auth::{Actor, Can};
use platform::db::Tx;
use platform::events::{Origin, append};
use platform::http::{FieldError, IfMatch, Json, Path, Problem};
use platform::idempotency::Answer;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{get_resource, remit};
use crate::App;
use crate::rules::flaws;
use crate::store::{sight, states};

/// The rules.
#[derive(Debug, Validate, ToSchema)]
#[schema(as = PutRules)]
pub struct Request {
    /// What the id is one of.
    #[garde(skip)]
    pub scope: Scope,
    /// What may be booked, by whom, and how.
    #[garde(skip)]
    pub policy: Option<Policy>,
    /// When it is open.
    #[garde(skip)]
    pub schedule: Option<Schedule>,
    /// What it costs.
    #[garde(skip)]
    pub prices: Option<Prices>,
}

/// The contract's types take fields that they do not know, because events must stay readable; a request must not.
impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Body {
            scope: Scope,
            policy: Option<Policy>,
            schedule: Option<Schedule>,
            prices: Option<Prices>,
        }
        let mut unknown = Vec::new();
        let body: Body = serde_ignored::deserialize(deserializer, |path| unknown.push(path.to_string()))?;
        if let Some(field) = unknown.first() {
            return Err(D::Error::custom(format!("unknown field `{}`", field.replace(".?", ""))));
        }
        Ok(Self { scope: body.scope, policy: body.policy, schedule: body.schedule, prices: body.prices })
    }
}

/// Rules, as clients see them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rules)]
pub struct RulesBody {
    /// The id of what they are laid on.
    pub id: Uuid,
    /// What that is.
    pub scope: Scope,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
    /// The rules.
    #[serde(flatten)]
    pub rules: RuleSet,
}

/// Lays rules down, or others in their place. Empty ones say nothing.
#[utoipa::path(
    put,
    path = "/api/v1/rules/{id}",
    operation_id = "put_rules",
    tag = "rules",
    summary = "Lay down the rules of something",
    description = "Of all rules over a resource - the organization's, its type's, its places', its own, and those of the booker's groups - the strictest policy holds, and the schedule and prices of the most specific that has them. A group is not checked to exist.",
    params(
        ("id" = Uuid, Path, description = "The organization, type, location, resource or group"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the version that is replaced; required when there is one")
    ),
    request_body = Request,
    responses(
        (status = 200, description = "Laid down", body = RulesBody),
        (status = 403, description = "permission_required, outside_remit"),
        (status = 404, description = "not_found"),
        (status = 412, description = "stale_version"),
        (status = 422, description = "invalid_input"),
        (status = 428, description = "if_match_required")
    ),
    extensions(("x-permission" = json!("catalogue.manage")))
)]
pub async fn put_rules(
    actor: Can<CatalogueManage>,
    State(app): State<App>,
    Path(id): Path<Uuid>,
    version: Option<IfMatch>,
    Json(request): Json<Request>,
) -> Result<Answer, Problem> {
    let scope = request.scope;
    let mut tx = app.context.db.begin(actor.organization).await?;
    if !exists(&mut tx, actor.organization, scope, id).await? {
        return Err(Problem::not_found("such thing to lay rules on"));
    }
    demand_remit(&mut tx, &actor, scope, id).await?;
    let rules = RuleSet {
        policy: request.policy.unwrap_or_default(),
        schedule: request.schedule,
        prices: request.prices,
    };
    let errors: Vec<FieldError> = flaws(&rules, scope)
        .into_iter()
        .map(|flaw| FieldError { pointer: flaw.pointer, code: flaw.code.into(), detail: flaw.detail })
        .collect();
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let before = before(&mut tx, actor.organization, id, version).await?;
    let next = before.as_ref().map_or(1, |(version, _)| version + 1);
    write(&mut tx, actor.organization, scope, id, next, &rules).await?;
    let event = RulesChanged {
        before: before.map(|(_, rules)| rules),
        rules: Rules { scope, scope_id: id, version: next, rules: rules.clone() },
    };
    append(&mut tx, actor.organization, &Origin::from(&*actor), &event, app.context.clock.now()).await?;
    tx.commit().await?;
    get_resource::forget_sight(&app, actor.organization).await;
    Answer::ok(next, &RulesBody { id, scope, version: next, rules })
}

/// Refuses rules on what the caller, a manager of some places, does not manage.
async fn demand_remit(tx: &mut Tx, actor: &Actor, scope: Scope, id: Uuid) -> Result<(), Problem> {
    match scope {
        Scope::Location => remit::demand_location(tx, actor, Some(LocationId(id))).await,
        Scope::Resource => {
            sight::demand(tx, actor, ResourceId(id)).await?;
            let state = states::state(tx, actor.organization, ResourceId(id)).await?;
            actor.demand_place(&state.resource.location_path)
        }
        Scope::Organization | Scope::Type | Scope::Group => actor.demand_whole(),
    }
}

/// Whether there is such a thing in the organization; groups are the user service's to know.
async fn exists(tx: &mut Tx, organization: OrganizationId, scope: Scope, id: Uuid) -> Result<bool, Problem> {
    let found = sqlx::query_scalar!(
        r#"select case $2::text
               when 'organization' then $3::uuid = $1
               when 'type' then exists (select from resources.resource_type where organization_id = $1 and id = $3)
               when 'location' then exists (select from resources.location where organization_id = $1 and id = $3)
               when 'resource' then exists (select from resources.resource where organization_id = $1 and id = $3)
               else true end as "found!""#,
        organization.0,
        name(scope)?,
        id,
    );
    Ok(found.fetch_one(&mut **tx).await?)
}

fn name(scope: Scope) -> Result<String, Problem> {
    let name = serde_json::to_value(scope).map_err(|error| Problem::internal(&error))?;
    Ok(name.as_str().unwrap_or_default().to_owned())
}

/// The rules as they are, locked, when they are of the version that the caller saw.
async fn before(
    tx: &mut Tx,
    organization: OrganizationId,
    id: Uuid,
    version: Option<IfMatch>,
) -> Result<Option<(i64, RuleSet)>, Problem> {
    let row = sqlx::query!(
        "select version, rules from resources.rules where organization_id = $1 and scope_id = $2 for update",
        organization.0,
        id,
    );
    let Some(row) = row.fetch_optional(&mut **tx).await? else { return Ok(None) };
    let Some(version) = version else {
        let detail = "Send the ETag of the rules that you have seen as If-Match.";
        return Err(Problem::new(Kind::VersionRequired, "if_match_required", detail));
    };
    version.check(row.version)?;
    let rules = serde_json::from_value(row.rules).map_err(|error| Problem::internal(&error))?;
    Ok(Some((row.version, rules)))
}

async fn write(
    tx: &mut Tx,
    organization: OrganizationId,
    scope: Scope,
    id: Uuid,
    version: i64,
    rules: &RuleSet,
) -> Result<(), Problem> {
    let document = serde_json::to_value(rules).map_err(|error| Problem::internal(&error))?;
    let written = sqlx::query!(
        "insert into resources.rules (organization_id, scope_id, scope, version, rules) values ($1, $2, $3, $4, $5)
         on conflict on constraint rules_pkey do update
             set scope = excluded.scope, version = excluded.version, rules = excluded.rules
         where resources.rules.version = excluded.version - 1",
        organization.0,
        id,
        name(scope)?,
        version,
        document,
    )
    .execute(&mut **tx)
    .await?;
    if written.rows_affected() == 0 {
        // Somebody else laid down the first at the same moment.
        return Err(Problem::new(Kind::Stale, "stale_version", "The rules were changed meanwhile."));
    }
    Ok(())
}
