//! A booking and its life: which step leads where, and what each does to it. Pure.

mod wire;

use jiff::{SignedDuration, Timestamp};
use kernel::{BookingId, ResourceId, Slot, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Error;

/// How long before the start people may check in.
pub const CHECK_IN_OPENS: SignedDuration = SignedDuration::from_mins(15);

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
    /// Until when a hold holds.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Booking {
    /// A hold becomes a booking that stands.
    ///
    /// # Errors
    /// When it is no hold, or one that has expired.
    pub fn confirm(self, now: Timestamp) -> Result<Self, Error> {
        self.demand(&[Status::Held], Status::Confirmed)?;
        if self.has_expired(now) {
            return Err(Error::HoldExpired);
        }
        Ok(Self { expires_at: None, ..self.become_(Status::Confirmed, now) })
    }

    /// A hold runs out.
    ///
    /// # Errors
    /// When it is no hold, or one that still holds.
    pub fn expire(self, now: Timestamp) -> Result<Self, Error> {
        self.demand(&[Status::Held], Status::Expired)?;
        if !self.has_expired(now) {
            return Err(Error::InvalidTransition { from: self.status, to: Status::Expired });
        }
        Ok(self.become_(Status::Expired, now))
    }

    /// It is given up.
    ///
    /// # Errors
    /// When it is over or has begun with the people there.
    pub fn cancel(self, now: Timestamp) -> Result<Self, Error> {
        self.demand(&[Status::Held, Status::Pending, Status::Confirmed], Status::Cancelled)?;
        if self.has_expired(now) {
            return Err(Error::HoldExpired);
        }
        Ok(Self { expires_at: None, ..self.become_(Status::Cancelled, now) })
    }

    /// It takes another time or other resources; its place in life stays.
    ///
    /// # Errors
    /// When it is over or has begun with the people there.
    pub fn relocate(self, slot: Slot, resources: Vec<BookedResource>, now: Timestamp) -> Result<Self, Error> {
        let status = self.status;
        self.demand(&[Status::Held, Status::Pending, Status::Confirmed], status)?;
        if self.has_expired(now) {
            return Err(Error::HoldExpired);
        }
        Ok(Self { slot, resources, ..self.become_(status, now) })
    }

    /// The people are there.
    ///
    /// # Errors
    /// When it does not stand, or outside of the window for check-in.
    pub fn check_in(self, now: Timestamp) -> Result<Self, Error> {
        self.demand(&[Status::Confirmed], Status::CheckedIn)?;
        if now < self.slot.starts_at() - CHECK_IN_OPENS || now >= self.slot.ends_at() {
            return Err(Error::CheckInClosed);
        }
        Ok(self.become_(Status::CheckedIn, now))
    }

    /// The people have left; what is left of the time is free.
    ///
    /// # Errors
    /// When they were not there.
    pub fn check_out(self, now: Timestamp) -> Result<Self, Error> {
        self.demand(&[Status::CheckedIn], Status::Completed)?;
        Ok(self.become_(Status::Completed, now))
    }

    /// Whether it is a hold that no longer holds.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.status == Status::Held && self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    fn demand(&self, from: &[Status], to: Status) -> Result<(), Error> {
        if from.contains(&self.status) {
            Ok(())
        } else {
            Err(Error::InvalidTransition { from: self.status, to })
        }
    }

    fn become_(self, status: Status, now: Timestamp) -> Self {
        Self { status, version: self.version + 1, updated_at: now, ..self }
    }
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
