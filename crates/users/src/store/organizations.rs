//! Organizations: by name for those who are not signed in yet, by id for those who are.

use kernel::OrganizationId;
use platform::db::{Db, Tx};

use crate::naming::Naming;
use crate::organization::{DEFAULT_SLUG, Organization};

/// What someone who is not signed in can learn of an organization.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// Its id.
    pub id: OrganizationId,
    /// Whether strangers may register.
    pub self_registration: bool,
}

/// The organization that a request means, unless it is disabled: the slug that it names, in the body before the header;
/// else the one that its host name leads to; else the only one that there is; else `default`.
///
/// # Errors
/// When the database fails.
pub async fn find(db: &Db, slug: Option<&str>, naming: &Naming) -> Result<Option<Found>, sqlx::Error> {
    let slug = slug.or(naming.slug.as_deref());
    let mut tx = db.begin_as_finder().await?;
    let found = sqlx::query_as!(
        Found,
        r#"select organization_id as "id: OrganizationId", self_registration from users.organization
           where active and case when $1::text is not null then slug = $1 else organization_id = coalesce(
             (select h.organization_id from users.organization_host h where h.host = $2),
             (select (array_agg(o.organization_id))[1] from (select organization_id from users.organization limit 2) o
              having count(*) = 1),
             (select organization_id from users.organization where slug = $3)) end"#,
        slug,
        naming.host,
        DEFAULT_SLUG,
    )
    .fetch_optional(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(found)
}

/// The id of the organization with a slug, disabled or not; for the operator.
///
/// # Errors
/// When the database fails.
pub async fn find_any(db: &Db, slug: &str) -> Result<Option<OrganizationId>, sqlx::Error> {
    let mut tx = db.begin_as_finder().await?;
    let id = sqlx::query_scalar!(
        r#"select organization_id as "id: OrganizationId" from users.organization where slug = $1"#,
        slug,
    )
    .fetch_optional(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(id)
}

/// Ids and slugs of the organizations after a slug, by slug; for the operator.
///
/// # Errors
/// When the database fails.
pub async fn page(db: &Db, after: &str, limit: i64) -> Result<Vec<(OrganizationId, String)>, sqlx::Error> {
    let mut tx = db.begin_as_finder().await?;
    let rows = sqlx::query!(
        r#"select organization_id as "id: OrganizationId", slug from users.organization
           where slug > $1 order by slug limit $2"#,
        after,
        limit,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(rows.into_iter().map(|row| (row.id, row.slug)).collect())
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
