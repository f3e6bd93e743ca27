//! What a booking was made under and keeps, whatever the rules become: buffers, check-in, cancellation, approval. Pure.

use std::collections::BTreeMap;

use contracts::rules::{ApprovalStep, Cancellation, CheckIn, PayWith};
use jiff::Timestamp;
use kernel::{ResourceId, WaitlistEntryId};
use serde::{Deserialize, Serialize};

use crate::quote::Quote;
use crate::rules::{Buffers, minutes};

/// The terms of a booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// What is kept free around it, for each resource that demands it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub buffers: BTreeMap<ResourceId, Buffers>,
    /// Until when it can be cancelled, and what that costs.
    pub cancellation: Cancellation,
    /// Whether people have to show that they came.
    pub check_in: CheckIn,
    /// Whether it blocks others while it waits for approval.
    pub blocks: bool,
    /// Who has to approve, and how far that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Asking>,
    /// How many times it was asked for: decisions of a time before do not count for another place or time.
    pub rounds: i32,
    /// How it is paid.
    pub pay_with: PayWith,
    /// The place in the waitlist that it was offered to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waitlist: Option<WaitlistEntryId>,
    /// What its cancellation cost, in minor units of its price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee: Option<i64>,
    /// Whether it stood before it was asked for anew: what binds one that stands binds it still.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stood: bool,
    /// What giving it up costs at least, because it was moved when giving it up would have cost that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owed: Option<Owed>,
    /// How many minutes before the start its owner is still to be reminded, the most first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reminders: Vec<u32>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            buffers: BTreeMap::new(),
            cancellation: Cancellation::default(),
            check_in: CheckIn::default(),
            blocks: true,
            approval: None,
            rounds: 0,
            pay_with: PayWith::default(),
            waitlist: None,
            fee: None,
            stood: false,
            owed: None,
            reminders: Vec::new(),
        }
    }
}

impl Terms {
    /// The terms after a change: what was decided before counts no more.
    #[must_use]
    pub fn asked_anew(mut self, before: &Self) -> Self {
        self.stood = before.stood;
        self.owed.clone_from(&before.owed);
        self.rounds = before.rounds.max(before.approval.as_ref().map_or(0, |asking| asking.round));
        if let Some(asking) = &mut self.approval {
            asking.round = self.rounds + 1;
        }
        self
    }
}

/// A fee that is owed, and the price that it is a part of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// The price.
    pub quote: Quote,
    /// How it is paid.
    pub pay_with: PayWith,
    /// The fee, in minor units of the price.
    pub fee: i64,
}

/// A request for approval on its way through its steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asking {
    /// The steps, one after the other.
    pub steps: Vec<ApprovalStep>,
    /// The step that is being decided, from 0.
    pub step: usize,
    /// Grows by one when the request changes and is asked anew.
    pub round: i32,
    /// Since when this step is being decided.
    pub since: Timestamp,
    /// Whether those who decide after an escalation were called.
    pub escalated: bool,
    /// When the request expires; at the start of the booking in any case.
    pub expires_at: Option<Timestamp>,
}

/// What one more approval leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approved {
    /// Others have to agree as well, in this step or in the next.
    Asking(Asking),
    /// All have agreed.
    Done,
}

impl Asking {
    /// After one more approval of the step that is being decided, which now has so many.
    #[must_use]
    pub fn approve(mut self, approvals: u32, now: Timestamp) -> Approved {
        if self.current().is_some_and(|step| approvals < step.quorum) {
            return Approved::Asking(self);
        }
        self.step += 1;
        if self.current().is_none() {
            return Approved::Done;
        }
        (self.since, self.escalated) = (now, false);
        Approved::Asking(self)
    }

    /// The step that is being decided.
    #[must_use]
    pub fn current(&self) -> Option<&ApprovalStep> {
        self.steps.get(self.step)
    }

    /// When those who decide after an escalation are called.
    #[must_use]
    pub fn escalate_at(&self) -> Option<Timestamp> {
        let after = self.current()?.escalate_after_minutes.filter(|_| !self.escalated)?;
        Some(self.since + minutes(after))
    }

    /// When the request expires, for a booking that starts then.
    #[must_use]
    pub fn ends_at(&self, starts_at: Timestamp) -> Timestamp {
        self.expires_at.map_or(starts_at, |at| at.min(starts_at))
    }

    /// When the timed job has to look at it next.
    #[must_use]
    pub fn due_at(&self, starts_at: Timestamp) -> Timestamp {
        let ends_at = self.ends_at(starts_at);
        self.escalate_at().map_or(ends_at, |at| at.min(ends_at))
    }
}
