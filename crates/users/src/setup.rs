//! What the operator asks for on the command line: a new organization, and the first one at the first start.

use std::collections::BTreeSet;

use contracts::users::{OrganizationCreated, OrganizationSettings};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use kernel::{Email, OrganizationId, Role, UserId};
use platform::config::Secret;
use platform::db::{OnConstraint as _, Tx};
use platform::events::{self, Origin};
use platform::http::Problem;
use platform::service::Context;
use serde::Serialize;

use crate::account::Account;
use crate::config::Config;
use crate::error::Error;
use crate::hashing::Passwords;
use crate::organization::{DEFAULT_SLUG, Organization, is_slug};
use crate::password;
use crate::settings::{MOST_HOSTS, is_host};
use crate::store::{accounts, organizations, settings, slugs};

/// Requests under way may have read a moment ago that the organization is active: their tokens end as well.
const LAST_TOKENS: SignedDuration = SignedDuration::from_secs(5);

/// The account that administers a new organization.
#[derive(Debug, Clone)]
pub struct FirstAdministrator {
    /// The organization.
    pub organization_id: OrganizationId,
    /// The account.
    pub user_id: UserId,
    /// What it signs in with.
    pub email: Email,
    /// The password, when it was made up; one that was given is not told back.
    pub password: Option<Secret>,
}

/// Makes the organization `default` when there is none at all; nothing when there is, or when another replica is faster.
///
/// # Errors
/// 422 for an address or password that will not do, or when the database fails.
pub async fn bootstrap(
    context: &Context,
    config: &Config,
    admin_email: &str,
    admin_password: Option<&str>,
) -> Result<Option<FirstAdministrator>, Problem> {
    let mut tx = context.db.begin_as_finder().await?;
    let exists =
        sqlx::query_scalar!(r#"select exists (select organization_id from users.organization) as "exists!""#)
            .fetch_one(&mut *tx)
            .await?;
    tx.commit().await?;
    if exists {
        return Ok(None);
    }
    // The first organization takes registrations: an installation in which nobody can begin anything is a bad start.
    let first = New { slug: DEFAULT_SLUG, name: "Default", self_registration: true };
    let made = create(context, config, first, admin_email, admin_password).await;
    match made {
        Err(problem) if problem.code == "slug_taken" => Ok(None),
        made => made.map(Some),
    }
}

/// Makes an organization that is closed to strangers, with an administrator, whose password is made up when none is given.
///
/// # Errors
/// 409 `slug_taken`; 422 for a slug, name, address or password that will not do; or when the database fails.
pub async fn create_organization(
    context: &Context,
    config: &Config,
    slug: &str,
    name: &str,
    admin_email: &str,
    admin_password: Option<&str>,
) -> Result<FirstAdministrator, Problem> {
    create(context, config, New { slug, name, self_registration: false }, admin_email, admin_password).await
}

/// An organization to be made.
struct New<'a> {
    slug: &'a str,
    name: &'a str,
    self_registration: bool,
}

async fn create(
    context: &Context,
    config: &Config,
    new: New<'_>,
    admin_email: &str,
    admin_password: Option<&str>,
) -> Result<FirstAdministrator, Problem> {
    config.check().map_err(|line| Problem::internal(&line))?;
    let now = context.clock.now();
    let organization = organization(new.slug, new.name)?;
    let administrator = administrator(&organization, admin_email, now)?;
    let made_up = admin_password.is_none().then(password::generate);
    let given = admin_password.map(|text| Secret::from(text.to_owned()));
    let secret = made_up.clone().or(given).unwrap_or_default();
    let passwords = Passwords::new(config);
    passwords.check("/admin_password", &secret, &administrator.email, &administrator.name).await?;
    let hash = passwords.hash(&secret).await?;
    let mut tx = context.db.begin(organization.id).await?;
    insert(&mut tx, &organization, new.self_registration, now).await?;
    accounts::create(&mut tx, organization.id, &administrator, &hash, &Origin::system()).await?;
    tx.commit().await?;
    Ok(FirstAdministrator {
        organization_id: organization.id,
        user_id: administrator.id,
        email: administrator.email,
        password: made_up,
    })
}

fn organization(slug: &str, name: &str) -> Result<Organization, Problem> {
    if !is_slug(slug) {
        let detail = "A slug is 1 to 63 lower-case letters, digits and inner dashes.";
        return Err(Problem::invalid_field("/slug", "invalid_value", detail));
    }
    if !(1..=200).contains(&name.chars().count()) {
        return Err(Problem::invalid_field("/name", "invalid_value", "A name has 1 to 200 characters."));
    }
    Ok(Organization {
        id: OrganizationId::mint(),
        slug: slug.to_owned(),
        name: name.to_owned(),
        time_zone: "UTC".to_owned(),
        locale: "en".to_owned(),
    })
}

