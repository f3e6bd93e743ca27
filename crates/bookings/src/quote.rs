//! What a booking costs, line by line, from the prices in force when it is made. Pure.

use std::collections::BTreeSet;

use contracts::rules::{Per, Price, Prices};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use kernel::{GroupId, Money, ResourceId, Slot};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::origins::Origin;
use crate::schedule;

/// A price with its explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Quote {
    /// The sum of the lines.
    pub total: Money,
    /// One line for each price that applies.
    pub lines: Vec<QuoteLine>,
}

/// One line of a quote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuoteLine {
    /// The price's name.
    #[schema(example = "Evening rate")]
    pub name: String,
    /// The price of one hour, day or use, in minor units.
    pub amount: i64,
    /// Per what.
    pub per: Per,
    /// How many minutes (of `hour`), days or uses.
    pub count: i64,
    /// How many units of the resource.
    pub units: i32,
    /// Their sum in minor units; half a unit is rounded up.
    pub total: i64,
    /// The resource that it is for; null in quotes of before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<ResourceId>,
    /// The price rule that gave it; null likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PriceOrigin>,
}

/// The price rule that gave a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PriceOrigin {
    /// The rules that it stands in.
    #[serde(flatten)]
    pub rules: Origin,
    /// Its place among their prices, from 0.
    pub price: usize,
}

/// What is priced, and for whom.
#[derive(Debug, Clone, Copy)]
pub struct Priced<'a> {
    /// When, without buffers.
    pub slot: Slot,
    /// The resource's zone.
    pub zone: &'a TimeZone,
    /// How many of its units.
    pub units: i32,
    /// The groups of whose booking it is.
    pub groups: &'a BTreeSet<GroupId>,
    /// The resource.
    pub resource_id: ResourceId,
    /// The rules that the prices stand in.
    pub from: Option<Origin>,
}

impl Quote {
    /// The quote for one resource.
    #[must_use]
    pub fn of(prices: &Prices, priced: &Priced<'_>) -> Self {
        let mut minutes = vec![0_i64; prices.prices.len()];
        let mut days: Vec<BTreeSet<Date>> = vec![BTreeSet::new(); prices.prices.len()];
        for piece in pieces(prices, priced) {
            let timed = prices
                .prices
                .iter()
                .enumerate()
                .find(|(_, price)| price.per != Per::Use && applies(price, priced, piece.starts_at()));
            let Some((place, price)) = timed else { continue };
            minutes[place] += piece.duration().as_mins();
            if price.per == Per::Day {
                days[place].insert(priced.zone.to_datetime(piece.starts_at()).date());
            }
        }
        let lines: Vec<QuoteLine> = prices
            .prices
            .iter()
            .enumerate()
            .filter_map(|(place, price)| {
                let count = match price.per {
                    Per::Hour => minutes[place],
                    Per::Day => i64::try_from(days[place].len()).unwrap_or(i64::MAX),
                    Per::Use => i64::from(applies(price, priced, priced.slot.starts_at())),
                };
                (count > 0).then(|| line((place, price), count, priced))
            })
            .collect();
        let total = lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.total));
        Self { total: Money { amount: total, currency: prices.currency.clone() }, lines }
    }
}

fn line((place, price): (usize, &Price), count: i64, priced: &Priced<'_>) -> QuoteLine {
    let units = priced.units;
    let product = i128::from(price.amount) * i128::from(count) * i128::from(units);
    let total = if price.per == Per::Hour { (product + 30).div_euclid(60) } else { product };
    let total = i64::try_from(total).unwrap_or(i64::MAX);
    QuoteLine {
        name: price.name.clone(),
        amount: price.amount,
        per: price.per,
        count,
        units,
        total,
        resource_id: Some(priced.resource_id),
        from: priced.from.map(|rules| PriceOrigin { rules, price: place }),
    }
}

fn applies(price: &Price, priced: &Priced<'_>, at: Timestamp) -> bool {
    let date = priced.zone.to_datetime(at).date();
    let in_hours = |hours| {
        // Hours of the day before may run past midnight.
        [Some(date), date.yesterday().ok()].into_iter().flatten().any(|date| {
            is_day(price, date)
                && schedule::slot(hours, date, priced.zone)
                    .is_some_and(|slot| slot.starts_at() <= at && at < slot.ends_at())
        })
    };
    let fits = match price.hours {
        Some(hours) => in_hours(hours),
        None => is_day(price, date),
    };
    fits && (price.groups.is_empty() || price.groups.iter().any(|group| priced.groups.contains(group)))
        && price.min_minutes.is_none_or(|least| priced.slot.duration().as_mins() >= i64::from(least))
}

fn is_day(price: &Price, date: Date) -> bool {
    (price.days.is_empty() || price.days.iter().any(|day| schedule::is_on(*day, date)))
        && price.from.is_none_or(|from| from <= date)
        && price.until.is_none_or(|until| date <= until)
}

