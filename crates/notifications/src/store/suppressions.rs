//! The list of addresses that get no mail.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{OrganizationId, SuppressionId, UserId};
use platform::db::Tx;
use platform::http::Problem;

use crate::App;
use crate::suppression::{Digest, Reason};

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
