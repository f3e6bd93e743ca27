//! What a decision on a booking needs to know: the resources, the rules over them, and the people.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kernel::{ResourceId, Slot, UserId};
use platform::auth::Actor;
use platform::db::Tx;
use platform::http::Problem;

use super::resources::Tree;
use super::rules::Rulebook;
use crate::booking::{Booking, Wanted};
use crate::policy::{self, Item, Person, Verdict};
use crate::rules::Layer;

/// What a decision needs to know: the resources, locked, and the rules over them and the people.
#[derive(Debug)]
pub struct Known {
    /// The resources with their parts.
    pub tree: Tree,
    book: Rulebook,
    /// Who asks.
    pub actor: Person,
}

impl Known {
    /// For somebody who asks.
    #[must_use]
    pub const fn new(tree: Tree, book: Rulebook, actor: Person) -> Self {
        Self { tree, book, actor }
    }

    /// The rules over resources for the caller. Their token knows their role best.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load(tx: &mut Tx, actor: &Actor, tree: Tree) -> Result<Self, Problem> {
        Self::load_for(tx, actor, tree, actor.user).await
    }

    /// The same, for what concerns another person as well.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load_for(tx: &mut Tx, actor: &Actor, tree: Tree, user: UserId) -> Result<Self, Problem> {
        let book = Rulebook::load(tx, actor.organization, &tree, &[actor.user, user]).await?;
        let caller = Person { role: actor.role, remit: actor.remit.clone(), ..book.someone(actor.user) };
        Ok(Self::new(tree, book, caller))
    }

    /// Whether a resource is there for the caller.
    #[must_use]
    pub fn sees(&self, id: ResourceId) -> bool {
        let resource = self.tree.get(&id);
        resource.is_some_and(|resource| self.book.item(resource, 1, &self.actor).is_seen_by(&self.actor))
    }

    /// The same with other rules on something. Who sees it is not tried: nobody finds out by trying what is not there for them.
    #[must_use]
    pub fn trying(self, mut layer: Layer) -> Self {
        layer.rules.policy.access.see = self.book.see(layer.scope_id);
        Self { book: self.book.with(layer), ..self }
    }

    /// Somebody as the rules see them; of whom nothing is known, only that they are there.
    #[must_use]
    pub fn person(&self, id: UserId) -> Person {
        if id == self.actor.id { self.actor.clone() } else { self.book.someone(id) }
    }

    /// Whether what is somebody's, on some resources, belongs to the remit of the caller, if they have one.
    #[must_use]
    pub fn is_managed(&self, owner: UserId, ids: &[ResourceId]) -> bool {
        let Some(remit) = &self.actor.remit else { return true };
        let is_there =
            |id| self.tree.get(id).is_some_and(|resource| remit.has_place(&resource.location_path));
        remit.has_member(&self.person(owner).groups) || ids.iter().all(is_there)
    }

    /// What the rules say of a booking that the caller asks for.
    #[must_use]
    pub fn verdict(&self, booking: &Booking, before: Option<Slot>, now: Timestamp) -> Verdict {
        let owner = self.person(booking.user_id);
        let items = self.items(booking, &owner);
        policy::evaluate(&policy::Request {
            slot: booking.slot,
            attendees: booking.attendees,
            owner: &owner,
            actor: &self.actor,
            items: &items,
            now,
            before,
        })
    }

    /// What the rules say of one resource that the caller would book for themselves.
    #[must_use]
    pub fn verdict_of_one(&self, item: &Item, slot: Slot, attendees: Option<i32>, now: Timestamp) -> Verdict {
        let owner = &self.actor;
        policy::evaluate(&policy::Request {
            slot,
            attendees,
            owner,
            actor: owner,
            items: std::slice::from_ref(item),
            now,
            before: None,
        })
    }

    /// The layers over a resource for somebody, and the resource as the rules see it for them; none when it is not known.
    #[must_use]
    pub fn of_one(&self, id: ResourceId, owner: &Person) -> Option<(Vec<Layer>, Item)> {
        let resource = self.tree.get(&id)?;
        Some((self.book.layers(resource, owner), self.book.item(resource, 1, owner)))
    }

    /// The resources of a booking as the rules see them.
    #[must_use]
    pub fn items(&self, booking: &Booking, owner: &Person) -> Vec<Item> {
        let resources =
            booking.resources.iter().filter_map(|one| Some((self.tree.get(&one.resource_id)?, one.units)));
        resources.map(|(resource, units)| self.book.item(resource, units, owner)).collect()
    }

    /// The priority of whoever would book resources.
    #[must_use]
    pub fn priority(&self, wanted: &[Wanted], owner: &Person) -> i32 {
        let resources = wanted.iter().filter_map(|one| self.tree.get(&one.resource_id));
        resources.map(|resource| self.book.rules(resource, owner).priority).max().unwrap_or(0)
    }

    /// The resources, with their parts, as the rules see them for a booking of the caller's own.
    #[must_use]
    pub fn own_items(&self) -> BTreeMap<ResourceId, Item> {
        let items = self.tree.values().map(|resource| self.book.item(resource, 1, &self.actor));
        items.map(|item| (item.resource_id, item)).collect()
    }
}
