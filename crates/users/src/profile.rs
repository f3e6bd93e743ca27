//! What a person tells of themselves: the forms of a phone number, a picture's address and preferences.

use http::Uri;
use serde_json::Value;

/// Characters of a picture's address at most.
pub const LONGEST_URL: usize = 2048;
/// Bytes of preferences as JSON at most.
pub const MOST_PREFERENCES: usize = 4096;

/// Whether a text is a phone number in international form (ITU-T E.164, section 6.2): `+` and 7 to 15 digits.
#[must_use]
pub fn is_phone(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Whether a text is the address of a picture that a page may show: `https` only, a host, and nobody's password.
#[must_use]
pub fn is_picture_url(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let has_host = uri.authority().is_some_and(|authority| !authority.host().is_empty());
    let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    text.len() <= LONGEST_URL && text.starts_with("https://") && has_host && !has_user
}

/// Whether a value can be kept as preferences: an object of 4096 bytes at most.
#[must_use]
pub fn are_preferences(value: &Value) -> bool {
    value.is_object() && value.to_string().len() <= MOST_PREFERENCES && !value.to_string().contains("\\u0000")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn phones_are_international() {
        assert!(is_phone("+436641234567") && is_phone("+1234567"));
        for text in [
            "",
            "+",
            "0664123456",
            "+0664123456",
            "+43 664 123",
            "+123456",
            "+1234567890123456",
            "+४३६६४१२३४",
        ] {
            assert!(!is_phone(text), "{text}");
        }
    }

    #[test]
    fn pictures_are_fetched_safely_or_not_at_all() {
        assert!(is_picture_url("https://example.edu/ada.png?size=64"));
        for text in [
            "http://example.edu/a.png",
            "javascript:alert(1)",
            "data:image/png;base64,AA==",
            "https://",
            "https://user:word@example.edu/a.png",
            "//example.edu/a.png",
            "https://example.edu/a b.png",
        ] {
            assert!(!is_picture_url(text), "{text}");
        }
        assert!(!is_picture_url(&format!("https://example.edu/{}", "a".repeat(LONGEST_URL))));
    }

    #[test]
    fn preferences_are_a_small_object() {
        assert!(are_preferences(&json!({"theme": "dark", "week": {"starts_on": 1}})));
        assert!(!are_preferences(&json!(["dark"])) && !are_preferences(&json!({"a": "\0"})));
        assert!(!are_preferences(&json!({"a": "x".repeat(MOST_PREFERENCES)})));
    }
}
