//! Slugs that organizations have, and had: nobody else gets one.

use kernel::OrganizationId;
use platform::db::{OnConstraint as _, Tx};
use platform::http::Problem;

use crate::error::Error;
use crate::organization::DEFAULT_SLUG;

/// Slugs of an organization at most, those that it had before among them: each is lost for all others.
pub const MOST_SLUGS: usize = 10;

/// Keeps a slug for an organization.
///
/// # Errors
/// 409 `slug_taken` when another organization has it or had it; or when the database fails.
pub async fn keep(tx: &mut Tx, organization: OrganizationId, slug: &str) -> Result<(), Problem> {
    sqlx::query!(
        "insert into users.kept_slug (organization_id, slug) values ($1, $2)
         on conflict on constraint kept_slug_pkey do nothing",
        organization.0,
        slug,
    )
    .execute(&mut **tx)
    .await
    .on_constraint("kept_slug_taken", || Error::SlugTaken)?;
    Ok(())
}

/// The same for the slug that an administrator wants. `default` is what is meant where none is named: who did not have
/// it from the beginning does not get it. The organization is locked.
///
/// # Errors
/// 409 `slug_taken`, `too_many_slugs`; or when the database fails.
pub async fn choose(tx: &mut Tx, organization: OrganizationId, slug: &str) -> Result<(), Problem> {
    let kept =
        sqlx::query_scalar!("select slug from users.kept_slug where organization_id = $1", organization.0)
            .fetch_all(&mut **tx)
            .await?;
    if kept.iter().any(|own| own == slug) {
        return Ok(());
    }
    if slug == DEFAULT_SLUG {
        return Err(Error::SlugTaken.into());
    }
    if kept.len() >= MOST_SLUGS {
        return Err(Error::TooManySlugs.into());
    }
    keep(tx, organization, slug).await
}
