//! What templates of mails about bookings can say.

use contracts::users::Branding;
use kernel::Slot;
use kernel::slot::SlotError;
use serde::Serialize;

use super::brand::Brand;
use crate::message::{Appointment, Facts, Kind, Place, one_line};
use crate::wording::booking::happened;
use crate::wording::{Language, dates};

/// The values, each in the reader's language and zone; texts of people are one line each.
#[derive(Debug, Clone, Serialize)]
pub struct Values {
    /// The language (BCP 47).
    pub language: &'static str,
    /// The organization's name.
    pub organization: String,
    /// Its colours.
    pub brand: Brand,
    /// `Hello Ada,`
    pub greeting: String,
    /// What the reader is called; may be empty.
    pub name: String,
    /// What people call the booking.
    pub reference: String,
    /// `your booking R7K2-M9QD is confirmed.`
    pub happened: String,
    /// `Booking confirmed`
    pub happened_short: &'static str,
    /// What the attached file does; empty when there is none.
    pub calendar: &'static str,
    /// What the booking is for, if its owner said so.
    pub title: Option<String>,
    /// Why it happened, if somebody said so.
    pub reason: Option<String>,
    /// The time in the reader's zone.
    pub when: String,
    /// The time at the place, where the clock shows another one there.
    pub when_there: Option<String>,
    /// The places in one line: `Blue Room, 3 × Laptop`.
    pub places_short: String,
    /// The places.
    pub places: Vec<PlaceValue>,
    /// The time before, if it changed.
    pub when_before: Option<String>,
    /// The places before, if they changed.
    pub places_before: Option<String>,
    /// All of it, a label and a value each.
    pub lines: Vec<Line>,
    /// The words of the link below.
    pub unsubscribe: &'static str,
    /// Where the reader can say that they want no more of these.
    pub unsubscribe_url: Option<String>,
}

/// A place.
#[derive(Debug, Clone, Serialize)]
pub struct PlaceValue {
    /// Its name.
    pub name: String,
    /// How many of its units.
    pub units: i32,
    /// With where it is: `Blue Room (Floor 1, Main building)`.
    pub address: String,
}

/// A line of a table.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// `Where`
    pub label: String,
    /// The label with its colon and blanks: nine characters.
    pub padded: String,
    /// `Blue Room (Floor 1, Main building)`
    pub value: String,
}

/// For whom a message is worded.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// What they are called.
    pub name: &'a str,
    /// Their language.
    pub language: Language,
    /// Their zone (IANA).
    pub time_zone: &'a str,
    /// The name of their organization.
    pub organization: &'a str,
    /// Its colours.
    pub branding: &'a Branding,
}

impl Reader<'_> {
    /// `Hello Ada,`
    #[must_use]
    pub fn greeting(&self) -> String {
        let (hello, name) = (self.language.words().hello, one_line(self.name));
        if name.is_empty() { format!("{hello},") } else { format!("{hello} {name},") }
    }
}

