//! Giving a booking up: until when, for which fee, and what is owed wherever it was moved to. Pure.

use jiff::Timestamp;

use super::{Booking, Status};
use crate::error::Error;
use crate::rules::minutes;
use crate::terms::Owed;

impl Booking {
    /// It is given up, for its fee when that is late; after the deadline only by a manager.
    ///
    /// # Errors
    /// When it is over or has begun with the people there, or after its deadline.
    pub fn cancel(mut self, by_manager: bool, now: Timestamp) -> Result<Self, Error> {
        self.demand(&[Status::Held, Status::Pending, Status::Confirmed], Status::Cancelled)?;
        self.demand_time_left(now)?;
        if self.is_past_deadline(now) && !by_manager {
            return Err(Error::TooLateToCancel);
        }
        if self.is_late(now) {
            self.terms.fee = self.fee().map(|owed| owed.fee);
        }
        (self.terms.owed, self.terms.stood) = (self.owed(now), self.binds());
        Ok(Self { expires_at: None, ..self.giving_up().become_(Status::Cancelled, now) })
    }

    /// Whether it stands, or did before it was asked for anew.
    pub(super) fn binds(&self) -> bool {
        self.status == Status::Confirmed || (self.status == Status::Pending && self.terms.stood)
    }

    /// Whether giving it up costs its fee by now.
    fn is_late(&self, now: Timestamp) -> bool {
        self.binds() && self.is_within(self.terms.cancellation.free_until_minutes, now)
    }

    /// The fee for giving it up late; none when it costs nothing.
    fn fee(&self) -> Option<Owed> {
        let quote = self.quote.clone()?;
        let percent = i64::from(self.terms.cancellation.fee_percent.unwrap_or(0));
        let fee = quote.total.amount.saturating_mul(percent) / 100;
        Some(Owed { quote, pay_with: self.terms.pay_with, fee })
    }

    /// What giving it up costs from now on, wherever it is moved to: the greatest fee that was due at any of its places.
    pub(super) fn owed(&self, now: Timestamp) -> Option<Owed> {
        let due = self.is_late(now).then(|| self.fee()).flatten();
        let all = due.into_iter().chain(self.terms.owed.clone());
        all.filter(|owed| owed.fee > 0).max_by_key(|owed| owed.fee)
    }

    /// It comes to nothing: what is owed for an earlier place is its fee, if that is more, and a part of the price there.
    pub(super) fn giving_up(mut self) -> Self {
        if let Some(owed) = self.terms.owed.clone().filter(|owed| owed.fee > self.terms.fee.unwrap_or(0)) {
            (self.quote, self.terms.pay_with, self.terms.fee) =
                (Some(owed.quote), owed.pay_with, Some(owed.fee));
        }
        self
    }

    /// It makes way for one of higher priority; that costs nothing.
    ///
    /// # Errors
    /// When it is over, or has begun with the people there.
    pub fn preempt(self, now: Timestamp) -> Result<Self, Error> {
        self.demand(&[Status::Held, Status::Pending, Status::Confirmed], Status::Cancelled)?;
        Ok(Self { expires_at: None, ..self.become_(Status::Cancelled, now) })
    }

    /// Whether its owner can no longer give it up, nor move it away from its time.
    #[must_use]
    pub fn is_past_deadline(&self, now: Timestamp) -> bool {
        self.binds() && self.is_within(self.terms.cancellation.deadline_minutes, now)
    }

    /// Whether fewer than so many minutes are left until its start.
    fn is_within(&self, before: Option<u32>, now: Timestamp) -> bool {
        before.is_some_and(|before| now > self.slot.starts_at() - minutes(before))
    }
}
