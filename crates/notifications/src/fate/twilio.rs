//! Twilio's status call-backs, signed with the account's token ("Validating Signatures from Twilio").

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use platform::config::Secret;
use ring::hmac;

use super::{Fate, words};

/// Whether a form came from Twilio: `url` is the one that it was sent to, and `signature` its header. The comparison takes
/// the same time whatever differs.
#[must_use]
pub fn is_real(token: &Secret, url: &str, form: &BTreeMap<String, String>, signature: &str) -> bool {
    let Ok(signature) = STANDARD.decode(signature) else { return false };
    let signed = form.iter().fold(url.to_owned(), |text, (name, value)| text + name + value);
    // Twilio signs so; no other use is made of SHA-1.
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.expose().as_bytes());
    hmac::verify(&key, signed.as_bytes(), &signature).is_ok()
}

/// What a form tells; nothing while the message is on its way.
#[must_use]
pub fn read(form: &BTreeMap<String, String>) -> Option<(Fate, Option<String>)> {
    let fate = match form.get("MessageStatus")?.as_str() {
        "delivered" => Fate::Delivered,
        "read" => Fate::Opened,
        "undelivered" | "failed" => Fate::Undelivered,
        _ => return None,
    };
    let code = form.get("ErrorCode").filter(|_| fate == Fate::Undelivered);
    Some((fate, code.and_then(|code| words(&format!("Twilio's error {code}"), None))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_is_signed_as_published() {
        // "Validating Signatures from Twilio", the example of a voice call.
        let pairs = [
            ("Digits", "1234"),
            ("To", "+18005551212"),
            ("From", "+14158675309"),
            ("Caller", "+14158675309"),
            ("CallSid", "CA1234567890ABCDE"),
        ];
        let form: BTreeMap<_, _> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        let real = |token: &str, url: &str| {
            is_real(&Secret::from(token.to_owned()), url, &form, "RSOYDt4T1cUTdK1PDd93/VVr8B8=")
        };
        assert!(real("12345", url));
        assert!(!real("12346", url) && !real("12345", "https://mycompany.com/myapp.php"));
    }
}
