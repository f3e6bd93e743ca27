//! A booking as other services see it.

use contracts::bookings as wire;

use super::{BookedResource, Booking, Status};

impl From<&Booking> for wire::Booking {
    fn from(booking: &Booking) -> Self {
        Self {
            id: booking.id,
            reference: booking.reference.clone(),
            version: booking.version,
            status: booking.status.into(),
            user_id: booking.user_id,
            slot: booking.slot,
            resources: booking.resources.iter().map(Into::into).collect(),
            expires_at: booking.expires_at,
            attendees: booking.attendees,
            price: booking.quote.as_ref().map(|quote| quote.total.clone()),
            created_at: Some(booking.created_at),
            checked_in_at: booking.checked_in_at,
            released_at: booking.released_at,
            guest_user_ids: booking.guests.iter().filter_map(|guest| guest.user_id).collect(),
            guest_count: u32::try_from(booking.guests.len()).unwrap_or(u32::MAX),
            waitlist_entry_id: booking.terms.waitlist,
            approver_ids: Vec::new(),
        }
    }
}

impl From<&BookedResource> for wire::BookedResource {
    fn from(resource: &BookedResource) -> Self {
        Self {
            resource_id: resource.resource_id,
            name: resource.name.clone(),
            units: resource.units,
            time_zone: resource.time_zone.clone(),
            location_names: resource.location_names.clone(),
        }
    }
}

impl From<Status> for wire::BookingStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Held => Self::Held,
            Status::Pending => Self::Pending,
            Status::Confirmed => Self::Confirmed,
            Status::CheckedIn => Self::CheckedIn,
            Status::Completed => Self::Completed,
            Status::Expired => Self::Expired,
            Status::Rejected => Self::Rejected,
            Status::Cancelled => Self::Cancelled,
            Status::NoShow => Self::NoShow,
        }
    }
}
