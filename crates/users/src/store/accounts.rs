//! Accounts: made, read, locked, and the rule that an organization keeps an administrator.

use contracts::users::UserCreated;
use jiff_sqlx::ToSqlx as _;
use kernel::{Email, GroupId, OrganizationId, Remit, Role, UserId};
use platform::db::{OnConstraint as _, Tx};
use platform::events::{self, Origin};
use platform::http::Problem;
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::account::Account;
use crate::error::Error;
use crate::store::group_rules;
use crate::store::memberships::{self, By};

/// An account as the database has it.
#[derive(Debug)]
pub struct Row {
    /// Its id.
    pub id: UserId,
    /// Its address, as text.
    pub email: String,
    /// How to address the person.
    pub name: String,
    /// Their language.
    pub locale: String,
    /// Their zone.
    pub time_zone: String,
    /// Their phone number (E.164).
    pub phone: Option<String>,
    /// Where a picture of them is.
    pub picture_url: Option<String>,
    /// What programs remember for them.
    pub preferences: Value,
    /// What the organization knows of them.
    pub attributes: Value,
    /// What they are.
    pub role: Role,
    /// What they are limited to, as managers.
    pub remit: Option<Json<Remit>>,
    /// Whether they may sign in.
    pub active: bool,
    /// Whether the address was shown to be theirs.
    pub email_verified: bool,
    /// The groups they are in.
    pub groups: Vec<Uuid>,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: jiff_sqlx::Timestamp,
    /// When it was last changed.
    pub updated_at: jiff_sqlx::Timestamp,
}

impl TryFrom<Row> for Account {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.id,
            email: Email::try_from(row.email).map_err(|error| sqlx::Error::Decode(error.into()))?,
            name: row.name,
            locale: row.locale,
            time_zone: row.time_zone,
            phone: row.phone,
            picture_url: row.picture_url,
            preferences: row.preferences,
            attributes: serde_json::from_value(row.attributes)
                .map_err(|error| sqlx::Error::Decode(error.into()))?,
            role: row.role,
            remit: row.remit.map(|remit| remit.0),
            active: row.active,
            email_verified: row.email_verified,
            groups: row.groups.into_iter().map(GroupId).collect(),
            version: row.version,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
        })
    }
}

/// What events tell of an account.
impl From<&Account> for contracts::users::Account {
    fn from(account: &Account) -> Self {
        Self {
            role: account.role,
            active: account.active,
            version: account.version,
            groups: account.groups.clone(),
            remit: account.remit.clone(),
        }
    }
}

/// Makes an account that signs in with a password, and tells of it; gives it with all its groups, those by rule as well.
///
/// # Errors
/// 409 `email_taken`, or when the database fails.
pub async fn create(
    tx: &mut Tx,
    organization: OrganizationId,
    account: &Account,
    password_hash: &str,
    origin: &Origin,
) -> Result<Account, Problem> {
    let now = account.created_at;
    let account = insert(tx, organization, account, false).await?;
    sqlx::query!(
        "insert into users.password (organization_id, user_id, hash, created_at, updated_at)
         values ($1, $2, $3, $4, $4)",
        organization.0,
        account.id.0,
        password_hash,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    let event = UserCreated { user_id: account.id, account: (&account).into() };
    events::append(tx, organization, origin, &event, now).await?;
    Ok(account)
}

/// Makes an account of a program, which has no password, and tells of it.
///
/// # Errors
/// When the database fails.
pub async fn create_service(
    tx: &mut Tx,
    organization: OrganizationId,
    account: &Account,
    origin: &Origin,
) -> Result<(), Problem> {
    let account = insert(tx, organization, account, true).await?;
    let event = UserCreated { user_id: account.id, account: (&account).into() };
    events::append(tx, organization, origin, &event, account.created_at).await?;
    Ok(())
}

/// Writes a new account, and puts it into its groups: those it names, by hand, and those whose rule it meets.
async fn insert(
    tx: &mut Tx,
    organization: OrganizationId,
    account: &Account,
    service: bool,
) -> Result<Account, Problem> {
    sqlx::query!(
        "insert into users.account (organization_id, id, email, name, locale, time_zone, role, active, email_verified,
                                    version, created_at, updated_at, service, attributes, remit)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12, $13, $14)",
        organization.0,
        account.id.0,
        account.email.as_str(),
        account.name,
        account.locale,
        account.time_zone,
        account.role as Role,
        account.active,
        account.email_verified,
        account.version,
        account.created_at.to_sqlx(),
        service,
        serde_json::json!(account.attributes),
        account.remit.as_ref().map(Json) as Option<Json<&Remit>>,
    )
    .execute(&mut **tx)
    .await
    .on_constraint("account_email", || Error::EmailTaken)?;
    let by_hand: Vec<_> = account.groups.iter().map(|group| (account.id, *group)).collect();
    memberships::put(tx, organization, By::Hand, &by_hand).await?;
    group_rules::settle_one(tx, organization, account).await
}

