//! Reading claims for availability: never under the locks of writes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{OrganizationId, ResourceId, Slot};
use platform::db::Tx;
use platform::http::Problem;
use uuid::Uuid;

use super::resources::{Tree, nodes};
use crate::free::{Claims, Shape};

/// The units of each resource, by number.
pub type Units = BTreeMap<ResourceId, Vec<(i64, i32)>>;

/// Units and claims of resources within a window.
#[derive(Debug, Default)]
pub struct Calendar {
    /// The units that take bookings.
    pub units: Units,
    /// What is taken of them.
    pub claims: Claims,
}

impl Calendar {
    /// How a resource of the tree is bookable.
    #[must_use]
    pub fn shape(&self, tree: &Tree, id: ResourceId) -> Shape {
        let units =
            nodes(tree, id).into_iter().filter_map(|node| self.units.get(&node)).flatten().map(|(id, _)| *id);
        let together = tree.get(&id).is_some_and(|resource| !resource.parts.is_empty());
        Shape { id, units: units.collect(), together }
    }
}

/// The calendar of all resources of a tree within a window. An expired hold takes nothing.
///
/// For each unit, the last claim that starts before the window and those that start in it: two short ranges of
/// one index, because claims on a unit never overlap.
///
/// # Errors
/// When the database fails.
pub async fn read(
    tx: &mut Tx,
    organization: OrganizationId,
    tree: &Tree,
    window: &Slot,
    now: Timestamp,
) -> Result<Calendar, Problem> {
    let ids: Vec<Uuid> = tree.keys().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select u.id, u.resource_id, u.number, c.starts_at as "starts_at?", c.ends_at as "ends_at?"
           from bookings.unit u
           left join lateral (
               (select starts_at, ends_at, expires_at from bookings.claim
                where organization_id = u.organization_id and unit_id = u.id and live and starts_at <= $3
                order by starts_at desc limit 1)
               union all
               (select starts_at, ends_at, expires_at from bookings.claim
                where organization_id = u.organization_id and unit_id = u.id and live
                  and starts_at > $3 and starts_at < $4)
           ) c on c.ends_at > $3 and (c.expires_at is null or c.expires_at > $5)
           where u.organization_id = $1 and u.resource_id = any($2) and not u.retired
           order by u.resource_id, u.number, c.starts_at"#,
        organization.0,
        &ids,
        window.starts_at().to_sqlx(),
        window.ends_at().to_sqlx(),
        now.to_sqlx(),
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut calendar = Calendar::default();
    for row in rows {
        let units = calendar.units.entry(ResourceId(row.resource_id)).or_default();
        if units.last().is_none_or(|(id, _)| *id != row.id) {
            units.push((row.id, row.number));
        }
        if let Some((starts_at, ends_at)) = row.starts_at.zip(row.ends_at) {
            let slot = Slot::new(starts_at.to_jiff(), ends_at.to_jiff())
                .map_err(|error| Problem::internal(&error))?;
            calendar.claims.entry(row.id).or_default().push(slot);
        }
    }
    Ok(calendar)
}
