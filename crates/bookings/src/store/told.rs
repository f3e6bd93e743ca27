//! What is told of a booking: each change is one event, written in the transaction of the change.

use contracts::bookings as wire;
use platform::db::Tx;
use platform::events::{self, Origin};
use platform::http::Problem;

use super::approvals;
use super::write::Act;
use crate::booking::{Booking, Status};

/// What happened to a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Held for a moment.
    Held,
    /// Asked for; others have to approve.
    Requested,
    /// It stands.
    Confirmed,
    /// It has another time or resource.
    Moved,
    /// Given up.
    Cancelled,
    /// Nobody confirmed or decided in time.
    Expired,
    /// The people are there.
    CheckedIn,
    /// It is over.
    Completed,
    /// One of those who have to approve did, and more are needed.
    Approved,
    /// Nobody decided in time: others may as well.
    Escalated,
    /// Those who decide refused.
    Rejected,
    /// Nobody came.
    NoShow,
    /// It is somebody else's now.
    Transferred,
    /// Title, attendees or guests are others.
    Changed,
    /// It was cancelled and stands again.
    Reinstated,
    /// It no longer fits its resource.
    Flagged,
    /// It will start soon.
    ReminderDue,
}

impl Told {
    /// What a new booking of this status is told as.
    #[must_use]
    pub const fn made(status: Status) -> Self {
        match status {
            Status::Held => Self::Held,
            Status::Pending => Self::Requested,
            _ => Self::Confirmed,
        }
    }

    /// Whether somebody has to decide who had not to before.
    const fn asks(self) -> bool {
        matches!(self, Self::Requested | Self::Approved | Self::Escalated | Self::Moved | Self::Reinstated)
    }

    /// Writes the event.
    pub(super) async fn tell(
        self,
        tx: &mut Tx,
        act: &Act,
        before: Option<&Booking>,
        after: &Booking,
        reason: Option<String>,
    ) -> Result<(), Problem> {
        let on_behalf_of =
            Some(after.user_id).filter(|owner| act.origin.actor.is_some_and(|actor| actor != *owner));
        let origin = Origin { on_behalf_of, ..act.origin.clone() };
        let before = before.map(Into::into);
        let approver_ids = if self.asks() { approvals::deciders(tx, act, after).await? } else { Vec::new() };
        let booking = wire::Booking { approver_ids, ..after.into() };
        macro_rules! append {
            ($event:ident) => {
                events::append(
                    tx,
                    act.organization,
                    &origin,
                    &wire::$event { before, booking, reason },
                    act.now,
                )
                .await
            };
        }
        match self {
            Self::Held => append!(BookingHeld),
            Self::Requested => append!(BookingRequested),
            Self::Confirmed => append!(BookingConfirmed),
            Self::Moved => append!(BookingMoved),
            Self::Cancelled => append!(BookingCancelled),
            Self::Expired => append!(BookingExpired),
            Self::CheckedIn => append!(BookingCheckedIn),
            Self::Completed => append!(BookingCompleted),
            Self::Approved => append!(BookingApproved),
            Self::Escalated => append!(BookingEscalated),
            Self::Rejected => append!(BookingRejected),
            Self::NoShow => append!(BookingNoShow),
            Self::Transferred => append!(BookingTransferred),
            Self::Changed => append!(BookingChanged),
            Self::Reinstated => append!(BookingReinstated),
            Self::Flagged => append!(BookingFlagged),
            Self::ReminderDue => append!(BookingReminderDue),
        }?;
        Ok(())
    }
}