/// An account that has not been removed.
///
/// # Errors
/// When the database fails.
pub async fn load(
    tx: &mut Tx,
    organization: OrganizationId,
    id: UserId,
) -> Result<Option<Account>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"select id as "id: UserId", email as "email!", name as "name!", locale, time_zone, role as "role: Role",
                  remit as "remit: Json<Remit>", phone, picture_url, preferences, attributes, active, email_verified, version, created_at, updated_at,
                  array(select group_id from users.membership m
                        where m.organization_id = account.organization_id and m.user_id = account.id) as "groups!"
           from users.account where organization_id = $1 and id = $2 and removed_at is null"#,
        organization.0,
        id.0,
    )
    .fetch_optional(&mut **tx)
    .await?;
    row.map(Account::try_from).transpose()
}

/// The id of the account with an address, if there is one.
///
/// # Errors
/// When the database fails.
pub async fn find(
    tx: &mut Tx,
    organization: OrganizationId,
    email: &Email,
) -> Result<Option<UserId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select id as "id: UserId" from users.account
           where organization_id = $1 and email = $2 and removed_at is null"#,
        organization.0,
        email.as_str(),
    )
    .fetch_optional(&mut **tx)
    .await
}

/// An account that has not been removed, locked against every other change until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn lock(
    tx: &mut Tx,
    organization: OrganizationId,
    id: UserId,
) -> Result<Option<Account>, sqlx::Error> {
    sqlx::query!(
        "select from users.account where organization_id = $1 and id = $2 for no key update",
        organization.0,
        id.0,
    )
    .fetch_optional(&mut **tx)
    .await?;
    load(tx, organization, id).await
}

/// Writes what may change about an account; gives it with its next version.
///
/// # Errors
/// When the database fails.
pub async fn store(
    tx: &mut Tx,
    organization: OrganizationId,
    account: Account,
) -> Result<Account, sqlx::Error> {
    let row = sqlx::query!(
        "update users.account
         set name = $3, locale = $4, time_zone = $5, phone = $6, picture_url = $7, preferences = $8, role = $9,
             active = $10, attributes = $11, remit = $12, version = version + 1
         where organization_id = $1 and id = $2
         returning version, updated_at",
        organization.0,
        account.id.0,
        account.name,
        account.locale,
        account.time_zone,
        account.phone,
        account.picture_url,
        account.preferences,
        account.role as Role,
        account.active,
        serde_json::json!(account.attributes),
        account.remit.as_ref().map(Json) as Option<Json<&Remit>>,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(Account { version: row.version, updated_at: row.updated_at.to_jiff(), ..account })
}

/// Makes sure that the organization can be administered without an account that is about to be lost for it.
///
/// # Errors
/// 409 `last_administrator`, or when the database fails.
pub async fn keep_administrator(
    tx: &mut Tx,
    organization: OrganizationId,
    without: UserId,
) -> Result<(), Problem> {
    // One at a time for each organization: two administrators who demote each other both see the other still there.
    sqlx::query!(
        "select from users.organization where organization_id = $1 for no key update",
        organization.0
    )
    .fetch_one(&mut **tx)
    .await?;
    let others = sqlx::query_scalar!(
        r#"select exists (select from users.account
           where organization_id = $1 and active and role = 'admin' and not service and id <> $2) as "exists!""#,
        organization.0,
        without.0,
    )
    .fetch_one(&mut **tx)
    .await?;
    if others { Ok(()) } else { Err(Error::LastAdministrator.into()) }
}

/// How many people administer an organization.
///
/// # Errors
/// When the database fails.
pub async fn count_administrators(tx: &mut Tx, organization: OrganizationId) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from users.account
           where organization_id = $1 and active and role = 'admin' and not service"#,
        organization.0,
    )
    .fetch_one(&mut **tx)
    .await
}
