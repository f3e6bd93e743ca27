//! The life of a booking: which step leads where, and what each does to it. Pure.

use jiff::Timestamp;
use kernel::{Slot, UserId};

use super::{BookedResource, Booking, Due, Status, Taken, Wanted, wanted};
use crate::error::Error;
use crate::quote::Quote;
use crate::rules::minutes;
use crate::terms::{Approved, Terms};

impl Booking {
    /// A hold becomes a booking that stands, or a request when somebody has to approve.
    ///
    /// # Errors
    /// When it is no hold, or one that has expired.
    pub fn confirm(self, now: Timestamp) -> Result<Self, Error> {
        let status = self.asked_for();
        self.demand(&[Status::Held], status)?;
        if self.has_expired(now) {
            return Err(Error::HoldExpired);
        }
        Ok(Self { expires_at: None, ..self.become_(status, now) })
    }

    /// Where it is in its life when nobody is to make up their mind any more: a request, or a booking that stands.
    #[must_use]
    pub const fn asked_for(&self) -> Status {
        if self.terms.approval.is_some() { Status::Pending } else { Status::Confirmed }
    }

    /// One of those who have to approve agrees, as one of so many in this step.
    ///
    /// # Errors
    /// When it does not wait for approval, or no longer.
    pub fn approve(mut self, approvals: u32, now: Timestamp) -> Result<Self, Error> {
        self.demand(&[Status::Pending], Status::Confirmed)?;
        if self.has_expired(now) {
            return Err(Error::RequestExpired);
        }
        self.terms.rounds = self.terms.approval.as_ref().map_or(self.terms.rounds, |asking| asking.round);
        let outcome =
            self.terms.approval.take().map_or(Approved::Done, |asking| asking.approve(approvals, now));
        match outcome {
            Approved::Done => Ok(self.become_(Status::Confirmed, now)),
            Approved::Asking(asking) => {
                self.terms.approval = Some(asking);
                Ok(self.become_(Status::Pending, now))
            }
        }
    }

    /// One of those who have to approve refuses.
    ///
    /// # Errors
    /// When it does not wait for approval, or no longer.
    pub fn reject(self, now: Timestamp) -> Result<Self, Error> {
        self.demand(&[Status::Pending], Status::Rejected)?;
        if self.has_expired(now) {
            return Err(Error::RequestExpired);
        }
        Ok(self.giving_up().become_(Status::Rejected, now))
    }

    /// A hold or a request runs out.
    ///
    /// # Errors
    /// When it is neither, or still holds.
    pub fn expire(self, now: Timestamp) -> Result<Self, Error> {
        self.demand(&[Status::Held, Status::Pending], Status::Expired)?;
        if !self.has_expired(now) {
            return Err(Error::InvalidTransition { from: self.status, to: Status::Expired });
        }
        Ok(self.giving_up().become_(Status::Expired, now))
    }

    /// It takes another time or other resources, under the terms that these have. Its place in life stays, but for one
    /// that others have to approve: it is asked anew, unless it only gives up some of its time.
    ///
    /// # Errors
    /// When it is over, or the people are there and it would start at another time.
    pub fn relocate(
        self,
        slot: Slot,
        resources: Vec<BookedResource>,
        terms: Terms,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let shrinks = slot.within(&self.slot) == Some(slot) && wanted(&resources) == self.wanted();
        let terms = if shrinks {
            Terms { approval: self.terms.approval.clone(), rounds: self.terms.rounds, ..terms }
        } else {
            terms.asked_anew(&self.terms)
        };
        let (stood, owed) = (self.binds() || self.terms.stood, self.owed(now));
        let terms = Terms { waitlist: self.terms.waitlist, stood, owed, ..terms };
        let status = match self.status {
            Status::Pending | Status::Confirmed if !shrinks => {
                if terms.approval.is_some() {
                    Status::Pending
                } else {
                    Status::Confirmed
                }
            }
            status => status,
        };
        self.demand(&[Status::Held, Status::Pending, Status::Confirmed, Status::CheckedIn], status)?;
        self.demand_time_left(now)?;
        if self.has_begun(now) && slot.starts_at() != self.slot.starts_at() {
            return Err(Error::AlreadyBegun);
        }
        if slot.ends_at() <= now {
            return Err(Error::AlreadyOver);
        }
        Ok(Self { slot, resources, terms, ..self.become_(status, now) })
    }

