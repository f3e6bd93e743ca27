//! `GET /api/v1/api-keys`: the keys of the caller, or of everybody.

use axum::extract::State;
use garde::Validate;
use jiff::Timestamp;
use kernel::role::{ProfileOwn, UsersManage};
use kernel::{ApiKeyId, Kind, UserId};
use platform::auth::Can;
use platform::http::{Json, Page, PageQuery, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::App;
use crate::client_key::client_id;

/// Which keys.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Those of this account; of the caller when absent. Others' are for those who may manage users.
    #[garde(skip)]
    pub user_id: Option<UserId>,
    /// Items on the page: 1 to 200, 50 when absent.
    #[garde(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    #[garde(length(max = 1024))]
    #[param(max_length = 1024)]
    pub cursor: Option<String>,
}

/// A key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct Body {
    /// Its id.
    pub id: ApiKeyId,
    /// What the token endpoint takes as `client_id`.
    pub client_id: String,
    /// What people call it.
    #[schema(example = "Door displays")]
    pub name: String,
    /// Whose rights it has at most.
    pub user_id: UserId,
    /// The permissions that it has.
    #[schema(example = json!(["catalogue.read"]))]
    pub scopes: Vec<String>,
    /// Who made it, and has seen its secret.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// When it was last exchanged for an access token.
    pub last_used_at: Option<Timestamp>,
    /// From which address.
    #[schema(example = "192.0.2.7")]
    pub last_address: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Lists keys, oldest first, also those that work no more.
#[utoipa::path(
    get,
    path = "/api/v1/api-keys",
    operation_id = "list_api_keys",
    tag = "api keys",
    summary = "List API keys, oldest first",
    params(Filter),
    responses(
        (status = 200, description = "A page of keys, without their secrets", body = Page<Body>),
        (status = 400, description = "invalid_query, invalid_cursor"),
        (status = 403, description = "permission_required")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn list_api_keys(
    actor: Can<ProfileOwn>,
    State(app): State<App>,
    Query(filter): Query<Filter>,
) -> Result<Json<Page<Body>>, Problem> {
    let user = filter.user_id.unwrap_or(actor.user);
    if user != actor.user && !actor.may::<UsersManage>() {
        let detail = "Keys of others need the permission users.manage.";
        return Err(Problem::new(Kind::Forbidden, "permission_required", detail));
    }
    let page = PageQuery { limit: filter.limit, cursor: filter.cursor };
    let after: Option<ApiKeyId> = page.after()?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    let rows = sqlx::query!(
        r#"select id as "id: ApiKeyId", name, scopes, created_by as "created_by: UserId", created_at, expires_at,
                  last_used_at, last_address, revoked_at
           from users.api_key
           where organization_id = $1 and user_id = $2 and ($3::uuid is null or id > $3) order by id limit $4"#,
        actor.organization.0,
        user.0,
        after.map(|id| id.0),
        page.limit() + 1,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let items = rows.into_iter().map(|row| Body {
        client_id: client_id(actor.organization, row.id),
        id: row.id,
        name: row.name,
        user_id: user,
        scopes: row.scopes,
        created_by: row.created_by,
        created_at: row.created_at.to_jiff(),
        expires_at: row.expires_at.to_jiff(),
        last_used_at: row.last_used_at.map(|at| at.to_jiff()),
        last_address: row.last_address,
        revoked_at: row.revoked_at.map(|at| at.to_jiff()),
    });
    Ok(Json(Page::of(items.collect(), page.limit(), |key| key.id)))
}
