//! `GET /api/v1/users`: the accounts of the organization.

use axum::extract::State;
use garde::Validate;
use kernel::role::UsersRead;
use kernel::{Email, Remit, Role, UserId};
use platform::auth::Can;
use platform::http::{Json, Page, PageQuery, Problem, Query};
use serde::Deserialize;
use utoipa::IntoParams;

use super::UserBody;
use crate::App;
use crate::account::Account;
use crate::store::accounts::Row;

/// Which accounts.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Those with this role.
    #[garde(skip)]
    pub role: Option<Role>,
    /// Those that may, or may not, sign in.
    #[garde(skip)]
    pub active: Option<bool>,
    /// The one with this address.
    #[garde(skip)]
    #[param(value_type = Option<String>, max_length = 254)]
    pub email: Option<Email>,
    /// Items on the page: 1 to 200, 50 when absent.
    #[garde(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    #[garde(length(max = 1024))]
    #[param(max_length = 1024)]
    pub cursor: Option<String>,
}

/// Accounts in the order of their ids, which is that of their making.
#[utoipa::path(
    get,
    path = "/api/v1/users",
    operation_id = "list_users",
    tag = "users",
    summary = "List accounts, oldest first",
    params(Filter),
    responses(
        (status = 200, description = "A page of accounts", body = Page<UserBody>),
        (status = 400, description = "invalid_query, invalid_cursor"),
        (status = 403, description = "permission_required")
    ),
    extensions(("x-permission" = json!("users.read")))
)]
pub async fn list_users(
    actor: Can<UsersRead>,
    State(app): State<App>,
    Query(filter): Query<Filter>,
) -> Result<Json<Page<UserBody>>, Problem> {
    let page = PageQuery { limit: filter.limit, cursor: filter.cursor };
    let after: Option<UserId> = page.after()?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    let rows = sqlx::query_as!(
        Row,
        r#"select id as "id: UserId", email as "email!", name as "name!", locale, time_zone, role as "role: Role",
                  remit as "remit: sqlx::types::Json<Remit>", phone, picture_url, preferences, attributes, active, email_verified, version, created_at, updated_at,
                  array(select group_id from users.membership m
                        where m.organization_id = account.organization_id and m.user_id = account.id) as "groups!"
           from users.account
           where organization_id = $1 and removed_at is null
             and ($2::text is null or role = $2)
             and ($3::bool is null or active = $3)
             and ($4::text is null or email = $4)
             and ($5::uuid is null or id > $5)
           order by id limit $6"#,
        actor.organization.0,
        filter.role as Option<Role>,
        filter.active,
        filter.email.as_ref().map(Email::as_str),
        after.map(|id| id.0),
        page.limit() + 1,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let accounts: Vec<Account> = rows.into_iter().map(Account::try_from).collect::<Result<_, _>>()?;
    let items = accounts.into_iter().map(UserBody::from).collect();
    Ok(Json(Page::of(items, page.limit(), |user: &UserBody| user.id)))
}
