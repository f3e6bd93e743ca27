//! The rules under which resources are booked, as the resource service publishes them: policy, schedule and prices,
//! laid on an organization, a type, a location, a resource or a group.
//!
//! Everything is optional: what is absent says nothing. Of the layers over a resource, the strictest policy wins; the
//! schedule and the prices are those of the most specific layer that has them.

pub mod prices;
pub mod schedule;

use std::collections::BTreeSet;

use kernel::{Event, GroupId, Money, Role, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub use prices::{PayWith, Per, Price, Prices};
pub use schedule::{Holidays, Hours, Override, Schedule, Weekday, Weekly};

/// What rules are laid on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All of the organization; its id is the organization's.
    Organization,
    /// Every resource of a type.
    Type,
    /// Every resource in a location and below it.
    Location,
    /// What members of a group book.
    Group,
    /// One resource.
    Resource,
}

/// The rules of one scope.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RuleSet {
    /// What may be booked, by whom, and how.
    pub policy: Policy,
    /// When it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// What it costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prices: Option<Prices>,
}

/// What may be booked, by whom, and how. Minutes are whole minutes of elapsed time, 0 to 5,270,400 (ten years).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Policy {
    /// The shortest booking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_minutes: Option<u32>,
    /// The longest booking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_minutes: Option<u32>,
    /// Start (counted from local midnight) and length are multiples of this: 1 to 1440.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid_minutes: Option<u32>,
    /// How long before its start a booking must be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead_minutes: Option<u32>,
    /// How far ahead a booking may end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizon_minutes: Option<u32>,
    /// Whether bookings outside of the schedule are refused; when nothing says so, they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_hours: Option<bool>,
    /// Kept free before each booking, for setting up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffer_before_minutes: Option<u32>,
    /// Kept free after each booking, for cleaning up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffer_after_minutes: Option<u32>,
    /// When somebody has to approve, and who.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// Until when it can be cancelled, and what that costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancellation: Option<Cancellation>,
    /// Whether people have to show that they came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_in: Option<CheckIn>,
    /// Who may see, book and approve.
    pub access: Access,
    /// How much one may have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quotas: Vec<Quota>,
    /// How far a series may go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<Recurrence>,
    /// The priority of bookings made under these rules; 0 when nothing says so, the greatest wins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Whether a booking of higher priority may take the place of one of lower; every layer that speaks must say yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preemptible: Option<bool>,
    /// Whether a booking that waits for approval blocks others; when nothing says so, it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_blocks: Option<bool>,
    /// Whether the number of attendees has to be given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attendees_required: Option<bool>,
    /// Attendees at least, so that the hall is not taken for two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_attendees: Option<u32>,
}

/// When somebody has to approve: when one of the conditions holds; and the steps, taken one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Approval {
    /// Always.
    pub always: bool,
    /// When the booking is not wholly within the schedule.
    pub outside_hours: bool,
    /// When it is longer than so many minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_minutes: Option<u32>,
    /// When it costs more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_price: Option<Money>,
    /// The steps, 1 to 5; one by whoever has `bookings.approve` when empty.
    pub steps: Vec<ApprovalStep>,
    /// Undecided for so long, the request expires; at its start in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_after_minutes: Option<u32>,
}

/// One step of an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ApprovalStep {
    /// Who may decide; whoever has `bookings.approve` when empty.
    pub approvers: Who,
    /// How many of them have to agree: 1 to 20. One refusal ends it.
    pub quorum: u32,
    /// Undecided for so long, those of `escalate_to` may decide as well, and are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalate_after_minutes: Option<u32>,
    /// Who may decide after the escalation.
    pub escalate_to: Who,
}

impl Default for ApprovalStep {
    fn default() -> Self {
        Self {
            approvers: Who::default(),
            quorum: 1,
            escalate_after_minutes: None,
            escalate_to: Who::default(),
        }
    }
}

/// Some people: the union of what stands here. Empty: nobody in particular.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Who {
    /// These.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<UserId>,
    /// The members of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupId>,
    /// Who has this role or a greater one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

impl Who {
    /// Whether somebody is among them, given by their id, their role and the groups they are in.
    #[must_use]
    pub fn includes(&self, user: UserId, role: Role, groups: &BTreeSet<GroupId>) -> bool {
        self.users.contains(&user)
            || self.groups.iter().any(|group| groups.contains(group))
            || self.role.is_some_and(|least| role >= least)
    }
}

/// Until when a booking can be cancelled, and what that costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Cancellation {
    /// So long before the start its owner can cancel it last; managers always can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_minutes: Option<u32>,
    /// Cancelled later than so long before the start, it costs the fee.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_until_minutes: Option<u32>,
    /// The fee, in percent of the price: 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee_percent: Option<u32>,
}

/// Whether people have to show that they came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CheckIn {
    /// Without a check-in by the end of the grace the booking is a no-show and its time is free again.
    pub required: bool,
    /// From so long before the start; 15 when nothing says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opens_minutes: Option<u32>,
    /// Until so long after the start; 15 when nothing says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace_minutes: Option<u32>,
}

/// Who may do what. Absent: everyone who has the permission. Managers and administrators always may.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Access {
    /// Who sees it at all: for all others it is not there. Who does not see it does not book it either. Not for the scope
    /// `group`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub see: Option<Who>,
    /// Who books it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub book: Option<Who>,
    /// Who books it for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub book_for_others: Option<Who>,
}

/// How much one may have of what the scope covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Quota {
    /// What is counted.
    pub measure: Measure,
    /// The most: bookings, minutes, or minor units of the price's currency.
    #[schema(minimum = 0)]
    pub limit: i64,
    /// Over which period, by the day of the start in the resource's zone.
    pub per: Period,
    /// Whose bookings count together.
    #[serde(default)]
    pub of: QuotaOf,
}

/// What a quota counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Bookings.
    Count,
    /// Minutes booked, without buffers.
    Minutes,
    /// Their price, in minor units.
    Money,
}

/// Over which period a quota counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// A day.
    Day,
    /// A week, from Monday.
    Week,
    /// A month.
    Month,
    /// All that has not ended yet.
    AtOnce,
}

/// Whose bookings a quota counts together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuotaOf {
    /// Each user's own.
    #[default]
    User,
    /// All members' of the group that the rules are laid on; only for the scope `group`.
    Group,
}

/// How far a series may go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Recurrence {
    /// Occurrences at most: 0 (no series) to 366.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_occurrences: Option<u32>,
    /// How far ahead the last may end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizon_minutes: Option<u32>,
}

/// The rules of a scope as they are now; empty when they were removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// What they are laid on.
    pub scope: Scope,
    /// Its id.
    pub scope_id: Uuid,
    /// Grows by one with every change.
    pub version: i64,
    /// The rules.
    pub rules: RuleSet,
}

/// Rules were laid down, changed or removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulesChanged {
    /// As they were; none when there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<RuleSet>,
    /// As they are.
    #[serde(flatten)]
    pub rules: Rules,
}

impl Event for RulesChanged {
    const TYPE: &'static str = "reservas.rules.changed.v1";
    const STREAM: &'static str = "rules";

    fn stream_id(&self) -> Uuid {
        self.rules.scope_id
    }
}