    /// Whether it is being used, or could be: nobody takes back what it cost by moving it away.
    #[must_use]
    pub fn has_begun(&self, now: Timestamp) -> bool {
        match self.status {
            Status::CheckedIn => true,
            Status::Confirmed => self.slot.starts_at() <= now,
            _ => false,
        }
    }

    /// What it costs after a change, by a new quote: what has begun is not paid back by making it shorter.
    #[must_use]
    pub fn requoted(&self, quote: Option<Quote>, now: Timestamp) -> Option<Quote> {
        let cost = |quote: Option<&Quote>| quote.map_or(0, |quote| quote.total.amount);
        let is_paid_back = self.has_begun(now) && cost(quote.as_ref()) < cost(self.quote.as_ref());
        if is_paid_back { self.quote.clone() } else { quote }
    }

    /// The people are there.
    ///
    /// # Errors
    /// When it does not stand, or outside of the window for check-in.
    pub fn check_in(self, now: Timestamp) -> Result<Self, Error> {
        self.demand(&[Status::Confirmed], Status::CheckedIn)?;
        let opens_at = self.slot.starts_at() - minutes(self.terms.check_in.opens_minutes.unwrap_or(15));
        if now < opens_at || now >= self.no_show_at().unwrap_or_else(|| self.slot.ends_at()) {
            return Err(Error::CheckInClosed { opens_at });
        }
        Ok(Self { checked_in_at: Some(now), ..self.become_(Status::CheckedIn, now) })
    }

    /// The people have left; what is left of the time is free.
    ///
    /// # Errors
    /// When they were not there.
    pub fn check_out(self, now: Timestamp) -> Result<Self, Error> {
        self.demand(&[Status::CheckedIn], Status::Completed)?;
        let released_at = (now < self.slot.ends_at()).then_some(now);
        Ok(Self { released_at, ..self.become_(Status::Completed, now) })
    }

    /// Its end has passed.
    ///
    /// # Errors
    /// When it does not stand, or is not over.
    pub fn complete(self, now: Timestamp) -> Result<Self, Error> {
        self.demand(&[Status::Confirmed, Status::CheckedIn], Status::Completed)?;
        if now < self.slot.ends_at() || self.no_show_at().is_some_and(|_| self.status == Status::Confirmed) {
            return Err(Error::InvalidTransition { from: self.status, to: Status::Completed });
        }
        Ok(self.become_(Status::Completed, now))
    }

    /// Nobody came within the grace; what is left of the time is free.
    ///
    /// # Errors
    /// When nobody has to come, or the grace is not over.
    pub fn miss(self, now: Timestamp) -> Result<Self, Error> {
        self.demand(&[Status::Confirmed], Status::NoShow)?;
        if self.no_show_at().is_none_or(|at| now < at) {
            return Err(Error::InvalidTransition { from: self.status, to: Status::NoShow });
        }
        let released_at = (now < self.slot.ends_at()).then_some(now);
        Ok(Self { released_at, ..self.become_(Status::NoShow, now) })
    }

    /// A cancelled booking stands again, as it was asked for; whether its time is still free, the write path tells.
    ///
    /// # Errors
    /// When it was not cancelled, or has begun.
    pub fn reinstate(self, now: Timestamp) -> Result<Self, Error> {
        self.demand(&[Status::Cancelled], Status::Confirmed)?;
        if self.slot.starts_at() <= now {
            return Err(Error::AlreadyBegun);
        }
        Ok(self.become_(Status::Confirmed, now))
    }

    /// Somebody else's from now on.
    ///
    /// # Errors
    /// When it is over.
    pub fn transfer(self, user_id: UserId, now: Timestamp) -> Result<Self, Error> {
        let status = self.status;
        self.demand(&[Status::Pending, Status::Confirmed, Status::CheckedIn], status)?;
        Ok(Self { user_id, ..self.become_(status, now) })
    }

    /// Something that is neither its time nor its place in life changes: title, attendees, guests, flag, reminders.
    #[must_use]
    pub fn touch(self, now: Timestamp) -> Self {
        let status = self.status;
        self.become_(status, now)
    }

    /// When it becomes a no-show unless somebody comes; none when nobody has to.
    #[must_use]
    pub fn no_show_at(&self) -> Option<Timestamp> {
        let check_in = self.terms.check_in;
        let grace = minutes(check_in.grace_minutes.unwrap_or(15));
        check_in.required.then(|| (self.slot.starts_at() + grace).min(self.slot.ends_at()))
    }

