//! What a person is told, and the facts that the telling needs. Ids stand for people.

use jiff::Timestamp;
use kernel::Slot;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = NotificationKind)]
pub enum Kind {
    /// A booking stands.
    BookingConfirmed,
    /// A booking has another time or resource.
    BookingMoved,
    /// A booking was given up.
    BookingCancelled,
    /// A booking waits for approval.
    BookingRequested,
    /// Those who decide refused a booking.
    BookingRejected,
    /// Nobody decided on a booking in time.
    BookingExpired,
    /// What somebody waits for is held for them.
    BookingOffered,
    /// A booking begins soon.
    BookingReminder,
    /// Nobody came; the time is free again.
    BookingNoShow,
    /// A booking no longer fits its resource.
    BookingFlagged,
    /// A booking is somebody else's now.
    BookingTransferred,
    /// A booking is over.
    BookingCompleted,
    /// A booking waits for the person's decision.
    BookingApprovalNeeded,
    /// Someone asked for a new password.
    PasswordResetRequested,
    /// The password is another.
    PasswordChanged,
    /// Too many attempts to sign in failed.
    AccountLocked,
    /// A second factor came to be, was used in need, or is no more.
    SecondFactorChanged,
    /// A webhook that the person made is told nothing more.
    WebhookDisabled,
}

impl Kind {
    /// Whether those are told by mail of whom nobody has said anything.
    #[must_use]
    pub const fn is_wanted(self) -> bool {
        !matches!(self, Self::BookingCompleted)
    }
}

/// What a template knows of a booking, as it was when the event happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// What people call it.
    pub reference: String,
    /// Grows with every change; the calendar's `SEQUENCE`.
    pub version: i64,
    /// When and where it is.
    pub now: Appointment,
    /// When and where it was, if it was moved.
    pub before: Option<Appointment>,
    /// Why, in the words of who did it.
    pub reason: Option<String>,
    /// Until when it is held, if it is.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// A time and places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    /// The time.
    pub slot: Slot,
    /// The places, at least one.
    pub places: Vec<Place>,
}

/// A resource that is taken, as people know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// How many of its units.
    pub units: i32,
    /// Its zone (IANA).
    pub time_zone: String,
    /// The names of where it is, from the site down.
    pub location_names: Vec<String>,
}

impl Appointment {
    /// The places' names in one line: `Blue Room, 3 × Laptop`.
    #[must_use]
    pub fn names(&self) -> String {
        let names = self.places.iter().map(|place| match place.units {
            1 => one_line(&place.name),
            units => format!("{units} × {}", one_line(&place.name)),
        });
        names.collect::<Vec<_>>().join(", ")
    }

    /// The places with where they are, from the room up: `Blue Room (Floor 1, Main building, Campus)`.
    #[must_use]
    pub fn addresses(&self) -> String {
        let addresses = self.places.iter().map(|place| {
            let path: Vec<_> = place.location_names.iter().rev().map(|name| one_line(name)).collect();
            let name = one_line(&place.name);
            if path.is_empty() { name } else { format!("{name} ({})", path.join(", ")) }
        });
        addresses.collect::<Vec<_>>().join("; ")
    }

    /// The zone in which the time is told: the first place's.
    #[must_use]
    pub fn time_zone(&self) -> &str {
        self.places.first().map_or("UTC", |place| place.time_zone.as_str())
    }
}

/// A text of someone's own as one line: what is not printable would let it pose as a line of ours.
#[must_use]
pub fn one_line(text: &str) -> String {
    let is_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.split(|c: char| is_break(c) || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str, units: i32, path: &[&str]) -> Place {
        let location_names = path.iter().map(|name| (*name).to_owned()).collect();
        Place { name: name.into(), units, time_zone: "Europe/Lisbon".into(), location_names }
    }

    #[test]
    fn places_are_told_in_one_line() {
        let slot = Slot::new(Timestamp::UNIX_EPOCH, "1970-01-01T01:00:00Z".parse().unwrap()).unwrap();
        let places = vec![place("Blue\r\nRoom", 1, &["Campus", "Main building"]), place("Laptop", 3, &[])];
        let appointment = Appointment { slot, places };
        assert_eq!(appointment.names(), "Blue Room, 3 × Laptop");
        assert_eq!(appointment.addresses(), "Blue Room (Main building, Campus); Laptop");
    }

    #[test]
    fn no_text_can_break_a_line() {
        assert_eq!(one_line(" a\r\nBcc: b\u{2028}c\t\0d "), "a Bcc: b c d");
    }
}