fn administrator(organization: &Organization, email: &str, now: Timestamp) -> Result<Account, Problem> {
    let email = email.parse().map_err(|error: kernel::email::EmailError| {
        Problem::invalid_field("/admin_email", "invalid_value", error.to_string())
    })?;
    let name = "Administrator".to_owned();
    // The operator vouches for the address.
    Ok(Account { email_verified: true, ..Account::new(organization, email, name, Role::Admin, now) })
}

async fn insert(
    tx: &mut Tx,
    organization: &Organization,
    self_registration: bool,
    now: Timestamp,
) -> Result<(), Problem> {
    sqlx::query!(
        "insert into users.organization (organization_id, slug, name, time_zone, locale, self_registration, version,
                                         created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, 1, $7, $7)",
        organization.id.0,
        organization.slug,
        organization.name,
        organization.time_zone,
        organization.locale,
        self_registration,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .on_constraint("organization_slug", || Error::SlugTaken)?;
    slugs::keep(tx, organization.id, &organization.slug).await?;
    let event = OrganizationCreated { organization_id: organization.id, slug: organization.slug.clone() };
    events::append(tx, organization.id, &Origin::system(), &event, now).await?;
    Ok(())
}

/// An organization as the operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Its id.
    pub id: OrganizationId,
    /// Its short name.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Whether its people may sign in.
    pub active: bool,
    /// Host names that lead to it.
    pub hosts: BTreeSet<String>,
}

/// The organizations whose slugs come after one, by slug.
///
/// # Errors
/// When the database fails.
pub async fn list_organizations(context: &Context, after: &str, limit: i64) -> Result<Vec<Listed>, Problem> {
    let mut listed = Vec::new();
    for (id, slug) in organizations::page(&context.db, after, limit).await? {
        // Nobody may read the rows of several organizations at once, not even here.
        let mut tx = context.db.begin(id).await?;
        let settings = settings::load(&mut tx, id).await?.settings;
        tx.commit().await?;
        let (name, active, hosts) = (settings.name, settings.active, settings.hosts);
        listed.push(Listed { id, slug, name, active, hosts });
    }
    Ok(listed)
}

/// Enables or disables an organization. From then on nobody of a disabled one can sign in or refresh; access tokens that
/// are out are refused by every service as soon as it has heard of it, about a second later.
///
/// # Errors
/// 404 when there is no such organization, or when the database fails.
pub async fn set_active(context: &Context, slug: &str, active: bool) -> Result<(), Problem> {
    change(context, slug, |settings| OrganizationSettings { active, ..settings }).await
}

/// Says which host names lead to an organization, in place of those so far. The operator's to say, who knows whose they
/// are: whoever signs in by a host name shows their password to the organization behind it.
///
/// # Errors
/// 404 when there is no such organization; 409 `host_taken`; 422 for what is no host name; or when the database fails.
pub async fn set_hosts(context: &Context, slug: &str, hosts: BTreeSet<String>) -> Result<(), Problem> {
    if hosts.len() > MOST_HOSTS || !hosts.iter().all(|host| is_host(host)) {
        let detail = "At most 20 host names, in lower case and without ports.";
        return Err(Problem::invalid_field("/hosts", "invalid_value", detail));
    }
    change(context, slug, |settings| OrganizationSettings { hosts, ..settings }).await
}

async fn change(
    context: &Context,
    slug: &str,
    after: impl FnOnce(OrganizationSettings) -> OrganizationSettings,
) -> Result<(), Problem> {
    let id = organizations::find_any(&context.db, slug).await?;
    let id = id.ok_or_else(|| Problem::not_found("organization"))?;
    let mut tx = context.db.begin(id).await?;
    let kept = settings::lock(&mut tx, id).await?;
    let (after, now) = (after(kept.settings.clone()), context.clock.now());
    settings::store(&mut tx, id, &kept, &after, &Origin::system(), now).await?;
    if kept.settings.active && !after.active {
        end_tokens(&mut tx, id, now + LAST_TOKENS).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Access tokens of the organization that were minted up to then are worth nothing.
async fn end_tokens(tx: &mut Tx, id: OrganizationId, until: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update users.organization set tokens_from = $2 where organization_id = $1",
        id.0,
        until.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
