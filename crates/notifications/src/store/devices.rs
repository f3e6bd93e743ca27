//! Devices as they are kept: addresses sealed, found again by their digest.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{DeliveryId, DeviceId, MessageId, OrganizationId, UserId};
use platform::db::Tx;
use platform::http::Problem;
use platform::sealing::Keyring;
use serde::Serialize;
use utoipa::ToSchema;

use crate::device::{Address, MOST, Provider};
use crate::error::Error;
use crate::store::sealed::device_address;

/// Something on which a person is told things. Its token or subscription is never shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// What its owner calls it.
    #[schema(example = "My telephone")]
    pub name: String,
    /// Who reaches it.
    pub provider: Provider,
    /// When it was registered the first time.
    pub created_at: Timestamp,
    /// When it was registered the last time.
    pub seen_at: Timestamp,
}

/// A registration.
#[derive(Debug)]
pub struct Registration<'a> {
    /// In which organization.
    pub organization: OrganizationId,
    /// Whose it is.
    pub user: UserId,
    /// What they call it.
    pub name: &'a str,
    /// Where it is reached.
    pub address: &'a Address,
    /// When.
    pub now: Timestamp,
}

/// A person's devices, the newest last.
///
/// # Errors
/// When the database fails.
pub async fn list(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
) -> Result<Vec<Device>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id as "id: DeviceId", name, provider as "provider: Provider", created_at, seen_at
           from notifications.device where organization_id = $1 and user_id = $2 order by id"#,
        organization.0,
        user.0,
    )
    .fetch_all(&mut **tx)
    .await?;
    let devices = rows.into_iter().map(|row| Device {
        id: row.id,
        name: row.name,
        provider: row.provider,
        created_at: row.created_at.to_jiff(),
        seen_at: row.seen_at.to_jiff(),
    });
    Ok(devices.collect())
}

/// Keeps a device; whether it is new to the person. What was another's becomes theirs, as another device: nothing that
/// waits for the other reaches it.
///
/// # Errors
/// When they have as many as they may, or the database fails.
pub async fn register(
    tx: &mut Tx,
    keyring: &Keyring,
    wanted: &Registration<'_>,
) -> Result<(DeviceId, bool), Problem> {
    let digest = wanted.address.digest(wanted.organization);
    // One at a time for a person, then for an address: both are counted and looked for before they are written.
    for lock in [format!("{}.devices", wanted.user), format!("{digest:x?}")] {
        sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", lock)
            .execute(&mut **tx)
            .await?;
    }
    let known = sqlx::query!(
        r#"select id as "id: DeviceId", user_id as "user_id: UserId" from notifications.device
           where organization_id = $1 and digest = $2 for update"#,
        wanted.organization.0,
        digest.as_slice(),
    )
    .fetch_optional(&mut **tx)
    .await?;
    if let Some(known) = known {
        if known.user_id == wanted.user {
            refresh(tx, keyring, wanted, known.id).await?;
            return Ok((known.id, false));
        }
        remove(tx, wanted.organization, known.user_id, known.id).await?;
    }
    Ok((insert(tx, keyring, wanted, &digest).await?, true))
}

async fn refresh(
    tx: &mut Tx,
    keyring: &Keyring,
    wanted: &Registration<'_>,
    id: DeviceId,
) -> Result<(), Problem> {
    sqlx::query!(
        "update notifications.device set name = $3, address = $4, seen_at = $5 where organization_id = $1 and id = $2",
        wanted.organization.0,
        id.0,
        wanted.name,
        seal(keyring, wanted, id)?,
        wanted.now.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn insert(
    tx: &mut Tx,
    keyring: &Keyring,
    wanted: &Registration<'_>,
    digest: &[u8],
) -> Result<DeviceId, Problem> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from notifications.device where organization_id = $1 and user_id = $2"#,
        wanted.organization.0,
        wanted.user.0,
    );
    if count.fetch_one(&mut **tx).await? >= MOST {
        return Err(Error::TooManyDevices.into());
    }
    let id = DeviceId::mint();
    sqlx::query!(
        "insert into notifications.device
             (organization_id, id, user_id, provider, name, digest, address, created_at, seen_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
        wanted.organization.0,
        id.0,
        wanted.user.0,
        wanted.address.provider() as Provider,
        wanted.name,
        digest,
        seal(keyring, wanted, id)?,
        wanted.now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(id)
}

fn seal(keyring: &Keyring, wanted: &Registration<'_>, id: DeviceId) -> Result<Vec<u8>, Problem> {
    let text = serde_json::to_vec(wanted.address).map_err(|error| Problem::internal(&error))?;
    Ok(keyring.seal(&device_address(wanted.organization, id), &text)?)
}

/// Where a person's device is reached; none when it is theirs no more.
///
/// # Errors
/// When its key was not handed in, or the database fails.
pub async fn address(
    tx: &mut Tx,
    keyring: &Keyring,
    (organization, user, id): (OrganizationId, UserId, DeviceId),
) -> Result<Option<Address>, Problem> {
    let sealed = sqlx::query_scalar!(
        "select address from notifications.device where organization_id = $1 and user_id = $2 and id = $3",
        organization.0,
        user.0,
        id.0,
    );
    let Some(sealed) = sealed.fetch_optional(&mut **tx).await? else { return Ok(None) };
    let opened = keyring.open(&device_address(organization, id), &sealed)?;
    serde_json::from_slice(opened.expose()).map(Some).map_err(|error| Problem::internal(&error))
}

/// Forgets a person's device; false when there is none.
///
/// # Errors
/// When the database fails.
pub async fn remove(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    id: DeviceId,
) -> Result<bool, sqlx::Error> {
    let removed = sqlx::query!(
        "delete from notifications.device where organization_id = $1 and user_id = $2 and id = $3",
        organization.0,
        user.0,
        id.0,
    );
    Ok(removed.execute(&mut **tx).await?.rows_affected() > 0)
}

/// Forgets a device that its provider calls gone, unless it was registered again since it was asked.
///
/// # Errors
/// When the database fails.
pub async fn remove_gone(
    tx: &mut Tx,
    organization: OrganizationId,
    id: DeviceId,
    asked_at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from notifications.device where organization_id = $1 and id = $2 and seen_at <= $3",
        organization.0,
        id.0,
        asked_at.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Queues a message for each of a person's devices that one of the providers reaches.
///
/// # Errors
/// When the database fails.
pub async fn queue(
    tx: &mut Tx,
    (organization, user, message): (OrganizationId, UserId, MessageId),
    providers: &[String],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let devices = sqlx::query_scalar!(
        "select id from notifications.device
         where organization_id = $1 and user_id = $2 and provider = any($3) order by id",
        organization.0,
        user.0,
        providers,
    )
    .fetch_all(&mut **tx)
    .await?;
    for device in devices {
        sqlx::query!(
            "insert into notifications.delivery (organization_id, id, message_id, channel, device_id, due_at, created_at)
             values ($1, $2, $3, 'push', $4, $5, $5)",
            organization.0,
            DeliveryId::mint().0,
            message.0,
            device,
            now.to_sqlx(),
        )
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}
