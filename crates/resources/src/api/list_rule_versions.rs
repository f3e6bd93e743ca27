//! `GET /api/v1/rules/{id}/versions`: every version of the rules of something, with who laid it down and when.

use axum::extract::State;
use contracts::rules::{RuleSet, Rules, RulesChanged, Scope};
use jiff::Timestamp;
use kernel::role::CatalogueManage;
use kernel::{Event as _, ResourceId, UserId};
use platform::auth::Can;
use platform::http::{Json, Page, PageQuery, Path, Problem, Query};
use serde::{Deserialize as _, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::store::sight::Sight;

/// A version of rules.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleVersion {
    /// Its number, from 1.
    pub version: i64,
    /// What the rules are laid on.
    pub scope: Scope,
    /// When it was laid down.
    pub created_at: Timestamp,
    /// By whom; null when nobody did.
    pub created_by: Option<UserId>,
    /// For whom, when it was another.
    pub on_behalf_of: Option<UserId>,
    /// The rules as they were then: put again, they hold again.
    #[serde(flatten)]
    pub rules: RuleSet,
}

/// All versions, the newest first. They are kept as the events that told of them.
#[utoipa::path(
    get,
    path = "/api/v1/rules/{id}/versions",
    operation_id = "list_rule_versions",
    tag = "rules",
    summary = "Read every version of the rules of something",
    description = "The newest first. To go back to one, put its policy, schedule and prices again.",
    params(("id" = Uuid, Path, description = "The organization, type, location, resource or group"), PageQuery),
    responses(
        (status = 200, description = "A page of versions", body = Page<RuleVersion>),
        (status = 400, description = "invalid_query, invalid_cursor"),
        (status = 404, description = "not_found: nothing was ever laid on it")
    ),
    extensions(("x-permission" = json!("catalogue.manage")))
)]
pub async fn list_rule_versions(
    actor: Can<CatalogueManage>,
    State(app): State<App>,
    Path(id): Path<Uuid>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<RuleVersion>>, Problem> {
    let after: Option<i64> = page.after()?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    let rows = sqlx::query!(
        r#"select e.stream_version, e.actor_id, e.on_behalf_of, e.occurred_at, e.data from resources.event e
           where e.organization_id = $1 and e.stream_id = $2 and e.stream = 'rules' and e.type = $3
             and ($4::bigint is null or e.stream_version < $4)
           order by e.stream_version desc limit $5"#,
        actor.organization.0,
        id,
        RulesChanged::TYPE,
        after,
        page.limit() + 1,
    )
    .fetch_all(&mut *tx)
    .await?;
    let versions = rows.into_iter().map(|row| {
        let Rules { scope, version, rules, .. } = Rules::deserialize(row.data)?;
        let entry = RuleVersion {
            version,
            scope,
            created_at: row.occurred_at.to_jiff(),
            created_by: row.actor_id.map(UserId),
            on_behalf_of: row.on_behalf_of.map(UserId),
            rules,
        };
        Ok((row.stream_version, entry))
    });
    let versions: Result<Vec<(i64, RuleVersion)>, serde_json::Error> = versions.collect();
    let versions = versions.map_err(|error| Problem::internal(&error))?;
    let of_resource = versions.iter().any(|(_, version)| version.scope == Scope::Resource);
    let resource = of_resource.then_some(ResourceId(id));
    let sight = Sight::of(&mut tx, &actor).await?;
    let is_hidden = sight.among(&mut tx, actor.organization, resource).await?.len() < resource.iter().len();
    if is_hidden || (versions.is_empty() && after.is_none()) {
        return Err(Problem::not_found("set of rules"));
    }
    let page = Page::of(versions, page.limit(), |(place, _)| *place);
    let items = page.items.into_iter().map(|(_, version)| version).collect();
    Ok(Json(Page { items, next_cursor: page.next_cursor }))
}
