//! What of others' a caller may see and change: all of the organization, what their remit has, or nothing.

use std::collections::BTreeSet;

use kernel::role::BookingsManage;
use kernel::{OrganizationId, Remit, ResourceId, UserId};
use platform::auth::{Actor, outside_remit};
use platform::db::Tx;
use platform::http::Problem;
use uuid::Uuid;

/// How far a list reaches, as its query takes it.
#[derive(Debug, Default)]
pub struct Reach {
    /// Only what is theirs, but for what the remit has; none for all.
    pub own: Option<Uuid>,
    /// Whether there is a remit.
    pub has_remit: bool,
    /// The locations of the remit.
    pub locations: Vec<Uuid>,
    /// The groups of the remit.
    pub groups: Vec<Uuid>,
}

impl Reach {
    /// How far a caller reaches.
    #[must_use]
    pub fn of(actor: &Actor) -> Self {
        if !actor.may::<BookingsManage>() {
            return Self { own: Some(actor.user.0), ..Self::default() };
        }
        let Some(remit) = &actor.remit else { return Self::default() };
        Self {
            own: Some(actor.user.0),
            has_remit: true,
            locations: remit.locations.iter().map(|id| id.0).collect(),
            groups: remit.groups.iter().map(|id| id.0).collect(),
        }
    }
}

/// Whether the caller manages what is somebody's, on some resources. Without resources, only whoever manages the person does.
///
/// # Errors
/// When the database fails.
pub async fn covers(
    tx: &mut Tx,
    actor: &Actor,
    owner: UserId,
    resources: impl IntoIterator<Item = ResourceId>,
) -> Result<bool, Problem> {
    match &actor.remit {
        _ if !actor.may::<BookingsManage>() => Ok(false),
        None => Ok(true),
        // Nobody is their own manager by a group.
        Some(remit) if owner == actor.user => {
            let places = Remit { locations: remit.locations.clone(), ..Remit::default() };
            is_within(tx, actor.organization, &places, owner, resources).await
        }
        Some(remit) => is_within(tx, actor.organization, remit, owner, resources).await,
    }
}

/// Whether what is somebody's, on some resources, belongs to a remit.
///
/// # Errors
/// When the database fails.
pub async fn is_within(
    tx: &mut Tx,
    organization: OrganizationId,
    remit: &Remit,
    owner: UserId,
    resources: impl IntoIterator<Item = ResourceId>,
) -> Result<bool, Problem> {
    let resources: Vec<Uuid> = resources.into_iter().map(|id| id.0).collect();
    let locations: Vec<Uuid> = remit.locations.iter().map(|id| id.0).collect();
    let groups: Vec<Uuid> = remit.groups.iter().map(|id| id.0).collect();
    let is_within = sqlx::query_scalar!(
        r#"select bookings.is_within($1, $2, $3, $4, $5) as "is_within!""#,
        organization.0,
        owner.0,
        &resources,
        &locations,
        &groups,
    );
    Ok(is_within.fetch_one(&mut **tx).await?)
}

/// Refuses a manager of some places what is on a resource elsewhere.
///
/// # Errors
/// 403 `outside_remit`, or when the database fails.
pub async fn demand_places(tx: &mut Tx, actor: &Actor, resources: &[ResourceId]) -> Result<(), Problem> {
    match places(tx, actor).await? {
        Some(theirs) if !resources.iter().all(|id| theirs.contains(id)) => Err(outside_remit()),
        _ => Ok(()),
    }
}

/// The resources in the locations of the caller's remit; none where they have no remit.
///
/// # Errors
/// When the database fails.
pub async fn places(tx: &mut Tx, actor: &Actor) -> Result<Option<BTreeSet<ResourceId>>, Problem> {
    let reach = Reach::of(actor);
    if !reach.has_remit {
        return Ok(None);
    }
    let ids = sqlx::query_scalar!(
        "select id from bookings.resource where organization_id = $1 and location_path && $2",
        actor.organization.0,
        &reach.locations,
    );
    Ok(Some(ids.fetch_all(&mut **tx).await?.into_iter().map(ResourceId).collect()))
}
