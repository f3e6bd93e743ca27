//! What a provider says of a person: the claims of the ID token and of its userinfo endpoint, read with mistrust.

use std::collections::BTreeSet;

use kernel::Email;
use serde_json::{Map, Value};

/// The claims that are known of a person.
pub type Claims = Map<String, Value>;

/// Who somebody is, by the provider's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Never given to anybody else by the provider: 1 to 255 characters.
    pub subject: String,
    /// Their address, if it has the form of one.
    pub email: Option<Email>,
    /// Whether the provider vouches for the address; none where it says nothing.
    pub email_verified: Option<bool>,
    /// How to address them.
    pub name: Option<String>,
}

/// The groups somebody is in at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Groups {
    /// These.
    Known(BTreeSet<String>),
    /// The provider has more than it tells (OpenID Connect Core, section 5.6.2: `_claim_names`).
    Unknown,
}

impl Person {
    /// Reads the claims.
    #[must_use]
    pub fn of(subject: String, claims: &Claims) -> Self {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let line = |text: &str| {
            let plain: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
            Some(plain.trim().to_owned()).filter(|text| !text.is_empty())
        };
        let parts = [text("given_name"), text("family_name")].into_iter().flatten();
        let name = text("name").and_then(line).or_else(|| line(&parts.collect::<Vec<_>>().join(" ")));
        Self {
            subject,
            email: text("email").and_then(|text| text.parse().ok()),
            email_verified: claims.get("email_verified").and_then(flag),
            name,
        }
    }

    /// Whether the address is the person's, where it may be taken for granted that the provider checks what it says.
    #[must_use]
    pub fn proves_email(&self, assumed: bool) -> bool {
        self.email_verified.unwrap_or(assumed)
    }
}

/// Some providers write truth as text.
fn flag(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

/// The claim of a name, or at a JSON pointer (RFC 6901).
#[must_use]
pub fn find<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let mut parts = name.strip_prefix('/')?.split('/');
    let first = claims.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part))
}

/// The groups of a claim. A claim that is missing is one that is empty: providers leave it out for who is in no group.
#[must_use]
pub fn groups(claims: &Claims, name: &str) -> Groups {
    let is_elsewhere = claims.get("_claim_names").and_then(|names| names.get(name)).is_some();
    match find(claims, name) {
        None if is_elsewhere => Groups::Unknown,
        None => Groups::Known(BTreeSet::new()),
        Some(Value::String(one)) => Groups::Known(BTreeSet::from([one.clone()])),
        Some(value) => {
            let texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
            Groups::Known(texts.map(str::to_owned).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: Value) -> Claims {
        value.as_object().unwrap().clone()
    }

    fn known(names: &[&str]) -> Groups {
        Groups::Known(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn groups_stand_under_a_name_or_a_pointer() {
        let said =
            claims(json!({"groups": ["a", 1, "b"], "https://x.example/g": "c", "realm": {"roles": ["d"]}}));
        assert_eq!(groups(&said, "groups"), known(&["a", "b"]));
        assert_eq!(groups(&said, "https://x.example/g"), known(&["c"]));
        assert_eq!(groups(&said, "/realm/roles"), known(&["d"]));
        for none in ["other", "/realm/other", "/groups/x/y", "/", ""] {
            assert_eq!(groups(&said, none), known(&[]), "{none}");
        }
        let elsewhere = claims(json!({"_claim_names": {"groups": "src1"}}));
        assert_eq!(groups(&elsewhere, "groups"), Groups::Unknown);
    }

    #[test]
    fn a_person_is_what_has_its_form() {
        let person = Person::of(
            "7".into(),
            &claims(json!({"email": "Ada@Example.edu", "email_verified": "true", "name": " A\u{7}da\n"})),
        );
        assert_eq!(person.email.as_ref().map(Email::as_str), Some("ada@example.edu"));
        assert_eq!((person.email_verified, person.name.as_deref()), (Some(true), Some("Ada")));
        let person = Person::of(
            "7".into(),
            &claims(
                json!({"email": "no address", "email_verified": 1, "given_name": "Ada", "family_name": "King"}),
            ),
        );
        assert_eq!((&person.email, person.email_verified), (&None, None));
        assert_eq!(person.name.as_deref(), Some("Ada King"));
        assert!(person.proves_email(true) && !person.proves_email(false));
        let denied = Person { email_verified: Some(false), ..person };
        assert!(!denied.proves_email(true), "what the provider denies is not assumed");
    }
}
