//! What is asked of the service, one file per operation; and the booking as clients see it.

pub mod cancel_booking;
pub mod check_in;
pub mod check_out;
pub mod confirm_booking;
pub mod create_booking;
pub mod get_booking;
pub mod get_booking_history;
pub mod get_details;
pub mod get_free_busy;
pub mod list_bookings;
pub mod move_booking;
pub mod search_availability;
pub mod step;

use jiff::Timestamp;
use kernel::{BookingId, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::booking::{BookedResource, Booking, Status};

/// A booking.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Booking)]
pub struct BookingBody {
    /// Its id.
    pub id: BookingId,
    /// What people call it.
    #[schema(example = "R7K2-M9QD")]
    pub reference: String,
    /// Where it is in its life.
    pub status: Status,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
    /// When it starts.
    pub starts_at: Timestamp,
    /// When it ends; the instant itself is free again.
    pub ends_at: Timestamp,
    /// What it is for.
    #[schema(example = "Design review")]
    pub title: Option<String>,
    /// Whose it is.
    pub user_id: UserId,
    /// Who made it.
    pub created_by: UserId,
    /// What it takes.
    pub resources: Vec<BookedResource>,
    /// Until when a hold holds.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl From<Booking> for BookingBody {
    fn from(booking: Booking) -> Self {
        Self {
            id: booking.id,
            reference: booking.reference,
            status: booking.status,
            version: booking.version,
            starts_at: booking.slot.starts_at(),
            ends_at: booking.slot.ends_at(),
            title: booking.title,
            user_id: booking.user_id,
            created_by: booking.created_by,
            resources: booking.resources,
            expires_at: booking.expires_at,
            created_at: booking.created_at,
            updated_at: booking.updated_at,
        }
    }
}