    /// Whether it is to be or is: neither over nor given up.
    #[must_use]
    pub const fn stands(&self) -> bool {
        matches!(self.status, Status::Held | Status::Pending | Status::Confirmed | Status::CheckedIn)
    }

    /// The resources that it was asked for.
    #[must_use]
    pub fn wanted(&self) -> Vec<Wanted> {
        wanted(&self.resources)
    }

    /// What it takes of each of its resources: nothing when it does not stand, or is a request that blocks nobody.
    #[must_use]
    pub fn takes(&self) -> Vec<Taken> {
        let ends_at = match self.status {
            Status::Pending if !self.terms.blocks => return Vec::new(),
            Status::Held | Status::Pending | Status::Confirmed | Status::CheckedIn => self.slot.ends_at(),
            Status::Completed | Status::NoShow => self.released_at.unwrap_or_else(|| self.slot.ends_at()),
            Status::Expired | Status::Rejected | Status::Cancelled => return Vec::new(),
        };
        let taken = self.resources.iter().filter_map(|resource| {
            let buffers = self.terms.buffers.get(&resource.resource_id).copied().unwrap_or_default();
            // Set up and never used: the time until it was given up stays taken, and so does the cleaning.
            let used = Slot::new(self.slot.starts_at(), ends_at).ok()?;
            let slot = used.padded(minutes(buffers.before), minutes(buffers.after));
            Some(Taken { resource_id: resource.resource_id, units: resource.units, slot })
        });
        taken.collect()
    }

    /// When the timed job has to look at it next, if ever.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        match self.status {
            Status::Held => self.expires_at,
            Status::Pending => {
                self.terms.approval.as_ref().map(|asking| asking.due_at(self.slot.starts_at()))
            }
            Status::Confirmed => {
                let over = self.no_show_at().unwrap_or_else(|| self.slot.ends_at());
                Some(self.remind_at().map_or(over, |at| at.min(over)))
            }
            Status::CheckedIn => Some(self.slot.ends_at()),
            Status::Completed | Status::Expired | Status::Rejected | Status::Cancelled | Status::NoShow => {
                None
            }
        }
    }

    /// Whether it expires by the clock, is missed, over, escalated or reminded of: what is due, if anything is.
    #[must_use]
    pub fn due(self, now: Timestamp) -> Option<(Self, Due)> {
        if self.due_at().is_none_or(|at| now < at) {
            return None;
        }
        if self.remind_at().is_some_and(|at| at <= now) && self.status == Status::Confirmed {
            let mut after = self.touch(now);
            // Several that are due at once are one.
            after.terms.reminders.retain(|before| now < after.slot.starts_at() - minutes(*before));
            return Some((after, Due::Reminder));
        }
        let done = match self.status {
            Status::Pending if !self.has_expired(now) => {
                let mut after = self.touch(now);
                if let Some(asking) = &mut after.terms.approval {
                    asking.escalated = true;
                }
                return Some((after, Due::Escalation));
            }
            Status::Held | Status::Pending => (self.expire(now).ok()?, Due::Expiry),
            Status::Confirmed if self.no_show_at().is_some() => (self.miss(now).ok()?, Due::NoShow),
            _ => (self.complete(now).ok()?, Due::Completion),
        };
        Some(done)
    }

    /// When its owner is to be reminded next.
    #[must_use]
    pub fn remind_at(&self) -> Option<Timestamp> {
        self.terms.reminders.first().map(|before| self.slot.starts_at() - minutes(*before))
    }

    /// Whether it is a hold that no longer holds, or a request that nobody decided on in time.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        let ends_at = match (self.status, &self.terms.approval) {
            (Status::Held, _) => self.expires_at,
            (Status::Pending, Some(asking)) => Some(asking.ends_at(self.slot.starts_at())),
            _ => None,
        };
        ends_at.is_some_and(|at| at <= now)
    }

    pub(super) fn demand_time_left(&self, now: Timestamp) -> Result<(), Error> {
        if self.has_expired(now) {
            return Err(Error::HoldExpired);
        }
        if self.slot.ends_at() <= now {
            return Err(Error::AlreadyOver);
        }
        Ok(())
    }

    pub(super) fn demand(&self, from: &[Status], to: Status) -> Result<(), Error> {
        if from.contains(&self.status) {
            Ok(())
        } else {
            Err(Error::InvalidTransition { from: self.status, to })
        }
    }

    pub(super) fn become_(self, status: Status, now: Timestamp) -> Self {
        Self { status, version: self.version + 1, updated_at: now, ..self }
    }
}
