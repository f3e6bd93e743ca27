//! English.

use super::Happened;
use crate::message::Kind;

pub(super) const HAPPENED: &[(Kind, Happened)] = &[
    (
        Kind::BookingConfirmed,
        Happened {
            subject: "Booking confirmed",
            sentence: "your booking {} is confirmed.",
            calendar: "The attached file adds it to your calendar.",
        },
    ),
    (
        Kind::BookingMoved,
        Happened {
            subject: "Booking changed",
            sentence: "your booking {} has changed.",
            calendar: "The attached file updates it in your calendar.",
        },
    ),
    (
        Kind::BookingCancelled,
        Happened {
            subject: "Booking cancelled",
            sentence: "your booking {} was cancelled.",
            calendar: "The attached file removes it from your calendar.",
        },
    ),
    (
        Kind::BookingRequested,
        Happened {
            subject: "Booking waits for approval",
            sentence: "your booking {} is held for you and waits for approval.",
            calendar: "",
        },
    ),
    (
        Kind::BookingRejected,
        Happened {
            subject: "Booking not approved",
            sentence: "your booking {} was not approved.",
            calendar: "",
        },
    ),
    (
        Kind::BookingExpired,
        Happened {
            subject: "Booking ran out",
            sentence: "nobody decided on your booking {} in time: it has run out.",
            calendar: "",
        },
    ),
    (
        Kind::BookingOffered,
        Happened {
            subject: "A place for you",
            sentence: "what you wait for has become free. It is held for you as {}: confirm it in time, or it passes on.",
            calendar: "",
        },
    ),
    (
        Kind::BookingReminder,
        Happened { subject: "Booking begins soon", sentence: "your booking {} begins soon.", calendar: "" },
    ),
    (
        Kind::BookingNoShow,
        Happened {
            subject: "Booking released",
            sentence: "nobody came to your booking {}: its time is free for others again.",
            calendar: "",
        },
    ),
    (
        Kind::BookingFlagged,
        Happened {
            subject: "Booking needs attention",
            sentence: "your booking {} no longer fits its place. It stands until somebody has looked at it.",
            calendar: "",
        },
    ),
    (
        Kind::BookingTransferred,
        Happened {
            subject: "Booking handed over",
            sentence: "the booking {} was handed over to you.",
            calendar: "The attached file adds it to your calendar.",
        },
    ),
    (
        Kind::BookingCompleted,
        Happened {
            subject: "Booking over",
            sentence: "your booking {} is over. Thank you for leaving the place as you found it.",
            calendar: "",
        },
    ),
    (
        Kind::BookingApprovalNeeded,
        Happened {
            subject: "Your decision is needed",
            sentence: "the booking {} waits for your decision.",
            calendar: "",
        },
    ),
];
