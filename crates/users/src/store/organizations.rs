//! Organizations: by slug for those who are not signed in yet, by id for those who are.

use kernel::OrganizationId;
use platform::db::{Db, Tx};

use crate::organization::Organization;

/// What someone who is not signed in can learn of an organization.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// Its id.
    pub id: OrganizationId,
    /// Whether strangers may register.
    pub self_registration: bool,
}

/// The organization with a slug.
///
/// # Errors
/// When the database fails.
pub async fn find(db: &Db, slug: &str) -> Result<Option<Found>, sqlx::Error> {
    let mut tx = db.begin_as_finder().await?;
    let found = sqlx::query_as!(
        Found,
        r#"select organization_id as "id: OrganizationId", self_registration from users.organization where slug = $1"#,
        slug,
    )
    .fetch_optional(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(found)
}

/// The organization of a transaction.
///
/// # Errors
/// When the database fails or there is none.
pub async fn load(tx: &mut Tx, id: OrganizationId) -> Result<Organization, sqlx::Error> {
    sqlx::query_as!(
        Organization,
        r#"select organization_id as "id: OrganizationId", slug, name, time_zone, locale
           from users.organization where organization_id = $1"#,
        id.0,
    )
    .fetch_one(&mut **tx)
    .await
}
