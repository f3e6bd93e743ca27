//! What the booking service publishes and answers to other services.

use jiff::Timestamp;
use jiff::civil::DateTime;
use kernel::{
    BlackoutId, BookingId, ConflictId, Event, Money, ResourceId, SeriesId, Slot, UserId, WaitlistEntryId,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::rules::Scope;

/// A booking as others see it. Its title stays out: people write names into titles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// The booking.
    pub id: BookingId,
    /// What people call it: `R7K2-M9QD`.
    pub reference: String,
    /// Grows with every change.
    pub version: i64,
    /// Where it is in its life.
    pub status: BookingStatus,
    /// Whose it is.
    pub user_id: UserId,
    /// When it is.
    pub slot: Slot,
    /// What it takes.
    pub resources: Vec<BookedResource>,
    /// Until when a hold holds.
    pub expires_at: Option<Timestamp>,
    /// How many people come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attendees: Option<i32>,
    /// What it costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    /// When it was made; none in events older than this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When the people came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_in_at: Option<Timestamp>,
    /// From when on its time was free again, when that was before its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_at: Option<Timestamp>,
    /// The users who are invited.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guest_user_ids: Vec<UserId>,
    /// How many are invited, users and others.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub guest_count: u32,
    /// The place in a waitlist for which it is held, when it is an offer or was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waitlist_entry_id: Option<WaitlistEntryId>,
    /// Who may decide on it now, in events after which others have to: 50 at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approver_ids: Vec<UserId>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// A resource within a booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookedResource {
    /// The resource.
    pub resource_id: ResourceId,
    /// Its name when it was booked.
    pub name: String,
    /// How many of its units.
    pub units: i32,
    /// Its zone (IANA).
    pub time_zone: String,
    /// The names of where it is, from the site down.
    pub location_names: Vec<String>,
}

/// Where a booking is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BookingStatus {
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

macro_rules! events {
    ($($(#[doc = $doc:literal])+ $name:ident = $type:literal;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name {
            /// The booking before, unless it is new.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub before: Option<Booking>,
            /// The booking now.
            pub booking: Booking,
            /// Why, in the words of who did it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub reason: Option<String>,
        }

        impl Event for $name {
            const TYPE: &'static str = $type;
            const STREAM: &'static str = "booking";

            fn stream_id(&self) -> Uuid {
                self.booking.id.0
            }
        }
    )+};
}

events! {
    /// A slot is held for someone who makes up their mind.
    BookingHeld = "reservas.booking.held.v1";
    /// A booking stands: booked at once, or a hold confirmed.
    BookingConfirmed = "reservas.booking.confirmed.v1";
    /// A booking has another time or resource.
    BookingMoved = "reservas.booking.moved.v1";
    /// A booking was given up.
    BookingCancelled = "reservas.booking.cancelled.v1";
    /// A hold ran out.
    BookingExpired = "reservas.booking.expired.v1";
    /// The people are there.
    BookingCheckedIn = "reservas.booking.checked_in.v1";
    /// A booking is over, maybe before its end.
    BookingCompleted = "reservas.booking.completed.v1";
    /// Somebody asks for a booking that others have to approve.
    BookingRequested = "reservas.booking.requested.v1";
    /// One of those who have to approve did, and more are needed.
    BookingApproved = "reservas.booking.approved.v1";
    /// Nobody decided in time: others may decide as well.
    BookingEscalated = "reservas.booking.escalated.v1";
    /// Those who decide refused.
    BookingRejected = "reservas.booking.rejected.v1";
    /// Nobody came; the time is free again.
    BookingNoShow = "reservas.booking.no_show.v1";
    /// It is somebody else's now.
    BookingTransferred = "reservas.booking.transferred.v1";
    /// Its title, its attendees or its guests are others.
    BookingChanged = "reservas.booking.changed.v1";
    /// A cancelled booking stands again.
    BookingReinstated = "reservas.booking.reinstated.v1";
    /// It no longer fits its resource, and somebody has to look at it.
    BookingFlagged = "reservas.booking.flagged.v1";
    /// It will start soon.
    BookingReminderDue = "reservas.booking.reminder_due.v1";
}

/// A time in which nobody can book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blackout {
    /// Its id.
    pub id: BlackoutId,
    /// What it is over.
    pub scope: Scope,
    /// The id of that.
    pub scope_id: Uuid,
    /// When.
    pub slot: Slot,
}

/// A place in a waitlist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitlistEntry {
    /// Its id.
    pub id: WaitlistEntryId,
    /// Who waits.
    pub user_id: UserId,
    /// For when.
    pub slot: Slot,
    /// The hold that is offered, or was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking_id: Option<BookingId>,
}

