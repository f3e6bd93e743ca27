//! What screens that stay open are told: which changes concern them, and what of each they may know. Pure.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use contracts::bookings::{Blackout, Booking};
use contracts::rules::Scope;
use kernel::{OrganizationId, ResourceId, UserId};
use platform::events::Envelope;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// A place in the feed; later events have greater ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    xid: u64,
    position: i64,
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (xid, position) = text.split_once('-').ok_or(())?;
        Ok(Self { xid: xid.parse().map_err(|_| ())?, position: position.parse().map_err(|_| ())? })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.xid, self.position)
    }
}

/// A change that screens are told of.
#[derive(Debug)]
pub struct Change {
    /// Its place in the feed.
    pub cursor: Cursor,
    /// Its short type: `booking.confirmed`.
    pub kind: String,
    organization: OrganizationId,
    about: About,
}

#[derive(Debug)]
enum About {
    Booking(Box<States>),
    Blackout(Blackout),
}

#[derive(Debug, Deserialize)]
struct States {
    before: Option<Booking>,
    booking: Booking,
}

impl Change {
    /// The change that an event tells; none when it is about neither bookings nor blackouts.
    #[must_use]
    pub fn of(event: &Envelope, cursor: Cursor) -> Option<Self> {
        let kind = event.kind.strip_prefix("reservas.")?.strip_suffix(".v1")?;
        let about = match kind.split_once('.')?.0 {
            "booking" => States::deserialize(&event.data).map(|states| About::Booking(Box::new(states))),
            "blackout" => Blackout::deserialize(&event.data["blackout"]).map(About::Blackout),
            _ => return None,
        };
        match about {
            Ok(about) => {
                Some(Self { cursor, kind: kind.to_owned(), organization: event.organizationid, about })
            }
            Err(error) => {
                tracing::error!(%error, event_id = %event.id, "an event cannot be read, screens miss it");
                None
            }
        }
    }
}

impl Change {
    /// The resources that it is about, before and after; of a closure of more than one resource, none.
    #[must_use]
    pub fn resources(&self) -> BTreeSet<ResourceId> {
        match &self.about {
            About::Booking(told) => told.resources().collect(),
            About::Blackout(blackout) if blackout.scope == Scope::Resource => {
                [ResourceId(blackout.scope_id)].into()
            }
            About::Blackout(_) => BTreeSet::new(),
        }
    }
}

impl States {
    fn resources(&self) -> impl Iterator<Item = ResourceId> {
        let states = self.before.iter().chain([&self.booking]);
        states.flat_map(|booking| &booking.resources).map(|one| one.resource_id)
    }
}

/// What a screen watches, and for whom.
#[derive(Debug)]
pub struct Watch {
    /// In which organization.
    pub organization: OrganizationId,
    /// Who looks.
    pub viewer: UserId,
    /// Whether they may see whose every booking is.
    pub sees_all: bool,
    /// Only bookings of this user.
    pub user: Option<UserId>,
    /// Only what is about these resources.
    pub resources: Option<BTreeSet<ResourceId>>,
    /// All that a blackout over one of them may be laid on.
    pub scopes: BTreeSet<Uuid>,
}

impl Watch {
    /// Whether a change concerns the screen: what leaves its sight does, too.
    #[must_use]
    pub fn concerns(&self, change: &Change) -> bool {
        if change.organization != self.organization {
            return false;
        }
        match &change.about {
            About::Booking(told) => {
                let states = || told.before.iter().chain([&told.booking]);
                self.user.is_none_or(|user| states().any(|booking| booking.user_id == user))
                    && self.resources.as_ref().is_none_or(|watched| {
                        states()
                            .flat_map(|booking| &booking.resources)
                            .any(|one| watched.contains(&one.resource_id))
                    })
            }
            About::Blackout(blackout) if self.resources.is_some() => {
                blackout.scope == Scope::Organization || self.scopes.contains(&blackout.scope_id)
            }
            About::Blackout(_) => self.user.is_none(),
        }
    }

    /// What the screen is told: nothing of what is about hidden resources alone, but for what is the viewer's own. Whose a
    /// booking is, only those learn who may see it.
    #[must_use]
    pub fn data(&self, change: &Change, hidden: &BTreeSet<ResourceId>) -> Option<Value> {
        let is_own = matches!(&change.about, About::Booking(told) if told.booking.user_id == self.viewer);
        let resources = change.resources();
        if !is_own && !resources.is_empty() && resources.is_subset(hidden) {
            return None;
        }
        let is_told = |id: &ResourceId| is_own || !hidden.contains(id);
        Some(self.told(change, is_told))
    }

    fn told(&self, change: &Change, is_told: impl Fn(&ResourceId) -> bool) -> Value {
        match &change.about {
            About::Booking(told) => {
                let booking = &told.booking;
                let resources = booking.resources.iter().map(|one| one.resource_id);
                let resources: Vec<_> = resources.filter(is_told).collect();
                let mut data = json!({
                    "booking_id": booking.id,
                    "status": booking.status,
                    "starts_at": booking.slot.starts_at(),
                    "ends_at": booking.slot.ends_at(),
                    "resource_ids": resources,
                    "version": booking.version,
                });
                if self.sees_all || booking.user_id == self.viewer {
                    data["user_id"] = json!(booking.user_id);
                }
                data
            }
            About::Blackout(blackout) => json!({
                "blackout_id": blackout.id,
                "scope": blackout.scope,
                "scope_id": blackout.scope_id,
                "starts_at": blackout.slot.starts_at(),
                "ends_at": blackout.slot.ends_at(),
            }),
        }
    }
}
