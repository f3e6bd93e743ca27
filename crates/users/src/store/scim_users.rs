//! Accounts as provisioning looks for them. What it deleted is hidden until somebody activates it again; programs' accounts
//! are not its own.

use std::collections::HashMap;

use kernel::{Email, OrganizationId, UserId};
use platform::db::{OnConstraint as _, Tx};
use platform::http::Problem;
use uuid::Uuid;

use crate::error::Error;
use crate::scim::person::{Provisioned, Wish};
use crate::store::account_batches;

/// What an account is known by.
type Names = (Option<String>, Option<String>);

/// A page of the accounts that meet a wish, by id, and how many do in all.
///
/// # Errors
/// When the database fails.
pub async fn list(
    tx: &mut Tx,
    organization: OrganizationId,
    wish: &Wish,
    skip: i64,
    most: i64,
) -> Result<(i64, Vec<Provisioned>), sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id, external_id, user_name, count(*) over () as "total!" from users.account
           where organization_id = $1 and removed_at is null and not service and not (deprovisioned and not active)
             and ($2::text is null or user_name_key = $2 or (user_name_key is null and email = $2))
             and ($3::text is null or external_id = $3) and ($4::uuid is null or id = $4)
             and ($5::text is null or email = $5) and ($6::bool is null or active = $6)
           order by id offset $7 limit $8"#,
        organization.0,
        wish.user_name,
        wish.external_id,
        wish.id,
        wish.email,
        wish.active,
        skip,
        // One at least, so that the total is told when none is asked for.
        most.max(1),
    )
    .fetch_all(&mut **tx)
    .await?;
    let total = match rows.first() {
        Some(row) => row.total,
        // Past the end, or nothing at all.
        None if skip > 0 => Box::pin(list(tx, organization, wish, 0, 0)).await?.0,
        None => 0,
    };
    if most == 0 {
        return Ok((total, Vec::new()));
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut names: HashMap<Uuid, Names> =
        rows.into_iter().map(|row| (row.id, (row.external_id, row.user_name))).collect();
    let accounts = account_batches::load_all(tx, organization, &ids).await?;
    let named = accounts.into_iter().map(|account| {
        let (external_id, user_name) = names.remove(&account.id.0).unwrap_or_default();
        Provisioned { account, external_id, user_name }
    });
    Ok((total, named.collect()))
}

/// An account that is shown to provisioning.
///
/// # Errors
/// When the database fails.
pub async fn load(
    tx: &mut Tx,
    organization: OrganizationId,
    id: Uuid,
) -> Result<Option<Provisioned>, sqlx::Error> {
    let wish = Wish { id: Some(id), ..Wish::default() };
    Ok(list(tx, organization, &wish, 0, 1).await?.1.pop())
}

/// The same, locked against every other change until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn lock(
    tx: &mut Tx,
    organization: OrganizationId,
    id: Uuid,
) -> Result<Option<Provisioned>, sqlx::Error> {
    account_batches::lock_by_id(tx, organization, &[id]).await?;
    load(tx, organization, id).await
}

/// An account that provisioning deleted, with this address, locked likewise.
///
/// # Errors
/// When the database fails.
pub async fn lock_deleted(
    tx: &mut Tx,
    organization: OrganizationId,
    email: &Email,
) -> Result<Option<Provisioned>, sqlx::Error> {
    let id = sqlx::query_scalar!(
        "select id from users.account
         where organization_id = $1 and email = $2 and removed_at is null and not service
           and deprovisioned and not active for no key update",
        organization.0,
        email.as_str(),
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(id) = id else { return Ok(None) };
    let account = account_batches::load_all(tx, organization, &[id]).await?.pop();
    Ok(account.map(|account| Provisioned { account, external_id: None, user_name: None }))
}

/// Whether another account than one is known by a name.
///
/// # Errors
/// When the database fails.
pub async fn is_taken(
    tx: &mut Tx,
    organization: OrganizationId,
    user_name: &str,
    except: Option<UserId>,
) -> Result<bool, sqlx::Error> {
    let wish = Wish { user_name: Some(user_name.to_lowercase()), ..Wish::default() };
    let found = list(tx, organization, &wish, 0, 2).await?.1;
    Ok(found.iter().any(|other| Some(other.account.id) != except))
}

/// Writes what provisioning knows an account by, and that it is there again.
///
/// # Errors
/// 409 `email_taken` when another account is known by the name, or when the database fails.
pub async fn know(
    tx: &mut Tx,
    organization: OrganizationId,
    id: UserId,
    user_name: &str,
    external_id: Option<&str>,
) -> Result<(), Problem> {
    sqlx::query!(
        "update users.account set user_name = $3, user_name_key = $4, external_id = $5, deprovisioned = false
         where organization_id = $1 and id = $2",
        organization.0,
        id.0,
        user_name,
        user_name.to_lowercase(),
        external_id,
    )
    .execute(&mut **tx)
    .await
    .on_constraint("account_user_name", || Error::EmailTaken)?;
    Ok(())
}

/// Hides an account that provisioning deleted, and forgets what it was known by; it is inactive already.
///
/// # Errors
/// When the database fails.
pub async fn hide(tx: &mut Tx, organization: OrganizationId, id: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update users.account
         set user_name = null, user_name_key = null, external_id = null, deprovisioned = true
         where organization_id = $1 and id = $2",
        organization.0,
        id.0,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gives an account another address, for which provisioning vouches; the version is the caller's to raise.
///
/// # Errors
/// 409 `email_taken`, or when the database fails.
pub async fn readdress(
    tx: &mut Tx,
    organization: OrganizationId,
    id: UserId,
    email: &Email,
) -> Result<(), Problem> {
    sqlx::query!(
        "update users.account set email = $3, email_verified = true where organization_id = $1 and id = $2",
        organization.0,
        id.0,
        email.as_str(),
    )
    .execute(&mut **tx)
    .await
    .on_constraint("account_email", || Error::EmailTaken)?;
    Ok(())
}
