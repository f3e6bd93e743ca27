//! Rules for the fields that several requests have.

use platform::config::Secret;

use crate::account::{is_locale, is_time_zone};
use crate::opaque_token;
use crate::password::LONGEST;

fn rule(holds: bool, words: &str) -> garde::Result {
    if holds { Ok(()) } else { Err(garde::Error::new(words)) }
}

/// A person's name: 1 to 200 characters, not blank, on one line, because it stands in the head of mails.
pub fn name(name: &str, (): &()) -> garde::Result {
    rule((1..=200).contains(&name.chars().count()), "a name has 1 to 200 characters")?;
    rule(!name.trim().is_empty() && !name.chars().any(char::is_control), "a name is a line of text")
}

/// A language tag: 2 to 35 characters.
pub fn locale(locale: &str, (): &()) -> garde::Result {
    rule(is_locale(locale), "not a BCP 47 language tag")
}

/// A zone: at most 64 characters.
pub fn time_zone(zone: &str, (): &()) -> garde::Result {
    rule(is_time_zone(zone), "not a zone of the IANA database")
}

/// A password that is shown: 1 to 256 characters. What a new one must be besides is `password::check`'s to say.
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

/// A code of an app or on paper: 6 to 32 characters.
pub fn code(code: &Secret, (): &()) -> garde::Result {
    rule((6..=32).contains(&code.expose().chars().count()), "a code has 6 to 32 characters")
}
