//! Erasure: a person leaves, and what is known of them goes with them. Bookings and events name the id that stays.

use contracts::users::{SessionEnd, UserRemoved};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{OrganizationId, UserId};
use platform::db::Tx;
use platform::events::{self, Origin};
use platform::http::Problem;

use crate::account::Account;
use crate::store::sessions::{Ending, Which};
use crate::store::{accounts, api_keys, identities, passwords, second_factor};

/// Removes an account that is locked, and tells all services of it.
///
/// # Errors
/// 409 `last_administrator`, or when the database fails.
pub async fn erase(
    tx: &mut Tx,
    organization: OrganizationId,
    account: &Account,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), Problem> {
    let user = account.id;
    if account.is_administrator() {
        accounts::keep_administrator(tx, organization, user).await?;
    }
    forget_account(tx, organization, user, now).await?;
    forget_address(tx, organization, account).await?;
    forget_answers(tx, organization, account).await?;
    events::append(tx, organization, origin, &UserRemoved { user_id: user }, now).await?;
    let ending = Ending { organization, user, reason: SessionEnd::AccountClosed, origin, now };
    ending.of(tx, Which::All).await?;
    Ok(())
}

/// Leaves the id, which bookings and events name, and nothing of the person.
async fn forget_account(
    tx: &mut Tx,
    organization: OrganizationId,
    id: UserId,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update users.account
         set email = null, name = null, locale = '', time_zone = '', phone = null, picture_url = null,
             preferences = '{}', attributes = '{}', remit = null, external_id = null, user_name = null, user_name_key = null,
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
    identities::forget(tx, organization, id).await?;
    passwords::forget_resets(tx, organization, id).await?;
    api_keys::forget(tx, organization, id, now).await?;
    sqlx::query!(
        "update users.api_key set name = '', last_address = null where organization_id = $1 and user_id = $2",
        organization.0,
        id.0
    )
    .execute(&mut **tx)
    .await?;
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

/// An invitation to the same address.
async fn forget_address(
    tx: &mut Tx,
    organization: OrganizationId,
    account: &Account,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from users.invitation where organization_id = $1 and email = $2",
        organization.0,
        account.email.as_str(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
