//! Telephone numbers to which short messages go, and the codes that prove them.

use std::str::FromStr;

use kernel::{OrganizationId, UserId};
use rand::Rng as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Digits of a code.
const DIGITS: usize = 6;

/// A telephone number (ITU-T E.164): `+` and 7 to 15 digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Number(String);

impl Number {
    /// As providers take it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Number> for String {
    fn from(number: Number) -> Self {
        number.0
    }
}

impl TryFrom<String> for Number {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for Number {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "It must be a telephone number with its country, such as +351 912 345 678.";
        let number: String =
            text.trim().chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '/')).collect();
        let digits = number.strip_prefix('+').ok_or(FORM)?;
        let is_right = (7..=15).contains(&digits.len())
            && digits.chars().all(|c| c.is_ascii_digit())
            && !digits.starts_with('0');
        if is_right { Ok(Self(number)) } else { Err(FORM) }
    }
}

/// A new code.
#[must_use]
pub fn mint() -> String {
    format!("{:0DIGITS$}", rand::rng().random_range(0..1_000_000))
}

/// What is kept of a code: useless for another person.
#[must_use]
pub fn digest(organization: OrganizationId, user: UserId, code: &str) -> [u8; 32] {
    let hash = Sha256::new().chain_update(organization.0.as_bytes()).chain_update(user.0.as_bytes());
    hash.chain_update(code.trim()).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_international_and_written_in_one_way() {
        for text in ["+351912345678", " +351 912 345 678", "+351-912-345-678", "+351 (912) 345.678"] {
            assert_eq!(text.parse::<Number>().unwrap().as_str(), "+351912345678", "{text}");
        }
        for text in [
            "",
            "912345678",
            "+0351912345678",
            "+351912",
            "+3519123456789012",
            "+35191234567a",
            "00351912345678",
        ] {
            assert!(text.parse::<Number>().is_err(), "{text}");
        }
    }

    #[test]
    fn codes_have_six_digits_and_their_digests_an_owner() {
        let code = mint();
        assert!(code.len() == DIGITS && code.chars().all(|c| c.is_ascii_digit()), "{code}");
        let (organization, user) = (OrganizationId::mint(), UserId::mint());
        assert_eq!(digest(organization, user, &code), digest(organization, user, &format!(" {code} ")));
        assert_ne!(digest(organization, user, &code), digest(organization, UserId::mint(), &code));
    }
}
