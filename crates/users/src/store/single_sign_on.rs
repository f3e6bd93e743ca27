//! What an organization has set about its identity provider, and the secret that we are known by there.

use contracts::users::{SingleSignOn, SingleSignOnChanged};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{OrganizationId, Role};
use platform::config::Secret;
use platform::db::Tx;
use platform::events::{self, Origin};
use platform::http::Problem;
use platform::sealing::Keyring;
use sqlx::types::Json;

use super::sealed;

/// Settings with the secret.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The settings.
    pub settings: SingleSignOn,
    /// What proves to the provider that we are who we say.
    pub secret: Secret,
}

/// The settings of the transaction's organization, if it has any.
///
/// # Errors
/// When the database fails, or the secret cannot be opened.
pub async fn load(
    tx: &mut Tx,
    keyring: &Keyring,
    organization: OrganizationId,
) -> Result<Option<Kept>, Problem> {
    let row = sqlx::query!(
        r#"select settings as "settings: Json<SingleSignOn>", client_secret from users.single_sign_on
           where organization_id = $1"#,
        organization.0,
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let secret = keyring.open(&sealed::client_secret(organization), &row.client_secret)?;
    let secret = String::from_utf8(secret.expose().to_vec()).map_err(|error| Problem::internal(&error))?;
    Ok(Some(Kept { settings: row.settings.0, secret: Secret::from(secret) }))
}

/// The same, locked against every other change until the transaction ends, also where there is none yet.
///
/// # Errors
/// When the database fails, or the secret cannot be opened.
pub async fn lock(
    tx: &mut Tx,
    keyring: &Keyring,
    organization: OrganizationId,
) -> Result<Option<Kept>, Problem> {
    sqlx::query!(
        "select from users.organization where organization_id = $1 for no key update",
        organization.0
    )
    .fetch_one(&mut **tx)
    .await?;
    load(tx, keyring, organization).await
}

/// Writes settings in place of those before, and tells of it; nothing when nothing differs.
///
/// # Errors
/// When the database fails.
pub async fn store(
    tx: &mut Tx,
    keyring: &Keyring,
    organization: OrganizationId,
    before: Option<Kept>,
    after: &Kept,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), Problem> {
    let secret_changed = before.as_ref().is_none_or(|kept| kept.secret.expose() != after.secret.expose());
    let before = before.map(|kept| kept.settings);
    if !secret_changed && before.as_ref() == Some(&after.settings) {
        return Ok(());
    }
    let secret = keyring.seal(&sealed::client_secret(organization), after.secret.expose().as_bytes())?;
    sqlx::query!(
        "insert into users.single_sign_on (organization_id, settings, client_secret, created_at, updated_at)
         values ($1, $2, $3, $4, $4)
         on conflict (organization_id) do update set settings = excluded.settings, client_secret = excluded.client_secret",
        organization.0,
        Json(&after.settings) as _,
        secret,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    let after = Some(after.settings.clone());
    let event = SingleSignOnChanged { organization_id: organization, before, after, secret_changed };
    events::append(tx, organization, origin, &event, now).await?;
    Ok(())
}

/// Turns single sign-on off, and tells of it. Whom the provider knew is kept for the day it is turned on again.
///
/// # Errors
/// When the database fails.
pub async fn remove(
    tx: &mut Tx,
    organization: OrganizationId,
    before: Kept,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), Problem> {
    sqlx::query!("delete from users.single_sign_on where organization_id = $1", organization.0)
        .execute(&mut **tx)
        .await?;
    // Nobody comes back from there any more.
    sqlx::query!("delete from users.sign_on_flow where organization_id = $1", organization.0)
        .execute(&mut **tx)
        .await?;
    let before = Some(before.settings);
    let event =
        SingleSignOnChanged { organization_id: organization, before, after: None, secret_changed: true };
    events::append(tx, organization, origin, &event, now).await?;
    Ok(())
}

/// Whether somebody of a role may sign in with a password. Administrators always may: a provider that is down or set wrongly
/// must not keep everybody out.
///
/// # Errors
/// When the database fails.
pub async fn admits_password(
    tx: &mut Tx,
    organization: OrganizationId,
    role: Role,
) -> Result<bool, sqlx::Error> {
    if role == Role::Admin {
        return Ok(true);
    }
    sqlx::query_scalar!(
        r#"select not exists (select from users.single_sign_on
           where organization_id = $1 and not (settings->'password_sign_in')::boolean) as "admits!""#,
        organization.0,
    )
    .fetch_one(&mut **tx)
    .await
}

/// Whether an administrator could sign in with a password.
///
/// # Errors
/// When the database fails.
pub async fn administrator_has_password(
    tx: &mut Tx,
    organization: OrganizationId,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from users.account a
           join users.password p on p.organization_id = a.organization_id and p.user_id = a.id
           where a.organization_id = $1 and a.active and a.role = 'admin' and not a.service) as "exists!""#,
        organization.0,
    )
    .fetch_one(&mut **tx)
    .await
}
