//! What is asked of the service, one file per operation; and the booking as clients see it.

pub mod approve_booking;
pub mod cancel_booking;
pub mod cancel_series;
pub mod change_series;
pub mod check_in;
pub mod check_out;
pub mod confirm_booking;
pub mod create_blackout;
pub mod create_booking;
pub mod create_delegation;
pub mod create_series;
pub mod end_delegation;
pub mod get_audit;
pub mod get_booking;
pub mod get_booking_history;
pub mod get_calendar;
pub mod get_credits;
pub mod get_details;
pub mod get_effective_policy;
pub mod get_free_busy;
pub mod get_next_free;
pub mod get_report;
pub mod get_schedule;
pub mod get_series;
pub mod grant_credit;
pub mod join_waitlist;
pub mod learn;
pub mod leave_waitlist;
pub mod list_approvals;
pub mod list_blackouts;
pub mod list_bookings;
pub mod list_conflicts;
pub mod list_delegations;
pub mod list_series;
pub mod list_waitlist;
pub mod move_booking;
pub mod plan;
pub mod preempt;
pub mod preview_series;
pub mod refusal;
pub mod reinstate_booking;
pub mod reject_booking;
pub mod remove_blackout;
pub mod resolve_conflict;
pub mod search_availability;
pub mod series;
pub mod step;
pub mod swap_bookings;
pub mod transfer_booking;
pub mod try_policy;
pub mod update_booking;
pub mod watch_live;

use jiff::Timestamp;
use kernel::{BookingId, SeriesId, UserId};
use platform::auth::Actor;
use platform::db::Tx;
use platform::http::Problem;
use serde::Serialize;
use utoipa::ToSchema;

use crate::booking::{BookedResource, Booking, Status};
use crate::guest::Guest;
use crate::quote::Quote;
use crate::recurrence::Local;
use crate::rules::minutes;
use crate::store::bookings;

/// A booking.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Booking)]
pub struct BookingBody {
    /// Its id.
    pub id: BookingId,
    /// What people call it.
    #[schema(example = "R7K2-M9QD")]
    pub reference: String,
    /// Where it is in its life.
    pub status: Status,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
    /// When it starts.
    pub starts_at: Timestamp,
    /// When it ends; the instant itself is free again.
    pub ends_at: Timestamp,
    /// What it is for.
    #[schema(example = "Design review")]
    pub title: Option<String>,
    /// Whose it is.
    pub user_id: UserId,
    /// Who made it.
    pub created_by: UserId,
    /// What it takes.
    pub resources: Vec<BookedResource>,
    /// How many people come.
    pub attendees: Option<i32>,
    /// Who is invited.
    pub guests: Vec<Guest>,
    /// What it costs, as it was quoted.
    pub quote: Option<Quote>,
    /// The terms that it was made under.
    pub terms: TermsBody,
    /// Until when a hold holds.
    pub expires_at: Option<Timestamp>,
    /// When the people came.
    pub checked_in_at: Option<Timestamp>,
    /// From when on its time was free again, when that was before its end.
    pub released_at: Option<Timestamp>,
    /// Why somebody has to look at it: it no longer fits its resource.
    pub flag: Option<String>,
    /// The series that it is of.
    pub series_id: Option<SeriesId>,
    /// The start that the series gave it, by the clock of its zone: its name within the series.
    pub occurrence: Option<Local>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What a booking was made under and keeps, whatever the rules become.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Terms)]
pub struct TermsBody {
    /// Until when its owner can cancel it; none: until its end.
    pub cancel_until: Option<Timestamp>,
    /// From when on a cancellation costs the fee; none: never.
    pub fee_from: Option<Timestamp>,
    /// The fee, in percent of the price.
    pub fee_percent: u32,
    /// What its cancellation cost, in minor units of its price.
    pub fee: Option<i64>,
    /// What giving it up costs at least, in minor units of its price at an earlier place: it was moved too late.
    pub owed: Option<i64>,
    /// From when on people can check in.
    pub check_in_from: Timestamp,
    /// When it becomes a no-show unless somebody checks in; none when nobody has to.
    pub check_in_until: Option<Timestamp>,
    /// The step of approval that is being decided, from 1; none when nobody has to approve.
    pub approval_step: Option<usize>,
    /// How many steps there are.
    pub approval_steps: usize,
    /// When the request expires unless it is decided.
    pub decide_until: Option<Timestamp>,
}

impl TermsBody {
    fn of(booking: &Booking) -> Self {
        let (terms, starts_at) = (&booking.terms, booking.slot.starts_at());
        let before = |count: Option<u32>| count.map(|count| starts_at - minutes(count));
        let asking = terms.approval.as_ref().filter(|_| booking.status == Status::Pending);
        Self {
            cancel_until: before(terms.cancellation.deadline_minutes),
            fee_from: before(terms.cancellation.free_until_minutes),
            fee_percent: terms.cancellation.fee_percent.unwrap_or(0),
            fee: terms.fee,
            owed: terms.owed.as_ref().map(|owed| owed.fee),
            check_in_from: starts_at - minutes(terms.check_in.opens_minutes.unwrap_or(15)),
            check_in_until: booking.no_show_at(),
            approval_step: asking.map(|asking| asking.step + 1),
            approval_steps: asking.map_or(0, |asking| asking.steps.len()),
            decide_until: asking.map(|asking| asking.ends_at(starts_at)),
        }
    }
}

impl BookingBody {
    /// As somebody sees it who decides on it: who is invited is not theirs to know, unless it is for another reason.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn for_decision(tx: &mut Tx, mut booking: Booking, actor: &Actor) -> Result<Self, Problem> {
        if !bookings::is_visible_to(tx, &booking, actor).await? {
            booking.guests.clear();
        }
        Ok(booking.into())
    }
}

impl From<Booking> for BookingBody {
    fn from(booking: Booking) -> Self {
        let terms = TermsBody::of(&booking);
        Self {
            id: booking.id,
            reference: booking.reference,
            status: booking.status,
            version: booking.version,
            starts_at: booking.slot.starts_at(),
            ends_at: booking.slot.ends_at(),
            title: booking.title,
            user_id: booking.user_id,
            created_by: booking.created_by,
            resources: booking.resources,
            attendees: booking.attendees,
            guests: booking.guests,
            terms,
            quote: booking.quote,
            expires_at: booking.expires_at,
            checked_in_at: booking.checked_in_at,
            released_at: booking.released_at,
            flag: booking.flag,
            series_id: booking.series.map(|(id, _)| id),
            occurrence: booking.series.map(|(_, occurrence)| occurrence),
            created_at: booking.created_at,
            updated_at: booking.updated_at,
        }
    }
}
