//! Rules for the fields that several requests have.

use std::collections::{BTreeMap, BTreeSet};

use contracts::users::Branding;
use kernel::Remit;
use platform::config::Secret;
use platform::http::Problem;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::account::{is_locale, is_time_zone};
use crate::group_rule;
use crate::opaque_token;
use crate::organization::is_slug;
use crate::passkey;
use crate::password::LONGEST;
use crate::profile::{are_preferences, is_phone, is_picture_url};
use crate::settings::{MOST_DOMAINS, is_colour, is_host};

/// The refusal of a request that says none or too many of several things.
pub(super) fn one_of(pointer: &str, words: &str) -> Problem {
    Problem::invalid_field(pointer, "one_of", words)
}

/// Tells null, which takes something away, from what is absent.
pub fn some<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn rule(holds: bool, words: &str) -> garde::Result {
    if holds { Ok(()) } else { Err(garde::Error::new(words)) }
}

/// A person's name: 1 to 200 characters, not blank, on one line, because it stands in the head of mails.
pub fn name(name: &str, (): &()) -> garde::Result {
    rule((1..=200).contains(&name.chars().count()), "a name has 1 to 200 characters")?;
    rule(!name.trim().is_empty() && !name.chars().any(char::is_control), "a name is a line of text")
}

/// The short name of an organization: 1 to 63 characters.
pub fn slug(slug: &str, (): &()) -> garde::Result {
    rule(is_slug(slug), "a slug is 1 to 63 lower-case letters, digits and inner dashes")
}

/// Domains of e-mail addresses: at most 100.
pub fn domains(domains: &BTreeSet<String>, (): &()) -> garde::Result {
    rule(domains.len() <= MOST_DOMAINS, "at most 100 domains")?;
    let fine = domains.iter().all(|domain| is_host(domain) && domain.contains('.'));
    rule(fine, "a domain is in lower case and has a dot: example.edu")
}

/// Two colours.
pub fn branding(branding: &Branding, (): &()) -> garde::Result {
    rule(is_colour(&branding.primary) && is_colour(&branding.accent), "a colour is #rrggbb")
}

/// A phone number: 8 to 16 characters.
pub fn phone(phone: &str, (): &()) -> garde::Result {
    rule(is_phone(phone), "a phone number is + and 7 to 15 digits, as in +436641234567")
}

/// The address of a picture: at most 2048 characters.
pub fn picture_url(url: &str, (): &()) -> garde::Result {
    rule(is_picture_url(url), "a picture is at an https address of at most 2048 characters")
}

/// Preferences: at most 4096 bytes.
pub fn preferences(preferences: &Value, (): &()) -> garde::Result {
    rule(are_preferences(preferences), "preferences are an object of at most 4096 bytes, without NUL")
}

/// Attributes of an account: at most 20.
pub fn attributes(attributes: &BTreeMap<String, String>, (): &()) -> garde::Result {
    group_rule::check_attributes(attributes).map_err(garde::Error::new)
}

/// What a manager is limited to: at most 20 places and 20 groups.
pub fn remit(remit: &Remit, (): &()) -> garde::Result {
    let most = remit.locations.len().max(remit.groups.len());
    rule(most <= Remit::MOST, "a remit has at most 20 locations and 20 groups")
}

/// A language tag: 2 to 35 characters.
pub fn locale(locale: &str, (): &()) -> garde::Result {
    rule(is_locale(locale), "not a BCP 47 language tag")
}

/// A zone: at most 64 characters.
pub fn time_zone(zone: &str, (): &()) -> garde::Result {
    rule(is_time_zone(zone), "not a zone of the IANA database")
}

/// A password that is shown: 1 to 256 characters. What a new one must be besides is `password::weigh`'s to say.
pub fn password(password: &Secret, (): &()) -> garde::Result {
    rule((1..=LONGEST).contains(&password.expose().chars().count()), "a password has 1 to 256 characters")
}

/// A refresh token: 1 to 86 characters; a shorter one is as wrong as any other.
pub fn refresh_token(token: &Secret, (): &()) -> garde::Result {
    rule((1..=opaque_token::LENGTH).contains(&token.expose().len()), "a refresh token has 86 characters")
}

/// A token of a link or a challenge: 1 to 86 characters; a shorter one is as wrong as any other.
pub fn opaque_token(token: &Secret, (): &()) -> garde::Result {
    rule((1..=opaque_token::LENGTH).contains(&token.expose().len()), "a token has 86 characters")
}

/// The ceremony of a passkey: 1 to 1024 characters; a wrong one is as wrong as any other.
pub fn ceremony(ceremony: &Secret, (): &()) -> garde::Result {
    rule((1..=passkey::LONGEST).contains(&ceremony.expose().len()), "a ceremony has 1 to 1024 characters")
}

/// What a passkey is called: 1 to 100 characters, on one line, because it stands in lists.
pub fn passkey_name(name: &str, (): &()) -> garde::Result {
    rule((1..=100).contains(&name.chars().count()), "a name has 1 to 100 characters")?;
    rule(!name.trim().is_empty() && !name.chars().any(char::is_control), "a name is a line of text")
}

/// A code of an app or on paper: 6 to 32 characters.
pub fn code(code: &Secret, (): &()) -> garde::Result {
    rule((6..=32).contains(&code.expose().chars().count()), "a code has 6 to 32 characters")
}
