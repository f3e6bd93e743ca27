//! The rule of a group: what it may say, and whom it has in the group.

use std::collections::BTreeMap;

use contracts::users::GroupRule;

use crate::account::Account;
use crate::settings::{MOST_DOMAINS, admits, is_host};

/// Attributes of an account, and of a rule, at most.
pub const MOST_ATTRIBUTES: usize = 20;
/// Values of one attribute in a rule at most.
pub const MOST_VALUES: usize = 100;
/// Characters of an attribute's name at most.
const LONGEST_NAME: usize = 50;
/// Characters of an attribute's value at most.
pub const LONGEST_VALUE: usize = 200;

/// Whether a rule has an account in its group. An address counts once it is verified: anybody can claim one.
#[must_use]
pub fn has(rule: &GroupRule, account: &Account) -> bool {
    let by_address = rule.email_domains.is_empty()
        || (account.email_verified && admits(&rule.email_domains, &account.email));
    let by_attributes = rule
        .attributes
        .iter()
        .all(|(name, values)| account.attributes.get(name).is_some_and(|value| values.contains(value)));
    by_address && by_attributes
}

/// Refuses a rule that nobody could meet or that everybody meets.
///
/// # Errors
/// A sentence for people.
pub fn check(rule: &GroupRule) -> Result<(), &'static str> {
    if rule.email_domains.is_empty() && rule.attributes.is_empty() {
        return Err("a rule has a condition at least");
    }
    let are_domains = rule.email_domains.iter().all(|domain| is_host(domain) && domain.contains('.'));
    if rule.email_domains.len() > MOST_DOMAINS || !are_domains {
        return Err("at most 100 domains, in lower case and with a dot: example.edu");
    }
    if rule.attributes.len() > MOST_ATTRIBUTES || !rule.attributes.keys().all(|name| is_name(name)) {
        return Err("at most 20 attributes, with names of 1 to 50 lower-case letters, digits and _");
    }
    let are_values = rule.attributes.values().all(|values| {
        (1..=MOST_VALUES).contains(&values.len()) && values.iter().all(|value| is_value(value))
    });
    if are_values { Ok(()) } else { Err("an attribute has 1 to 100 values of 1 to 200 characters on a line") }
}

/// Refuses attributes of an account that are too many, or have names or values of another form.
///
/// # Errors
/// A sentence for people.
pub fn check_attributes(attributes: &BTreeMap<String, String>) -> Result<(), &'static str> {
    if attributes.len() > MOST_ATTRIBUTES {
        return Err("at most 20 attributes");
    }
    if !attributes.keys().all(|name| is_name(name)) {
        return Err("an attribute's name is 1 to 50 lower-case letters, digits and _");
    }
    if attributes.values().all(|value| is_value(value)) {
        Ok(())
    } else {
        Err("an attribute's value is a line of 1 to 200 characters")
    }
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(plain)
}

/// Whether a text can be the value of an attribute.
#[must_use]
pub fn is_value(value: &str) -> bool {
    (1..=LONGEST_VALUE).contains(&value.chars().count()) && !value.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use kernel::{OrganizationId, Role};

    use super::*;
    use crate::organization::Organization;

    fn ada() -> Account {
        let organization = Organization {
            id: OrganizationId::mint(),
            slug: "default".into(),
            name: "Example".into(),
            time_zone: "UTC".into(),
            locale: "en".into(),
        };
        let email = "ada@example.edu".parse().unwrap();
        let account = Account::new(&organization, email, "Ada".into(), Role::User, Timestamp::UNIX_EPOCH);
        Account { attributes: [("department".into(), "Physics".into())].into(), ..account }
    }

    fn rule(domains: &[&str], attributes: &[(&str, &[&str])]) -> GroupRule {
        let set = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        GroupRule {
            email_domains: set(domains),
            attributes: attributes.iter().map(|(name, values)| ((*name).to_owned(), set(values))).collect(),
        }
    }

    #[test]
    fn every_condition_counts_and_an_address_once_it_is_verified() {
        let verified = Account { email_verified: true, ..ada() };
        let domain = rule(&["example.edu", "example.org"], &[]);
        assert!(has(&domain, &verified) && !has(&domain, &ada()));
        assert!(!has(&rule(&["edu"], &[]), &verified));
        let physics: &[(&str, &[&str])] = &[("department", &["Chemistry", "Physics"])];
        assert!(has(&rule(&[], physics), &ada()) && !has(&rule(&["example.edu"], physics), &ada()));
        assert!(!has(&rule(&[], &[("department", &["physics"])]), &ada()));
        assert!(!has(&rule(&[], &[("cost_center", &["1"])]), &ada()));
    }

    #[test]
    fn a_rule_that_makes_no_sense_is_refused() {
        assert!(check(&rule(&["example.edu"], &[("department", &["Physics"])])).is_ok());
        for wrong in [
            rule(&[], &[]),
            rule(&["Example.edu"], &[]),
            rule(&["edu"], &[]),
            rule(&[], &[("Department", &["Physics"])]),
            rule(&[], &[("department", &[])]),
            rule(&[], &[("department", &["a\nb"])]),
        ] {
            assert!(check(&wrong).is_err(), "{wrong:?}");
        }
    }
}