/// A conflict and how it ended. What managers say of it stays out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Its id.
    pub id: ConflictId,
    /// How it ended: `alternative_taken`, `booked_otherwise`, `waitlisted`, `preempted` or `resolved`.
    pub outcome: String,
    /// Whose booking it was to be, or is.
    pub user_id: UserId,
    /// The booking it is about, or that was made instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking_id: Option<BookingId>,
    /// When it was to be, or is.
    pub slot: Slot,
}

/// Bookings that recur.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// The series.
    pub id: SeriesId,
    /// Grows with every change.
    pub version: i64,
    /// Whose it is.
    pub user_id: UserId,
    /// Its rule (RFC 5545), unless it has single dates only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Its first start, by the clock of its zone.
    pub starts_at: DateTime,
    /// Its zone (IANA).
    pub time_zone: String,
    /// The occurrence from which on it was changed; none for all that lie ahead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime>,
    /// The bookings that it is about: each has an event of its own.
    pub bookings: Vec<BookingId>,
}

/// Something that is free instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alternative {
    /// The resources.
    pub resource_ids: Vec<ResourceId>,
    /// When it starts.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
}

/// A booking lost its place to one of higher priority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictPreempted {
    /// The conflict, with the booking that lost.
    pub conflict: Conflict,
    /// What is free instead.
    pub alternatives: Vec<Alternative>,
}

impl Event for ConflictPreempted {
    const TYPE: &'static str = "reservas.conflict.preempted.v1";
    const STREAM: &'static str = "conflict";

    fn stream_id(&self) -> Uuid {
        self.conflict.id.0
    }
}

/// A manager gave somebody credit. Why stays out: people write names there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditGranted {
    /// Whose it is.
    pub user_id: UserId,
    /// The number of the entry in their ledger.
    pub entry_id: i64,
    /// How much.
    pub money: Money,
}

impl Event for CreditGranted {
    const TYPE: &'static str = "reservas.credit.granted.v1";
    const STREAM: &'static str = "credit";

    fn stream_id(&self) -> Uuid {
        self.user_id.0
    }
}

macro_rules! other_events {
    ($($(#[doc = $doc:literal])+ $name:ident($field:ident: $content:ident) = $type:literal of $stream:literal;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name {
            /// What it is about.
            pub $field: $content,
        }

        impl Event for $name {
            const TYPE: &'static str = $type;
            const STREAM: &'static str = $stream;

            fn stream_id(&self) -> Uuid {
                self.$field.id.0
            }
        }
    )+};
}

other_events! {
    /// Bookings recur.
    SeriesCreated(series: Series) = "reservas.series.created.v1" of "series";
    /// Those that lie ahead have another time, resource or title.
    SeriesChanged(series: Series) = "reservas.series.changed.v1" of "series";
    /// Those that lie ahead were given up.
    SeriesCancelled(series: Series) = "reservas.series.cancelled.v1" of "series";
    /// A time is closed.
    BlackoutCreated(blackout: Blackout) = "reservas.blackout.created.v1" of "blackout";
    /// It is open again.
    BlackoutRemoved(blackout: Blackout) = "reservas.blackout.removed.v1" of "blackout";
    /// Somebody waits.
    WaitlistJoined(entry: WaitlistEntry) = "reservas.waitlist.joined.v1" of "waitlist";
    /// What they wait for is held for them, for a while.
    WaitlistOffered(entry: WaitlistEntry) = "reservas.waitlist.offered.v1" of "waitlist";
    /// They took it.
    WaitlistAccepted(entry: WaitlistEntry) = "reservas.waitlist.accepted.v1" of "waitlist";
    /// They did not take it in time, or its time has come.
    WaitlistExpired(entry: WaitlistEntry) = "reservas.waitlist.expired.v1" of "waitlist";
    /// They no longer wait.
    WaitlistWithdrawn(entry: WaitlistEntry) = "reservas.waitlist.withdrawn.v1" of "waitlist";
    /// Who was refused did something else, or a manager dealt with it.
    ConflictResolved(conflict: Conflict) = "reservas.conflict.resolved.v1" of "conflict";
}

/// What of a booking is not in its events: the answer to `GET /internal/organizations/{organization_id}/bookings/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingDetails {
    /// The booking.
    pub id: BookingId,
    /// What it is for, in the owner's words.
    pub title: Option<String>,
    /// Who is invited.
    #[serde(default)]
    pub guests: Vec<Guest>,
}

/// Somebody who is invited: a user, or somebody outside by their address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guest {
    /// The user.
    pub user_id: Option<UserId>,
    /// The address of somebody else.
    pub email: Option<String>,
    /// What they are called.
    pub name: Option<String>,
}
