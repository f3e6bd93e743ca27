//! Accounts by the thousand, for imports.

use contracts::users::UserCreated;
use jiff_sqlx::ToSqlx as _;
use kernel::{OrganizationId, Remit, Role, UserId};
use platform::db::{OnConstraint as _, Tx};
use platform::events::{self, Origin};
use platform::http::Problem;
use sqlx::types::Json;
use uuid::Uuid;

use crate::account::Account;
use crate::error::Error;
use crate::store::accounts::Row;
use crate::store::group_rules;
use crate::store::memberships::{self, By};

/// Locks the accounts with one of these addresses against every other change until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn lock_all(
    tx: &mut Tx,
    organization: OrganizationId,
    emails: &[String],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "select from users.account where organization_id = $1 and email = any($2) and removed_at is null
         order by id for no key update",
        organization.0,
        emails,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(())
}

/// The accounts with one of these addresses.
///
/// # Errors
/// When the database fails.
pub async fn find_all(
    tx: &mut Tx,
    organization: OrganizationId,
    emails: &[String],
) -> Result<Vec<Account>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id as "id: UserId", email as "email!", name as "name!", locale, time_zone, role as "role: Role",
                  remit as "remit: Json<Remit>", phone, picture_url, preferences, attributes, active, email_verified, version, created_at, updated_at,
                  array(select group_id from users.membership m
                        where m.organization_id = account.organization_id and m.user_id = account.id) as "groups!"
           from users.account where organization_id = $1 and email = any($2) and removed_at is null"#,
        organization.0,
        emails,
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter().map(Account::try_from).collect()
}

/// Makes accounts that have no password yet, all at one time, in the groups that they name and those whose rule they
/// meet, and tells of each.
///
/// # Errors
/// 409 `email_taken`, or when the database fails.
pub async fn create_all(
    tx: &mut Tx,
    organization: OrganizationId,
    accounts: &[Account],
    origin: &Origin,
) -> Result<(), Problem> {
    let Some(now) = accounts.first().map(|account| account.created_at) else { return Ok(()) };
    let ids: Vec<Uuid> = accounts.iter().map(|account| account.id.0).collect();
    let texts = |of: fn(&Account) -> &str| -> Vec<String> {
        accounts.iter().map(|account| of(account).to_owned()).collect()
    };
    let attributes: Vec<serde_json::Value> =
        accounts.iter().map(|account| serde_json::json!(account.attributes)).collect();
    let active: Vec<bool> = accounts.iter().map(|account| account.active).collect();
    sqlx::query!(
        "insert into users.account (organization_id, id, email, name, locale, time_zone, role, active, email_verified,
                                    version, created_at, updated_at, attributes)
         select $1, id, email, name, locale, time_zone, role, active, true, 1, $9, $9, attributes
         from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bool[], $10::jsonb[])
           as t (id, email, name, locale, time_zone, role, active, attributes)",
        organization.0,
        &ids,
        &texts(|account| account.email.as_str()),
        &texts(|account| &account.name),
        &texts(|account| &account.locale),
        &texts(|account| &account.time_zone),
        &texts(|account| match account.role {
            Role::User => "user",
            Role::Manager => "manager",
            Role::Admin => "admin",
        }),
        &active,
        now.to_sqlx(),
        &attributes,
    )
    .execute(&mut **tx)
    .await
    .on_constraint("account_email", || Error::EmailTaken)?;
    let by_hand: Vec<_> =
        accounts.iter().flat_map(|account| account.groups.iter().map(|group| (account.id, *group))).collect();
    memberships::put(tx, organization, By::Hand, &by_hand).await?;
    let mut accounts = accounts.to_vec();
    group_rules::settle(tx, organization, &mut accounts).await?;
    for account in &accounts {
        let event = UserCreated { user_id: account.id, account: account.into() };
        events::append(tx, organization, origin, &event, now).await?;
    }
    Ok(())
}

/// The next accounts after one, by id, locked against every other change until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn lock_after(
    tx: &mut Tx,
    organization: OrganizationId,
    after: Option<Uuid>,
    most: i64,
) -> Result<Vec<Account>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "select id from users.account
         where organization_id = $1 and removed_at is null and ($2::uuid is null or id > $2)
         order by id limit $3 for no key update",
        organization.0,
        after,
        most,
    )
    .fetch_all(&mut **tx)
    .await?;
    load_all(tx, organization, &ids).await
}

/// Accounts by their ids, locked likewise; those that are not there are left out.
///
/// # Errors
/// When the database fails.
pub async fn lock_by_id(
    tx: &mut Tx,
    organization: OrganizationId,
    ids: &[Uuid],
) -> Result<Vec<Account>, sqlx::Error> {
    sqlx::query!(
        "select from users.account where organization_id = $1 and id = any($2) order by id for no key update",
        organization.0,
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    load_all(tx, organization, ids).await
}

/// Accounts by their ids, in the order of the ids. Whoever holds their locks before reads groups as they are now.
///
/// # Errors
/// When the database fails.
pub async fn load_all(
    tx: &mut Tx,
    organization: OrganizationId,
    ids: &[Uuid],
) -> Result<Vec<Account>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id as "id: UserId", email as "email!", name as "name!", locale, time_zone, role as "role: Role",
                  remit as "remit: Json<Remit>", phone, picture_url, preferences, attributes, active, email_verified, version, created_at, updated_at,
                  array(select group_id from users.membership m
                        where m.organization_id = account.organization_id and m.user_id = account.id) as "groups!"
           from users.account where organization_id = $1 and id = any($2) and removed_at is null order by id"#,
        organization.0,
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter().map(Account::try_from).collect()
}
