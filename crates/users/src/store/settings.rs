//! An organization's settings: read, locked, written with an event; and whether a session keeps to them.

use contracts::users::{Branding, OrganizationChanged, OrganizationSettings, Verification};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{OrganizationId, UserId};
use platform::db::{OnConstraint as _, Tx};
use platform::events::{self, Origin};
use platform::http::Problem;

use super::{accounts, slugs};
use crate::error::Error;
use crate::opaque_token::RefreshToken;
use crate::settings::{demands_verification, differences};

/// Settings and their version.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The settings.
    pub settings: OrganizationSettings,
    /// Grows by one with every change.
    pub version: i64,
}

/// The settings of the transaction's organization.
///
/// # Errors
/// When the database fails or there is no such organization.
pub async fn load(tx: &mut Tx, id: OrganizationId) -> Result<Kept, Problem> {
    let row = sqlx::query!(
        r#"select slug, name, time_zone, locale, active, self_registration, email_domains, verification,
                  session_idle_minutes, session_absolute_days, password_min_length, primary_colour, accent_colour,
                  version,
                  array(select host from users.organization_host h
                        where h.organization_id = organization.organization_id) as "hosts!"
           from users.organization where organization_id = $1"#,
        id.0,
    )
    .fetch_one(&mut **tx)
    .await?;
    // The constraints of the table keep the numbers positive.
    let number = |value: i32| u32::try_from(value).unwrap_or_default();
    let settings = OrganizationSettings {
        slug: row.slug,
        name: row.name,
        time_zone: row.time_zone,
        locale: row.locale,
        active: row.active,
        self_registration: row.self_registration,
        hosts: row.hosts.into_iter().collect(),
        email_domains: row.email_domains.into_iter().collect(),
        verification: verification(&row.verification)?,
        session_idle_minutes: number(row.session_idle_minutes),
        session_absolute_days: number(row.session_absolute_days),
        password_min_length: number(row.password_min_length),
        branding: Branding { primary: row.primary_colour, accent: row.accent_colour },
    };
    Ok(Kept { settings, version: row.version })
}

fn verification(text: &str) -> Result<Verification, Problem> {
    serde_json::from_value(text.into()).map_err(|error| Problem::internal(&error))
}

fn word(verification: Verification) -> &'static str {
    match verification {
        Verification::Installation => "installation",
        Verification::Demanded => "demanded",
        Verification::Optional => "optional",
    }
}

/// The same, locked against every other change until the transaction ends.
///
/// # Errors
/// When the database fails or there is no such organization.
pub async fn lock(tx: &mut Tx, id: OrganizationId) -> Result<Kept, Problem> {
    sqlx::query!("select from users.organization where organization_id = $1 for no key update", id.0)
        .fetch_one(&mut **tx)
        .await?;
    load(tx, id).await
}

/// Writes settings that differ from those kept, and tells of it; gives the version then.
///
/// # Errors
/// 409 `slug_taken`, `too_many_slugs`, `host_taken`, or when the database fails.
pub async fn store(
    tx: &mut Tx,
    id: OrganizationId,
    kept: &Kept,
    after: &OrganizationSettings,
    origin: &Origin,
    now: Timestamp,
) -> Result<i64, Problem> {
    let fields = differences(&kept.settings, after);
    if fields.is_empty() {
        return Ok(kept.version);
    }
    if kept.settings.slug != after.slug {
        slugs::choose(tx, id, &after.slug).await?;
    }
    let signed = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    let domains: Vec<String> = after.email_domains.iter().cloned().collect();
    sqlx::query!(
        "update users.organization
         set slug = $2, name = $3, time_zone = $4, locale = $5, active = $6, self_registration = $7, email_domains = $8,
             verification = $9, session_idle_minutes = $10, session_absolute_days = $11, password_min_length = $12,
             primary_colour = $13, accent_colour = $14, version = version + 1
         where organization_id = $1",
        id.0,
        after.slug,
        after.name,
        after.time_zone,
        after.locale,
        after.active,
        after.self_registration,
        &domains,
        word(after.verification),
        signed(after.session_idle_minutes),
        signed(after.session_absolute_days),
        signed(after.password_min_length),
        after.branding.primary,
        after.branding.accent,
    )
    .execute(&mut **tx)
    .await
    .on_constraint("organization_slug", || Error::SlugTaken)?;
    if kept.settings.hosts != after.hosts {
        replace_hosts(tx, id, after).await?;
    }
    let (before, after) = (kept.settings.clone(), after.clone());
    let event = OrganizationChanged { organization_id: id, before, after, fields };
    events::append(tx, id, origin, &event, now).await?;
    Ok(kept.version + 1)
}

async fn replace_hosts(tx: &mut Tx, id: OrganizationId, after: &OrganizationSettings) -> Result<(), Problem> {
    let hosts: Vec<String> = after.hosts.iter().cloned().collect();
    sqlx::query!(
        "delete from users.organization_host where organization_id = $1 and host <> all($2)",
        id.0,
        &hosts,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "insert into users.organization_host (organization_id, host)
         select $1, host from unnest($2::text[]) as t (host)
         on conflict on constraint organization_host_pkey do nothing",
        id.0,
        &hosts,
    )
    .execute(&mut **tx)
    .await
    .on_constraint("organization_host_taken", || Error::HostTaken)?;
    Ok(())
}

/// Whether the session of a refresh token may go on by the settings as they are now: the organization is active, and the
/// session neither idle nor old for too long.
///
/// # Errors
/// When the database fails.
pub async fn session_may_go_on(
    tx: &mut Tx,
    token: &RefreshToken,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (
             select from users.organization o
             join users.session s on s.organization_id = o.organization_id and s.id = $2
             join users.refresh_token t on t.organization_id = s.organization_id and t.session_id = s.id
             where o.organization_id = $1 and o.active and t.used_at is null
               and t.created_at + make_interval(mins => o.session_idle_minutes) > $3
               and s.created_at + make_interval(days => o.session_absolute_days) > $3) as "may!""#,
        token.organization.0,
        token.id.0,
        now.to_sqlx(),
    )
    .fetch_one(&mut **tx)
    .await
}

/// Whether somebody may sign in by the settings as they are now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// They may.
    Open,
    /// Their organization is disabled.
    Disabled,
    /// Their address has to be verified first.
    Unverified,
}

/// Whether an account may sign in, in an installation that demands verified addresses or not.
///
/// # Errors
/// When the database fails.
pub async fn entry(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    installation: bool,
) -> Result<Entry, Problem> {
    let settings = load(tx, organization).await?.settings;
    if !settings.active {
        return Ok(Entry::Disabled);
    }
    if !demands_verification(&settings, installation) {
        return Ok(Entry::Open);
    }
    let account = accounts::load(tx, organization, user).await?;
    let verified = account.is_some_and(|account| account.email_verified);
    Ok(if verified { Entry::Open } else { Entry::Unverified })
}