impl Values {
    /// The values for what happened to a booking that its owner called `title`.
    #[must_use]
    pub fn new(kind: Kind, facts: &Facts, reader: Reader<'_>, title: Option<&str>) -> Self {
        let words = reader.language.words();
        let happened = happened(reader.language, kind);
        let text = |text: Option<&str>| text.map(one_line).filter(|text| !text.is_empty());
        let told = |at: &Appointment| dates::interval(at.slot, reader.time_zone, reader.language);
        let there = facts.now.time_zone();
        let when_there = dates::differ(there, reader.time_zone, facts.now.slot.starts_at())
            .then(|| dates::interval(facts.now.slot, there, reader.language));
        let before = facts.before.as_ref();
        let place = |place: &Place| PlaceValue {
            name: one_line(&place.name),
            units: place.units,
            address: Appointment { slot: facts.now.slot, places: vec![place.clone()] }.addresses(),
        };
        let mut values = Self {
            language: reader.language.tag(),
            organization: one_line(reader.organization),
            brand: Brand::of(reader.branding),
            greeting: reader.greeting(),
            name: one_line(reader.name),
            reference: one_line(&facts.reference),
            happened: happened.sentence.replace("{}", &one_line(&facts.reference)),
            happened_short: happened.subject,
            calendar: happened.calendar,
            title: text(title),
            reason: text(facts.reason.as_deref()),
            when: told(&facts.now),
            when_there,
            places_short: facts.now.names(),
            places: facts.now.places.iter().map(place).collect(),
            when_before: before.filter(|before| before.slot != facts.now.slot).map(told),
            places_before: before
                .filter(|before| before.places != facts.now.places)
                .map(Appointment::addresses),
            lines: Vec::new(),
            unsubscribe: words.unsubscribe,
            unsubscribe_url: None,
        };
        let addresses = facts.now.addresses();
        let until = facts.until.filter(|_| kind == Kind::BookingOffered);
        let until = until.map(|until| dates::moment(until, reader.time_zone, reader.language));
        values.lines = [
            (words.what, values.title.as_deref()),
            (words.place, Some(addresses.as_str())),
            (words.when, Some(values.when.as_str())),
            ("", values.when_there.as_deref()),
            (words.before, values.places_before.as_deref()),
            (words.before, values.when_before.as_deref()),
            (words.until, until.as_deref()),
            (words.reason, values.reason.as_deref()),
        ]
        .into_iter()
        .filter_map(|(label, value)| value.map(|value| Line::new(label, value)))
        .collect();
        values
    }

    /// Values for a preview.
    ///
    /// # Errors
    /// Never: the time of the sample is one.
    pub fn sample(kind: Kind, language: Language) -> Result<Self, SlotError> {
        let branding = Branding { primary: "#1a5fb4".into(), accent: "#26a269".into() };
        let (time_zone, organization) = ("Europe/Lisbon", "Analytical Engines");
        let reader = Reader { name: "Ada Lovelace", language, time_zone, organization, branding: &branding };
        let moved = (kind == Kind::BookingMoved).then(|| sample_appointment(10)).transpose()?;
        let facts = Facts {
            reference: "R7K2-M9QD".into(),
            version: 2,
            now: sample_appointment(14)?,
            before: moved,
            reason: None,
            until: (kind == Kind::BookingOffered).then_some(sample_appointment(13)?.slot.starts_at()),
        };
        Ok(Self::new(kind, &facts, reader, Some("Design review")))
    }

    /// Values with all that may be there, and with as little as there may be.
    ///
    /// # Errors
    /// As [`Values::sample`].
    pub fn samples(kind: Kind) -> Result<Vec<Self>, SlotError> {
        let full = Self::sample(kind, Language::Pt)?;
        let mut least = Self::sample(kind, Language::En)?;
        (least.title, least.when_before, least.places_before) = (None, None, None);
        least.name = String::new();
        let mut most = full.clone();
        most.reason = Some("The room is flooded".into());
        most.when_there = Some(most.when.clone());
        most.places_before = Some("Blue Room".into());
        most.when_before = Some(most.when.clone());
        most.unsubscribe_url = Some("https://example.org/unsubscribe".into());
        Ok(vec![full, least, most])
    }
}

impl Line {
    fn new(label: &str, value: &str) -> Self {
        let head = if label.is_empty() { String::new() } else { format!("{label}:") };
        Self { label: label.into(), padded: format!("{head:<8} "), value: value.into() }
    }
}

fn sample_appointment(hour: i64) -> Result<Appointment, SlotError> {
    let day = jiff::Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(20_514 * 24);
    let start = day + jiff::SignedDuration::from_hours(hour);
    let slot = Slot::new(start, start + jiff::SignedDuration::from_mins(90))?;
    let place = Place {
        name: "Blue Room".into(),
        units: 1,
        time_zone: "Europe/Lisbon".into(),
        location_names: vec!["Campus".into(), "Main building".into()],
    };
    Ok(Appointment { slot, places: vec![place] })
}
