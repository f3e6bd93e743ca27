//! An organization: a tenant, named by its slug where people sign in.

use kernel::OrganizationId;

/// The organization that a new installation has, and that is meant when none is named.
pub const DEFAULT_SLUG: &str = "default";

/// The longest slug: it may become a label of a host name (RFC 1035, section 2.3.4).
pub const LONGEST_SLUG: usize = 63;

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its short name, unique in the installation.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// The zone of its accounts until they choose another (IANA).
    pub time_zone: String,
    /// The language of its accounts until they choose another (BCP 47).
    pub locale: String,
}

/// Whether a text can be a slug: lower-case letters, digits and inner dashes.
#[must_use]
pub fn is_slug(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    (1..=LONGEST_SLUG).contains(&text.len()) && plain && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_a_host_name_label() {
        assert!(is_slug("default") && is_slug("tu-wien") && is_slug("7"));
        for slug in ["", "-a", "a-", "Wien", "a b", "a.b", "ä"] {
            assert!(!is_slug(slug), "{slug}");
        }
        assert!(is_slug(&"a".repeat(63)) && !is_slug(&"a".repeat(64)));
    }
}
