//! `DELETE /api/v1/users/{id}`: an account is removed, and with it what is known of the person.

use axum::extract::State;
use contracts::users::{SessionEnd, UserRemoved};
use http::StatusCode;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::role::UsersManage;
use kernel::{OrganizationId, UserId};
use platform::auth::{Can, Fresh};
use platform::db::Tx;
use platform::events::{self, Origin};
use platform::http::{IfMatch, Path, Problem};

use crate::App;
use crate::account::Account;
use crate::store::sessions::{Ending, Which};
use crate::store::{accounts, api_keys, passwords, second_factor};

/// Removes an account.
#[utoipa::path(
    delete,
    path = "/api/v1/users/{id}",
    operation_id = "delete_user",
    tag = "users",
    summary = "Remove an account and its personal data",
    params(
        ("id" = UserId, Path, description = "The account"),
        ("If-Match" = String, Header, description = "The ETag of the version to remove")
    ),
    responses(
        (status = 204, description = "Removed; its sessions are over"),
        (status = 403, description = "permission_required, step_up_required"),
        (status = 404, description = "not_found"),
        (status = 409, description = "last_administrator"),
        (status = 412, description = "stale_version"),
        (status = 428, description = "if_match_required")
    ),
    extensions(("x-permission" = json!("users.manage")))
)]
pub async fn delete_user(
    actor: Can<UsersManage>,
    State(app): State<App>,
    Path(id): Path<UserId>,
    _: Fresh,
    version: IfMatch,
) -> Result<StatusCode, Problem> {
    let now = app.context.clock.now();
    let organization = actor.organization;
    let mut tx = app.context.db.begin(organization).await?;
    let account =
        accounts::lock(&mut tx, organization, id).await?.ok_or_else(|| Problem::not_found("user"))?;
    version.check(account.version)?;
    if account.is_administrator() {
        accounts::keep_administrator(&mut tx, organization, id).await?;
    }
    erase(&mut tx, organization, id, now).await?;
    forget_answers(&mut tx, organization, &account).await?;
    let origin = Origin::from(&*actor);
    events::append(&mut tx, organization, &origin, &UserRemoved { user_id: id }, now).await?;
    let ending = Ending { organization, user: id, reason: SessionEnd::AccountClosed, origin: &origin, now };
    ending.of(&mut tx, Which::All).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Leaves the id, which bookings and events name, and nothing of the person.
async fn erase(
    tx: &mut Tx,
    organization: OrganizationId,
    id: UserId,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update users.account
         set email = null, name = null, locale = '', time_zone = '', phone = null, picture_url = null,
             preferences = '{}', attributes = '{}', external_id = null, user_name = null, user_name_key = null,
             active = false, removed_at = $3, version = version + 1
         where organization_id = $1 and id = $2",
        organization.0,
        id.0,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "delete from users.letter where organization_id = $1 and user_id = $2",
        organization.0,
        id.0
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "delete from users.password where organization_id = $1 and user_id = $2",
        organization.0,
        id.0
    )
    .execute(&mut **tx)
    .await?;
    second_factor::remove(tx, organization, id).await?;
    passwords::forget_resets(tx, organization, id).await?;
    api_keys::forget(tx, organization, id, now).await?;
    sqlx::query!(
        "update users.session set agent = null, address = null where organization_id = $1 and user_id = $2",
        organization.0,
        id.0
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "delete from users.membership where organization_id = $1 and user_id = $2",
        organization.0,
        id.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Answers that are kept to be replayed show the person as well.
async fn forget_answers(
    tx: &mut Tx,
    organization: OrganizationId,
    account: &Account,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from users.idempotency_key
         where organization_id = $1 and (user_id = $2 or position($3::bytea in body) > 0)",
        organization.0,
        account.id.0,
        account.email.as_str().as_bytes(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
