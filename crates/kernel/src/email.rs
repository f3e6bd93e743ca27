//! E-mail addresses, in the one form in which they are compared and stored.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest address (RFC 5321, section 4.5.3.1.3: a path is 256 octets with its brackets).
pub const LONGEST: usize = 254;

/// An address: trimmed and in lower case, because two accounts that differ by case alone are one person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, format = Email, example = "ada@example.com", max_length = 254)]
pub struct Email(String);

/// A text that is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct EmailError;

impl Email {
    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Email {
    type Error = EmailError;

    fn try_from(text: String) -> Result<Self, EmailError> {
        let address = text.trim().to_lowercase();
        if address.len() > LONGEST || garde::rules::email::parse_email(&address).is_err() {
            return Err(EmailError);
        }
        Ok(Self(address))
    }
}

impl std::str::FromStr for Email {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        Self::try_from(text.to_owned())
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

impl std::fmt::Display for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_for_one_person() {
        assert_eq!(" Ada@Example.COM ".parse::<Email>().unwrap().as_str(), "ada@example.com");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "ada", "ada@", "@example.com", "ada@exa mple.com", "a\r\nBcc: b@example.com"] {
            assert_eq!(text.parse::<Email>(), Err(EmailError), "{text:?}");
        }
        assert_eq!(format!("{}@example.com", "a".repeat(300)).parse::<Email>(), Err(EmailError));
    }
}
