//! Paying with credit: what a booking has cost its owner so far, and what a change of it takes or gives back. Pure.

use kernel::{BookingId, Money, UserId};

use crate::booking::{Booking, Status};
use contracts::rules::PayWith;

/// What a change takes from somebody's credit, or gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose credit.
    pub user_id: UserId,
    /// For which booking.
    pub booking_id: BookingId,
    /// How much: negative when it is taken.
    pub money: Money,
}

impl Booking {
    /// What of its owner's credit it has: its price while it stands or might, its fee, if any, when it came to
    /// nothing.
    #[must_use]
    pub fn charged(&self) -> Option<Money> {
        let total = self.quote.as_ref().filter(|_| self.terms.pay_with == PayWith::Credit)?.total.clone();
        match self.status {
            Status::Held
            | Status::Pending
            | Status::Confirmed
            | Status::CheckedIn
            | Status::Completed
            | Status::NoShow => Some(total),
            Status::Cancelled | Status::Expired | Status::Rejected => {
                Some(Money { amount: self.terms.fee.unwrap_or(0), ..total })
            }
        }
    }
}

/// What a change takes and gives back: nothing when the charge stays what and whose it was.
#[must_use]
pub fn entries(before: Option<&Booking>, after: &Booking) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut add = |booking: &Booking, sign: i64| {
        let Some(charged) = booking.charged() else { return };
        let amount = charged.amount.saturating_mul(sign);
        let same = entries
            .iter_mut()
            .find(|entry| entry.user_id == booking.user_id && entry.money.currency == charged.currency);
        match same {
            Some(entry) => entry.money.amount = entry.money.amount.saturating_add(amount),
            None => entries.push(Entry {
                user_id: booking.user_id,
                booking_id: booking.id,
                money: Money { amount, ..charged },
            }),
        }
    };
    if let Some(before) = before {
        add(before, 1);
    }
    add(after, -1);
    entries.retain(|entry| entry.money.amount != 0);
    entries
}
