//! Every way in which the booking service fails.

use kernel::Kind;
use kernel::slot::SlotError;
use platform::http::{Fault, FieldError, Problem};
use serde_json::{Map, Value};

use crate::booking::Status;
use crate::policy::Broken;

/// A failure that is the service's own to explain.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A step that this point of a booking's life does not allow.
    #[error("A booking that is {} cannot become {}.", .from.name(), .to.name())]
    InvalidTransition {
        /// Where the booking is.
        from: Status,
        /// Where it was to go.
        to: Status,
    },
    /// The hold ran out before it was confirmed.
    #[error("The hold has expired.")]
    HoldExpired,
    /// Check-in outside of its window.
    #[error("Check-in is possible from 15 minutes before the start until the end.")]
    CheckInClosed,
    /// Rules of the policy that the request breaks, all of them.
    #[error("The booking breaks {} of the rules.", .0.len())]
    PolicyViolated(Vec<Broken>),
    /// Someone else has a part of what was asked for.
    #[error("The time is taken.")]
    SlotTaken {
        /// The rivals.
        conflicts: Value,
        /// What is free instead, best first.
        alternatives: Value,
    },
    /// More units than the resource has.
    #[error("{name} has {has} units.")]
    NotEnoughUnits {
        /// The resource's name.
        name: String,
        /// How many it has.
        has: i64,
    },
    /// Booking for others without the permission.
    #[error("Booking for others needs the permission bookings.manage.")]
    OnBehalfForbidden,
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::InvalidTransition { .. }
            | Self::HoldExpired
            | Self::CheckInClosed
            | Self::SlotTaken { .. } => Kind::Conflict,
            Self::PolicyViolated(_) | Self::NotEnoughUnits { .. } => Kind::Invalid,
            Self::OnBehalfForbidden => Kind::Forbidden,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::InvalidTransition { .. } => "invalid_transition",
            Self::HoldExpired => "hold_expired",
            Self::CheckInClosed => "check_in_closed",
            Self::PolicyViolated(_) => "policy_violated",
            Self::SlotTaken { .. } => "slot_taken",
            Self::NotEnoughUnits { .. } => "not_enough_units",
            Self::OnBehalfForbidden => "permission_required",
        }
    }

    fn members(&self) -> Map<String, Value> {
        let mut members = Map::new();
        match self {
            Self::InvalidTransition { from, to } => {
                members.insert("from".into(), from.name().into());
                members.insert("to".into(), to.name().into());
            }
            Self::PolicyViolated(broken) => {
                members.insert("broken".into(), serde_json::to_value(broken).unwrap_or_default());
            }
            Self::SlotTaken { conflicts, alternatives } => {
                members.insert("conflicts".into(), conflicts.clone());
                members.insert("alternatives".into(), alternatives.clone());
            }
            _ => {}
        }
        members
    }
}

/// A slot that is none, as the input error it is.
#[must_use]
pub fn invalid_slot(error: SlotError) -> Problem {
    let code = match error {
        SlotError::Empty => "empty_slot",
        SlotError::TooLong => "slot_too_long",
    };
    Problem::invalid(vec![FieldError {
        pointer: "/ends_at".into(),
        code: code.into(),
        detail: error.to_string(),
    }])
}
