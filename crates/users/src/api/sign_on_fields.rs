//! Rules for what an organization sets about its identity provider, and for what clients send with a sign-in.

use std::collections::{BTreeMap, BTreeSet};

use kernel::Role;
use platform::config::Secret;

use crate::single_sign_on::return_to::is_return_to;
use crate::single_sign_on::{LONGEST, MOST_MAPPINGS, MOST_RETURN_TO, MOST_SCOPES};

fn rule(holds: bool, words: &str) -> garde::Result {
    if holds { Ok(()) } else { Err(garde::Error::new(words)) }
}

fn is_line(text: &str) -> bool {
    (1..=LONGEST).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// A line of text: 1 to 512 characters.
pub fn line(text: &str, (): &()) -> garde::Result {
    rule(is_line(text), "a line of 1 to 512 characters")
}

/// A client's secret: 1 to 512 characters.
pub fn secret(secret: &Secret, (): &()) -> garde::Result {
    rule(is_line(secret.expose()), "a secret is a line of 1 to 512 characters")
}

/// Scopes (RFC 6749, section 3.3): at most 20.
pub fn scopes(scopes: &BTreeSet<String>, (): &()) -> garde::Result {
    let is_scope = |scope: &String| {
        (1..=128).contains(&scope.len())
            && scope.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
    };
    rule(scopes.len() <= MOST_SCOPES && scopes.iter().all(is_scope), "at most 20 scopes, without spaces")
}

/// Groups of the provider that stand for something: at most 500.
pub fn mapping<T>(mapping: &BTreeMap<String, T>, (): &()) -> garde::Result {
    let fits = mapping.len() <= MOST_MAPPINGS && mapping.keys().all(|name| is_line(name));
    rule(fits, "at most 500 groups, each a line of 1 to 512 characters")
}

/// The role of who is in no group that gives one.
pub fn default_role(role: &Role, (): &()) -> garde::Result {
    rule(*role != Role::Admin, "not everybody can administer the organization")
}

/// Values of `acr`: at most 20.
pub fn acr(values: &BTreeSet<String>, (): &()) -> garde::Result {
    rule(values.len() <= MOST_SCOPES && values.iter().all(|value| is_line(value)), "at most 20 values")
}

/// Where browsers may be sent: at most 20 addresses.
pub fn return_to(addresses: &BTreeSet<String>, (): &()) -> garde::Result {
    rule(addresses.len() <= MOST_RETURN_TO, "at most 20 addresses")?;
    let words =
        "an address is https, http on loopback, or of an app's own scheme with a dot, without a fragment";
    rule(addresses.iter().all(|address| is_return_to(address)), words)
}

/// An S256 challenge (RFC 7636, section 4.2): 43 characters.
pub fn challenge(text: &str, (): &()) -> garde::Result {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    rule(text.len() == 43 && plain, "an S256 challenge has 43 characters of base64url")
}

/// A code verifier (RFC 7636, section 4.1): 43 to 128 characters.
pub fn verifier(secret: &Secret, (): &()) -> garde::Result {
    let text = secret.expose();
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    rule((43..=128).contains(&text.len()) && plain, "a code verifier has 43 to 128 unreserved characters")
}
