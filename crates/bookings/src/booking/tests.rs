//! The life of a booking, step by step.

use super::*;
use crate::error::Error;

fn at(text: &str) -> Timestamp {
    format!("2026-03-02T{text}:00Z").parse().unwrap()
}

fn booking(status: Status) -> Booking {
    let id = BookingId::mint();
    Booking {
        id,
        reference: reference(id),
        version: 1,
        status,
        user_id: UserId::mint(),
        created_by: UserId::mint(),
        title: None,
        slot: Slot::new(at("10:00"), at("11:00")).unwrap(),
        resources: Vec::new(),
        attendees: None,
        priority: 0,
        quote: None,
        terms: Terms::default(),
        checked_in_at: None,
        released_at: None,
        guests: Vec::new(),
        flag: None,
        series: None,
        expires_at: (status == Status::Held).then(|| at("09:00")),
        created_at: at("08:00"),
        updated_at: at("08:00"),
    }
}

#[test]
fn a_hold_is_confirmed_before_it_expires_and_never_after() {
    let confirmed = booking(Status::Held).confirm(at("08:59")).unwrap();
    assert_eq!((confirmed.status, confirmed.version, confirmed.expires_at), (Status::Confirmed, 2, None));
    assert!(matches!(booking(Status::Held).confirm(at("09:00")), Err(Error::HoldExpired)));
    assert!(matches!(booking(Status::Held).cancel(false, at("09:00")), Err(Error::HoldExpired)));
    assert_eq!(booking(Status::Held).expire(at("09:00")).unwrap().status, Status::Expired);
    assert!(booking(Status::Held).expire(at("08:59")).is_err());
}

#[test]
fn what_is_over_stays_over() {
    for status in [Status::Completed, Status::Expired, Status::Rejected, Status::Cancelled, Status::NoShow] {
        assert!(booking(status).confirm(at("08:30")).is_err());
        assert!(booking(status).cancel(false, at("08:30")).is_err());
        assert!(booking(status).check_in(at("10:00")).is_err());
        let slot = booking(status).slot;
        let error = booking(status).relocate(slot, Vec::new(), Terms::default(), at("08:30")).unwrap_err();
        assert!(matches!(error, Error::InvalidTransition { from, .. } if from == status));
    }
}

#[test]
fn check_in_has_a_window() {
    assert!(matches!(booking(Status::Confirmed).check_in(at("09:44")), Err(Error::CheckInClosed { .. })));
    assert!(matches!(booking(Status::Confirmed).check_in(at("11:00")), Err(Error::CheckInClosed { .. })));
    let there = booking(Status::Confirmed).check_in(at("09:45")).unwrap();
    assert_eq!(there.check_out(at("10:30")).unwrap().status, Status::Completed);
}

#[test]
fn a_reference_is_easy_to_read_out() {
    let text = reference(BookingId::mint());
    assert_eq!(text.len(), 9);
    assert!(
        text.chars()
            .all(|letter| letter == '-' || (letter.is_ascii_alphanumeric() && !"ILOU".contains(letter)))
    );
}
