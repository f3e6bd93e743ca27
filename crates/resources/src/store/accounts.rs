//! Who is in which group: this service's own copy.

use std::collections::BTreeSet;

use kernel::{GroupId, OrganizationId, UserId};
use platform::db::Tx;
use platform::http::Problem;
use uuid::Uuid;

/// What is kept of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub id: UserId,
    /// The publisher's version: an older event never overwrites a newer one.
    pub version: i64,
    /// The groups they are in.
    pub groups: BTreeSet<GroupId>,
}

impl Account {
    /// Of somebody who was removed: nothing comes after that.
    #[must_use]
    pub const fn gone(id: UserId) -> Self {
        Self { id, version: i64::MAX, groups: BTreeSet::new() }
    }
}

/// Keeps what the user service told of an account, unless something newer is known.
///
/// # Errors
/// When the database fails.
pub async fn keep(tx: &mut Tx, organization: OrganizationId, account: &Account) -> Result<(), Problem> {
    let groups: Vec<Uuid> = account.groups.iter().map(|group| group.0).collect();
    sqlx::query!(
        "insert into resources.account (organization_id, id, version, groups) values ($1, $2, $3, $4)
         on conflict on constraint account_pkey do update set version = excluded.version, groups = excluded.groups
         where resources.account.version <= excluded.version",
        organization.0,
        account.id.0,
        account.version,
        &groups,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The groups somebody is in; none when nothing is known of them.
///
/// # Errors
/// When the database fails.
pub async fn groups(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
) -> Result<BTreeSet<GroupId>, Problem> {
    let groups = sqlx::query_scalar!(
        "select groups from resources.account where organization_id = $1 and id = $2",
        organization.0,
        user.0,
    );
    let groups = groups.fetch_optional(&mut **tx).await?.unwrap_or_default();
    Ok(groups.into_iter().map(GroupId).collect())
}
