//! Public holidays by country and region, without asking anybody: what `data/holidays.txt` says, expanded once when a
//! calendar is first wanted. `generate.py` says how the file is written and what it means.

mod easter;
mod rule;

use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

use jiff::civil::Date;

/// The years of which the holidays are known.
pub const YEARS: std::ops::RangeInclusive<i16> = 2024..=2042;

static DATA: &str = include_str!("../data/holidays.txt");
static SECTIONS: LazyLock<BTreeMap<&'static str, Section>> = LazyLock::new(|| sections(DATA));

/// What the file says of a country or a region.
#[derive(Debug)]
struct Section {
    lines: Vec<&'static str>,
    calendar: OnceLock<Calendar>,
}

/// The holidays of a country or of one of its regions.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Calendar(BTreeMap<Date, Vec<&'static str>>);

impl Calendar {
    /// That of a country (ISO 3166-1: `PT`), or of a region of it (ISO 3166-2 without the country: `BY`), whatever their
    /// case; none when it is not known.
    #[must_use]
    pub fn of(country: &str, region: Option<&str>) -> Option<&'static Self> {
        let country = country.to_uppercase();
        let of_country = SECTIONS.get(country.as_str()).filter(|_| !country.contains('-'))?;
        let Some(region) = region else {
            return Some(of_country.calendar.get_or_init(|| Self::default().with(&of_country.lines)));
        };
        let name = format!("{country}-{region}");
        let exact = SECTIONS.get(name.as_str());
        let of_region = exact.or_else(|| SECTIONS.get(name.to_uppercase().as_str()))?;
        let whole = || Self::default().with(&of_country.lines).with(&of_region.lines);
        Some(of_region.calendar.get_or_init(whole))
    }

    /// The names of the holidays on a day; none on any other day, or outside of [`YEARS`].
    #[must_use]
    pub fn on(&self, date: Date) -> Option<&[&'static str]> {
        self.0.get(&date).map(Vec::as_slice)
    }

    /// How many days are holidays, of all years.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no day is one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// With what further lines add, and without what they take away.
    fn with(mut self, lines: &[&'static str]) -> Self {
        for line in lines {
            let Some((rule, name)) = line.split_once('=') else { continue };
            match rule.strip_prefix('-') {
                None => self.add(rule, name),
                Some(rule) => self.take(rule, name),
            }
        }
        self
    }

    fn add(&mut self, rule: &str, name: &'static str) {
        for date in rule::dates(rule) {
            self.0.entry(date).or_default().push(name);
        }
    }

    fn take(&mut self, rule: &str, name: &str) {
        for date in rule::dates(rule) {
            if let Some(names) = self.0.get_mut(&date) {
                names.retain(|one| *one != name);
                if names.is_empty() {
                    self.0.remove(&date);
                }
            }
        }
    }
}

/// The countries and regions that are known, as `PT` and `DE-BY`.
pub fn known() -> impl Iterator<Item = &'static str> {
    SECTIONS.keys().copied()
}

fn sections(text: &'static str) -> BTreeMap<&'static str, Section> {
    let mut sections = BTreeMap::<&str, Section>::new();
    let mut name = "";
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(rule) = line.strip_prefix(' ') {
            if let Some(section) = sections.get_mut(name) {
                section.lines.push(rule);
            }
        } else {
            name = line;
            sections.insert(name, Section { lines: Vec::new(), calendar: OnceLock::new() });
        }
    }
    sections
}

#[cfg(test)]
mod tests;
