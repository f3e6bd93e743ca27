//! What an administrator sets for an organization: the defaults, what is allowed, and which settings a change touched.

use std::collections::BTreeSet;

use contracts::users::{Branding, OrganizationSettings, Verification};
use platform::config::Secret;
use platform::http::Problem;

use crate::password::{Weakness, normal};

/// Host names of an organization at most.
pub const MOST_HOSTS: usize = 20;
/// E-mail domains of an organization at most.
pub const MOST_DOMAINS: usize = 100;
/// The longest host name (RFC 1035, section 2.3.4, without the root's dot).
pub const LONGEST_HOST: usize = 253;

/// The settings of a new organization.
#[must_use]
pub fn initial(slug: &str, name: &str, self_registration: bool) -> OrganizationSettings {
    OrganizationSettings {
        slug: slug.to_owned(),
        name: name.to_owned(),
        time_zone: "UTC".to_owned(),
        locale: "en".to_owned(),
        active: true,
        self_registration,
        hosts: BTreeSet::new(),
        email_domains: BTreeSet::new(),
        verification: Verification::Installation,
        session_idle_minutes: 525_600,
        session_absolute_days: 365,
        password_min_length: 8,
        branding: Branding { primary: "#1a5fb4".to_owned(), accent: "#26a269".to_owned() },
    }
}

/// The names of the settings that differ.
#[must_use]
pub fn differences(before: &OrganizationSettings, after: &OrganizationSettings) -> Vec<String> {
    let differs = [
        ("slug", before.slug != after.slug),
        ("name", before.name != after.name),
        ("time_zone", before.time_zone != after.time_zone),
        ("locale", before.locale != after.locale),
        ("active", before.active != after.active),
        ("self_registration", before.self_registration != after.self_registration),
        ("hosts", before.hosts != after.hosts),
        ("email_domains", before.email_domains != after.email_domains),
        ("verification", before.verification != after.verification),
        ("session_idle_minutes", before.session_idle_minutes != after.session_idle_minutes),
        ("session_absolute_days", before.session_absolute_days != after.session_absolute_days),
        ("password_min_length", before.password_min_length != after.password_min_length),
        ("branding", before.branding != after.branding),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.to_owned()).collect()
}

/// Whether a text is a host name of lower-case letters, digits, dashes and dots, without a port.
#[must_use]
pub fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    text.len() <= LONGEST_HOST && text.split('.').all(is_label)
}

/// Whether a text is a colour as `#rrggbb`.
#[must_use]
pub fn is_colour(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Whether an address is of one of the domains; of any where there are none.
#[must_use]
pub fn admits(domains: &BTreeSet<String>, email: &kernel::Email) -> bool {
    let domain = email.as_str().rsplit('@').next().unwrap_or_default();
    domains.is_empty() || domains.contains(domain)
}

/// Whether a sign-in needs a verified address, in an installation that demands it or not.
#[must_use]
pub fn demands_verification(settings: &OrganizationSettings, installation: bool) -> bool {
    match settings.verification {
        Verification::Installation => installation,
        Verification::Demanded => true,
        Verification::Optional => false,
    }
}

/// Refuses a password that is shorter than the organization demands; the installation's own rules are apart from this.
///
/// # Errors
/// 422 for the field at `pointer`.
pub fn check_password(
    settings: &OrganizationSettings,
    pointer: &str,
    password: &Secret,
) -> Result<(), Problem> {
    let least = settings.password_min_length as usize;
    if normal(password.expose()).chars().count() >= least {
        return Ok(());
    }
    let weakness = Weakness::TooShort(least);
    Err(Problem::invalid_field(pointer, weakness.code(), weakness.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_colours_have_their_form() {
        for host in ["booking.example.edu", "localhost", "a-b.example", "7.example"] {
            assert!(is_host(host), "{host}");
        }
        for host in ["", "Example.edu", "a..b", "-a.b", "a-.b", "a b", "a.example:8080", "ä.example"] {
            assert!(!is_host(host), "{host}");
        }
        assert!(!is_host(&format!("{}.example", "a".repeat(64))) && !is_host(&"a.".repeat(127)));
        assert!(is_colour("#1A5fb4"));
        assert!(!is_colour("1a5fb4") && !is_colour("#1a5fb") && !is_colour("#1a5fbg") && !is_colour("red"));
    }

    #[test]
    fn an_address_is_of_its_whole_domain() {
        let domains = BTreeSet::from(["example.edu".to_owned()]);
        let admitted = |text: &str| admits(&domains, &text.parse().unwrap());
        assert!(admitted("Ada@Example.edu") && admits(&BTreeSet::new(), &"a@b.example".parse().unwrap()));
        assert!(!admitted("ada@evil-example.edu") && !admitted("ada@example.edu.evil.example"));
        assert!(!admitted("ada@sub.example.edu"));
    }

    #[test]
    fn only_what_differs_is_a_change() {
        let before = initial("a", "A", false);
        let after = OrganizationSettings { name: "B".into(), session_idle_minutes: 30, ..before.clone() };
        assert_eq!(differences(&before, &after), ["name", "session_idle_minutes"]);
        assert_eq!(differences(&before, &before), [""; 0]);
    }
}
