//! Free and busy: what of a window is left of a resource, given the claims on its units. Pure.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use kernel::{ResourceId, Slot};

use crate::policy::Item;
use crate::rules::minutes;
use crate::schedule;

/// How a resource is bookable: any of its units, or all units of all its parts together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The resource.
    pub id: ResourceId,
    /// The units that count, in order.
    pub units: Vec<i64>,
    /// Whether all of them are taken together (a whole of parts), rather than any one (a pool).
    pub together: bool,
}

/// The claims on each unit, within some window.
pub type Claims = BTreeMap<i64, Vec<Slot>>;

/// The longest intervals in which one booking of the resource fits, in order, each at least `shortest` long.
///
/// Of a pool, an interval belongs to one unit: a booking cannot change units half way.
#[must_use]
pub fn free(shape: &Shape, claims: &Claims, window: &Slot, shortest: SignedDuration) -> Vec<Slot> {
    let none = Vec::new();
    let of = |unit: &i64| claims.get(unit).unwrap_or(&none);
    let mut free: Vec<Slot> = if shape.together {
        let all: Vec<Slot> = shape.units.iter().flat_map(of).copied().collect();
        window.minus(&all)
    } else {
        shape.units.iter().flat_map(|unit| window.minus(of(unit))).collect()
    };
    free.retain(|slot| slot.duration() >= shortest);
    free.sort();
    // An interval inside of another unit's says nothing new.
    let mut longest: Vec<Slot> = Vec::new();
    for slot in free {
        match longest.last() {
            Some(last) if slot.ends_at() <= last.ends_at() => {}
            Some(last) if slot.starts_at() == last.starts_at() => {
                longest.pop();
                longest.push(slot);
            }
            _ => longest.push(slot),
        }
    }
    longest
}

/// What of a free interval can be booked: within the opening hours, with room for what is kept free around a booking.
#[must_use]
pub fn bookable(item: &Item, free: &Slot) -> Vec<Slot> {
    let (rules, buffers) = (&item.rules, item.rules.buffers);
    let (before, after) = (minutes(buffers.before), minutes(buffers.after));
    let starts_at = free.starts_at().checked_add(before).unwrap_or(Timestamp::MAX);
    let ends_at = free.ends_at().checked_sub(after).unwrap_or(Timestamp::MIN);
    let Ok(slot) = Slot::new(starts_at, ends_at) else { return Vec::new() };
    let by_request = rules.approvals.iter().any(|approval| approval.outside_hours);
    match &rules.schedule {
        Some(hours) if rules.within_hours && !by_request => schedule::open(hours, &item.zone, &slot),
        _ => vec![slot],
    }
}

/// Times of a length inside a free interval that people would choose, the first first: from its start on, from the next
/// minute, and from the next quarter, half and full hour, where rules want that.
pub fn starts(free: &Slot, length: SignedDuration, earliest: Timestamp) -> impl Iterator<Item = Slot> {
    const STEPS: [i64; 5] = [1, 60, 900, 1800, 3600];
    let free = *free;
    let from = free.starts_at().max(earliest);
    // An interval that starts on the second starts there; what is left of a second is nobody's.
    let second = from.as_second() + i64::from(from.subsec_nanosecond() > 0);
    STEPS.into_iter().filter_map(move |step| {
        let starts_at = Timestamp::from_second(second.div_euclid(step).checked_mul(step)?).ok()?;
        let starts_at = if starts_at.as_second() < second {
            starts_at.checked_add(SignedDuration::from_secs(step)).ok()?
        } else {
            starts_at
        };
        let slot = Slot::new(starts_at, starts_at.checked_add(length).ok()?).ok()?;
        (slot.within(&free) == Some(slot)).then_some(slot)
    })
}

/// Of a length, the slot inside one of the free intervals whose start is nearest to the one wanted.
#[must_use]
pub fn nearest(free: &Slot, wanted: &Slot, earliest: Timestamp) -> Option<Slot> {
    let length = wanted.duration();
    let first = free.starts_at().max(earliest);
    let last = free.ends_at() - length;
    let starts_at = wanted.starts_at().clamp(first.min(last), last);
    Slot::new(starts_at, starts_at + length)
        .ok()
        .filter(|slot| slot.starts_at() >= first && slot.ends_at() <= free.ends_at())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(start: i64, end: i64) -> Slot {
        Slot::new(Timestamp::from_second(start).unwrap(), Timestamp::from_second(end).unwrap()).unwrap()
    }

    fn shape(units: &[i64], together: bool) -> Shape {
        Shape { id: ResourceId::mint(), units: units.to_vec(), together }
    }

    #[test]
    fn a_pool_is_free_while_one_unit_is() {
        let claims = Claims::from([(1, vec![slot(10, 20)]), (2, vec![slot(15, 30)])]);
        let second = SignedDuration::from_secs(1);
        assert_eq!(free(&shape(&[1, 2], false), &claims, &slot(0, 40), second), [slot(0, 15), slot(20, 40)]);
        assert_eq!(
            free(&shape(&[1, 2], false), &claims, &slot(0, 40), SignedDuration::from_secs(16)),
            [slot(20, 40)]
        );
    }

    #[test]
    fn a_whole_is_free_while_all_its_parts_are() {
        let claims = Claims::from([(1, vec![slot(10, 20)]), (2, vec![slot(15, 30)])]);
        let second = SignedDuration::from_secs(1);
        assert_eq!(free(&shape(&[1, 2], true), &claims, &slot(0, 40), second), [slot(0, 10), slot(30, 40)]);
    }

    #[test]
    fn starts_are_those_that_people_choose() {
        let (length, earliest) = (SignedDuration::from_mins(30), Timestamp::from_second(0).unwrap());
        let found: Vec<Slot> = starts(&slot(130, 7200), length, earliest).collect();
        assert_eq!(found, [130, 180, 900, 1800, 3600].map(|start| slot(start, start + 1800)));
        let found: Vec<Slot> = starts(&slot(0, 2700), length, Timestamp::from_second(890).unwrap()).collect();
        assert_eq!(found, [slot(890, 2690), slot(900, 2700), slot(900, 2700)]);
    }

    #[test]
    fn the_nearest_start_is_found() {
        let wanted = slot(10, 20);
        let earliest = Timestamp::from_second(0).unwrap();
        assert_eq!(nearest(&slot(12, 60), &wanted, earliest), Some(slot(12, 22)));
        assert_eq!(nearest(&slot(-20, 14), &wanted, earliest), Some(slot(4, 14)));
        assert_eq!(nearest(&slot(-20, 8), &wanted, earliest), None);
        assert_eq!(nearest(&slot(12, 21), &wanted, earliest), None);
    }
}