/// The slot in pieces within each of which the same prices apply: cut at midnights and where hours begin and end.
fn pieces(prices: &Prices, priced: &Priced<'_>) -> Vec<Slot> {
    let slot = priced.slot;
    let mut cuts = BTreeSet::from([slot.starts_at(), slot.ends_at()]);
    let last = priced.zone.to_datetime(slot.ends_at()).date();
    let mut date = priced.zone.to_datetime(slot.starts_at()).date().saturating_sub(1.day());
    while date <= last {
        cuts.extend(date.to_zoned(priced.zone.clone()).map(|midnight| midnight.timestamp()));
        for hours in prices.prices.iter().filter_map(|price| price.hours) {
            let edges = schedule::slot(hours, date, priced.zone);
            cuts.extend(edges.iter().flat_map(|slot| [slot.starts_at(), slot.ends_at()]));
        }
        match date.tomorrow() {
            Ok(tomorrow) => date = tomorrow,
            Err(_) => break,
        }
    }
    let cuts: Vec<Timestamp> = cuts.range(slot.starts_at()..=slot.ends_at()).copied().collect();
    cuts.windows(2).filter_map(|pair| Slot::new(pair[0], pair[1]).ok()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn quote(prices: Value, from: &str, to: &str, groups: &[GroupId]) -> (i64, Vec<(String, i64, i64)>) {
        let prices: Prices = serde_json::from_value(json!({ "currency": "EUR", "prices": prices })).unwrap();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let slot = Slot::new(from.parse().unwrap(), to.parse().unwrap()).unwrap();
        let groups = groups.iter().copied().collect();
        let (resource_id, from) = (ResourceId::mint(), None);
        let priced = Priced { slot, zone: &zone, units: 1, groups: &groups, resource_id, from };
        let quote = Quote::of(&prices, &priced);
        let lines = quote.lines.into_iter().map(|line| (line.name, line.count, line.total)).collect();
        (quote.total.amount, lines)
    }

    #[test]
    fn each_minute_has_the_first_price_that_applies() {
        let prices = json!([
            { "name": "Evening", "amount": 1000, "per": "hour", "hours": { "opens": "18:00", "closes": "08:00" } },
            { "name": "Day", "amount": 2000, "per": "hour" },
            { "name": "Cleaning", "amount": 500, "per": "use" },
        ]);
        // 17:30 to 19:00 in Berlin.
        let (total, lines) = quote(prices, "2026-03-02T16:30:00Z", "2026-03-02T18:00:00Z", &[]);
        assert_eq!(
            lines,
            [("Evening".into(), 60, 1000), ("Day".into(), 30, 1000), ("Cleaning".into(), 1, 500)]
        );
        assert_eq!(total, 2500);
    }

    #[test]
    fn a_day_is_charged_once_and_a_minute_by_half_up() {
        let car = json!([{ "name": "Car", "amount": 4000, "per": "day" }]);
        assert_eq!(quote(car, "2026-03-02T10:00:00Z", "2026-03-04T09:00:00Z", &[]).0, 12_000);
        let desk = json!([{ "name": "Desk", "amount": 100, "per": "hour" }]);
        assert_eq!(quote(desk, "2026-03-02T10:00:00Z", "2026-03-02T10:20:00Z", &[]).0, 33);
    }

    #[test]
    fn members_have_their_price() {
        let group = GroupId::mint();
        let prices = json!([
            { "name": "Staff", "amount": 0, "per": "hour", "groups": [group] },
            { "name": "Guests", "amount": 900, "per": "hour" },
        ]);
        let (from, to) = ("2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z");
        assert_eq!(quote(prices.clone(), from, to, &[group]).0, 0);
        assert_eq!(quote(prices, from, to, &[]).0, 900);
    }

    #[test]
    fn weekdays_dates_and_length_choose_the_price_and_each_line_says_which_it_was() {
        let prices = json!([
            { "name": "Fair", "amount": 5000, "per": "hour", "from": "2026-03-03", "until": "2026-03-03" },
            { "name": "Weekend", "amount": 3000, "per": "hour", "days": ["saturday", "sunday"] },
            { "name": "Half a day", "amount": 1000, "per": "hour", "min_minutes": 240 },
            { "name": "Hour", "amount": 2000, "per": "hour" },
        ]);
        let named = |from: &str, to: &str| quote(prices.clone(), from, to, &[]).1.remove(0).0;
        assert_eq!(named("2026-03-03T10:00:00Z", "2026-03-03T11:00:00Z"), "Fair");
        assert_eq!(named("2026-03-07T10:00:00Z", "2026-03-07T11:00:00Z"), "Weekend");
        assert_eq!(named("2026-03-04T10:00:00Z", "2026-03-04T14:00:00Z"), "Half a day");
        assert_eq!(named("2026-03-04T10:00:00Z", "2026-03-04T11:00:00Z"), "Hour");
        // Over midnight of the fair, each hour by its own day.
        let (total, lines) = quote(prices, "2026-03-03T22:00:00Z", "2026-03-04T00:00:00Z", &[]);
        let names: Vec<_> = lines.iter().map(|(name, count, _)| (name.as_str(), *count)).collect();
        assert_eq!((total, names), (7000, vec![("Fair", 60), ("Hour", 60)]));
    }
}
