//! Addresses that get no mail any more: refused for good by their server, or put in by an administrator. Kept as digests.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{Email, OrganizationId, SuppressionId, UserId};
use platform::db::Tx;
use platform::http::Problem;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use utoipa::ToSchema;

use crate::App;

/// SHA-256 of an organization and an address.
pub type Digest = [u8; 32];

/// Why an address gets no mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = SuppressionReason)]
pub enum Reason {
    /// Its server says that there is no such mailbox.
    NoSuchAddress,
    /// An administrator put it in.
    Manual,
}

/// The digest of an address, another one in every organization.
#[must_use]
pub fn digest(organization: OrganizationId, email: &Email) -> Digest {
    let hash = sha2::Sha256::new().chain_update(organization.0.as_bytes()).chain_update(email.as_str());
    hash.finalize().into()
}

/// Whether an address gets no mail.
///
/// # Errors
/// When the database fails.
pub async fn is_suppressed(
    app: &App,
    organization: OrganizationId,
    digest: &Digest,
) -> Result<bool, Problem> {
    let mut tx = app.context.db.begin(organization).await?;
    let found = sqlx::query_scalar!(
        r#"select exists (select from notifications.suppression where organization_id = $1 and digest = $2) as "found!""#,
        organization.0,
        digest.as_slice(),
    )
    .fetch_one(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(found)
}

/// Puts an address on the list, if it is not there; gives its entry's id.
///
/// # Errors
/// When the database fails.
pub async fn insert(
    tx: &mut Tx,
    organization: OrganizationId,
    digest: &Digest,
    reason: Reason,
    user: Option<UserId>,
    now: Timestamp,
) -> Result<Option<SuppressionId>, Problem> {
    let id = sqlx::query_scalar!(
        r#"insert into notifications.suppression (organization_id, id, digest, reason, user_id, created_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict on constraint suppression_once do nothing
         returning id as "id: SuppressionId""#,
        organization.0,
        SuppressionId::mint().0,
        digest.as_slice(),
        reason as Reason,
        user.map(|user| user.0),
        now.to_sqlx(),
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(id)
}
