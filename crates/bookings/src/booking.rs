//! A booking: whose it is, when, what it takes, under which terms. Pure.

mod giving_up;
mod life;
mod wire;

use jiff::Timestamp;
use kernel::{BookingId, ResourceId, SeriesId, Slot, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::guest::Guest;
use crate::quote::Quote;
use crate::recurrence::Local;
use crate::terms::Terms;

/// Where a booking is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = BookingStatus)]
pub enum Status {
    /// Reserved for a moment, until it is confirmed or expires.
    Held,
    /// Waits for approval.
    Pending,
    /// Stands.
    Confirmed,
    /// The people are there.
    CheckedIn,
    /// Over.
    Completed,
    /// A hold that nobody confirmed in time.
    Expired,
    /// Refused by an approver.
    Rejected,
    /// Given up.
    Cancelled,
    /// Nobody came.
    NoShow,
}

impl Status {
    /// Its name on the wire and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::CheckedIn => "checked_in",
            Self::Completed => "completed",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::NoShow => "no_show",
        }
    }
}

/// A resource within a booking, as it was when it was booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BookedResource {
    /// The resource.
    pub resource_id: ResourceId,
    /// Its name.
    #[schema(example = "Ada")]
    pub name: String,
    /// How many of its units.
    #[schema(example = 1)]
    pub units: i32,
    /// Its zone (IANA).
    #[schema(example = "Europe/Lisbon")]
    pub time_zone: String,
    /// Where it is, from the site down.
    #[schema(example = json!(["Campus", "Library"]))]
    pub location_names: Vec<String>,
}

/// A booking: a set of claims with one life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// Its id.
    pub id: BookingId,
    /// What people call it.
    pub reference: String,
    /// Grows by one with every change.
    pub version: i64,
    /// Where it is in its life.
    pub status: Status,
    /// Whose it is.
    pub user_id: UserId,
    /// Who made it.
    pub created_by: UserId,
    /// What it is for.
    pub title: Option<String>,
    /// When it is.
    pub slot: Slot,
    /// What it takes.
    pub resources: Vec<BookedResource>,
    /// How many people come.
    pub attendees: Option<i32>,
    /// Who is invited.
    pub guests: Vec<Guest>,
    /// Of two that want the same, the greater goes first where the rules say so.
    pub priority: i32,
    /// What it costs, as it was quoted.
    pub quote: Option<Quote>,
    /// What it was made under.
    pub terms: Terms,
    /// Until when a hold holds.
    pub expires_at: Option<Timestamp>,
    /// When the people came.
    pub checked_in_at: Option<Timestamp>,
    /// From when on its time was free again, when that was before its end.
    pub released_at: Option<Timestamp>,
    /// Why somebody has to look at it.
    pub flag: Option<String>,
    /// The series that it is of, and which of its occurrences it is.
    pub series: Option<(SeriesId, Local)>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What happens to a booking by the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// A hold or a request ran out.
    Expiry,
    /// Nobody came.
    NoShow,
    /// Its end has passed.
    Completion,
    /// Others may decide as well.
    Escalation,
    /// Its owner is reminded.
    Reminder,
}

/// A resource that a booking is to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Wanted {
    /// The resource.
    pub resource_id: ResourceId,
    /// How many of its units; 1 for a whole of parts, which is taken entirely.
    pub units: i32,
}

/// What one resource gives to a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The resource.
    pub resource_id: ResourceId,
    /// How many of its units; 1 for a whole of parts, which is taken entirely.
    pub units: i32,
    /// When, buffers included.
    pub slot: Slot,
}

fn wanted(resources: &[BookedResource]) -> Vec<Wanted> {
    resources.iter().map(|one| Wanted { resource_id: one.resource_id, units: one.units }).collect()
}

/// What people call a booking: eight letters and digits that cannot be mistaken for each other (Crockford's base 32),
/// out of the random end of its id.
#[must_use]
pub fn reference(id: BookingId) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let low = id.0.as_u128();
    let letter = |place: u32| char::from(ALPHABET[(low >> (5 * place)) as usize % 32]);
    let (first, second): (String, String) = ((0..4).map(letter).collect(), (4..8).map(letter).collect());
    format!("{first}-{second}")
}

#[cfg(test)]
mod tests;
