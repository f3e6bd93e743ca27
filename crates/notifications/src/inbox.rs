//! Messages as they come: their places among all, from which a stream resumes, and what their owner is told.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use kernel::{BookingId, MessageId, OrganizationId, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::message::Kind;

/// A place; later messages have greater ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The transaction that wrote it.
    pub xid: u64,
    /// The message.
    pub id: MessageId,
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (xid, id) = text.split_once('_').ok_or(())?;
        Ok(Self { xid: xid.parse().map_err(|_| ())?, id: id.parse().map_err(|_| ())? })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.xid, self.id)
    }
}

/// That somebody has a new message.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// Its place.
    pub cursor: Cursor,
    /// In which organization.
    pub organization: OrganizationId,
    /// Who.
    pub user: UserId,
}

/// A message of which its owner is told as it comes.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewNotification {
    /// The message.
    pub id: MessageId,
    /// What it is about.
    pub kind: Kind,
    /// The booking it is about; none where it is about the caller's account.
    pub booking_id: Option<BookingId>,
    /// What people call the booking.
    #[schema(example = "R7K2-M9QD")]
    pub reference: Option<String>,
    /// Its subject.
    pub subject: String,
    /// When it was queued.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written_and_nothing_else_is_one() {
        let cursor = Cursor { xid: 7, id: MessageId::mint() };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for wrong in ["", "7", "7_", "_", "x_y", "-1_0198c6a0-0000-7000-8000-000000000001"] {
            assert_eq!(wrong.parse::<Cursor>(), Err(()), "{wrong}");
        }
        assert!(Cursor { xid: 8, ..cursor } > cursor);
    }
}
