//! Every way in which the booking service fails.

use jiff::Timestamp;
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
    #[error("Check-in is not possible now. It opens at {opens_at}.")]
    CheckInClosed {
        /// From when on it is.
        opens_at: Timestamp,
    },
    /// The owner's time to cancel is over.
    #[error("It is too late to cancel this booking. Ask a manager.")]
    TooLateToCancel,
    /// Nobody decided on the request in time.
    #[error("The request has expired.")]
    RequestExpired,
    /// Somebody else has to decide on this request now.
    #[error("Others have to decide on this request.")]
    NotAnApprover,
    /// The caller has decided on this step before.
    #[error("You have decided on this request already.")]
    AlreadyDecided,
    /// A change of something whose time has come.
    #[error("The booking has begun.")]
    AlreadyBegun,
    /// A change of something whose time is over.
    #[error("The booking is over.")]
    AlreadyOver,
    /// Rules of the policy that the request breaks, all of them.
    #[error("The booking breaks {} of the rules.", .broken.len())]
    PolicyViolated {
        /// The rules.
        broken: Vec<Broken>,
        /// The rivals, if there are any as well.
        conflicts: Value,
        /// What is free instead, best first.
        alternatives: Value,
    },
    /// A conflict that has ended already.
    #[error("The conflict has ended already.")]
    ConflictOver,
    /// Someone else has a part of what was asked for.
    #[error("The time is taken.")]
    SlotTaken {
        /// The rivals.
        conflicts: Value,
        /// What is free instead, best first.
        alternatives: Value,
    },
    /// Occurrences of a series that others are in the way of.
    #[error("{} of the occurrences are taken.", .occurrences.as_array().map_or(0, Vec::len))]
    SeriesConflict {
        /// Each of them, with what is in its way.
        occurrences: Value,
    },
    /// A series, or occurrences of it, that the rules do not allow.
    #[error("The series breaks {} of the rules.", .broken.len())]
    SeriesRefused {
        /// The rules.
        broken: Vec<Broken>,
        /// Each occurrence that cannot be.
        occurrences: Value,
    },
    /// A change of a series of which nothing lies ahead.
    #[error("Nothing of the series lies ahead.")]
    SeriesOver,
    /// More units than the resource has.
    #[error("{name} has {has} units.")]
    NotEnoughUnits {
        /// The resource's name.
        name: String,
        /// How many it has.
        has: i64,
    },
    /// As many places in waitlists as one may have.
    #[error("You wait for {most} times already, which is the most.")]
    WaitsTooOften {
        /// How many they are.
        most: i64,
    },
    /// The caller's account was closed after their token was given.
    #[error("Your account is closed.")]
    AccountClosed,
    /// Booking for others without the permission.
    #[error("Booking for others needs the permission bookings.manage.")]
    OnBehalfForbidden,
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::InvalidTransition { .. }
            | Self::HoldExpired
            | Self::CheckInClosed { .. }
            | Self::TooLateToCancel
            | Self::RequestExpired
            | Self::AlreadyDecided
            | Self::AlreadyBegun
            | Self::AlreadyOver
            | Self::ConflictOver
            | Self::SeriesConflict { .. }
            | Self::SeriesOver
            | Self::WaitsTooOften { .. }
            | Self::SlotTaken { .. } => Kind::Conflict,
            Self::PolicyViolated { .. } | Self::SeriesRefused { .. } | Self::NotEnoughUnits { .. } => {
                Kind::Invalid
            }
            Self::OnBehalfForbidden | Self::NotAnApprover | Self::AccountClosed => Kind::Forbidden,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::InvalidTransition { .. } => "invalid_transition",
            Self::HoldExpired => "hold_expired",
            Self::CheckInClosed { .. } => "check_in_closed",
            Self::TooLateToCancel => "too_late_to_cancel",
            Self::RequestExpired => "request_expired",
            Self::NotAnApprover => "not_an_approver",
            Self::AlreadyDecided => "already_decided",
            Self::AlreadyBegun => "already_begun",
            Self::AlreadyOver => "already_over",
            Self::ConflictOver => "conflict_over",
            Self::PolicyViolated { .. } | Self::SeriesRefused { .. } => "policy_violated",
            Self::SeriesConflict { .. } => "series_conflict",
            Self::SeriesOver => "series_over",
            Self::SlotTaken { .. } => "slot_taken",
            Self::NotEnoughUnits { .. } => "not_enough_units",
            Self::WaitsTooOften { .. } => "waits_too_often",
            Self::AccountClosed => "account_closed",
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
            Self::PolicyViolated { broken, conflicts, alternatives } => {
                members.insert("broken".into(), serde_json::to_value(broken).unwrap_or_default());
                members.insert("conflicts".into(), conflicts.clone());
                members.insert("alternatives".into(), alternatives.clone());
            }
            Self::SlotTaken { conflicts, alternatives } => {
                members.insert("conflicts".into(), conflicts.clone());
                members.insert("alternatives".into(), alternatives.clone());
            }
            Self::SeriesConflict { occurrences } => {
                members.insert("occurrences".into(), occurrences.clone());
            }
            Self::SeriesRefused { broken, occurrences } => {
                members.insert("broken".into(), serde_json::to_value(broken).unwrap_or_default());
                members.insert("occurrences".into(), occurrences.clone());
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
