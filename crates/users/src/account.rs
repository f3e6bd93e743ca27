//! An account: a person of one organization, what they are there, and what may be changed about them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use kernel::{Email, GroupId, Remit, Role, UserId};
use serde_json::{Map, Value};

use crate::organization::Organization;

/// An account that has not been removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: UserId,
    /// Where mail goes, and the name to sign in with; unique in the organization.
    pub email: Email,
    /// How to address the person.
    pub name: String,
    /// Their language (BCP 47).
    pub locale: String,
    /// Their zone (IANA).
    pub time_zone: String,
    /// Their phone number (E.164).
    pub phone: Option<String>,
    /// Where a picture of them is.
    pub picture_url: Option<String>,
    /// What programs remember for them.
    pub preferences: Value,
    /// What the organization knows of them, by name; theirs to see, not to change.
    pub attributes: BTreeMap<String, String>,
    /// What they are.
    pub role: Role,
    /// The places and people that they are limited to; none for who is no manager, or manages the whole organization.
    pub remit: Option<Remit>,
    /// Whether they may sign in.
    pub active: bool,
    /// Whether the address was shown to be theirs.
    pub email_verified: bool,
    /// The groups they are in.
    pub groups: BTreeSet<GroupId>,
    /// Grows by one with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What is to change about an account; absent stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// How to address the person.
    pub name: Option<String>,
    /// Their language (BCP 47).
    pub locale: Option<String>,
    /// Their zone (IANA).
    pub time_zone: Option<String>,
    /// Their phone number (E.164); `Some(None)` takes it away.
    pub phone: Option<Option<String>>,
    /// Where a picture of them is; `Some(None)` takes it away.
    pub picture_url: Option<Option<String>>,
    /// What programs remember for them.
    pub preferences: Option<Value>,
    /// What the organization knows of them, as a whole.
    pub attributes: Option<BTreeMap<String, String>>,
    /// What they are.
    pub role: Option<Role>,
    /// The places and people that they are limited to, as managers; `Some(None)` for the whole organization.
    pub remit: Option<Option<Remit>>,
    /// Whether they may sign in.
    pub active: Option<bool>,
}

impl Account {
    /// A new account whose address is not verified yet, with the organization's language and zone.
    #[must_use]
    pub fn new(organization: &Organization, email: Email, name: String, role: Role, now: Timestamp) -> Self {
        Self {
            id: UserId::mint(),
            email,
            name,
            locale: organization.locale.clone(),
            time_zone: organization.time_zone.clone(),
            phone: None,
            picture_url: None,
            preferences: Value::Object(Map::new()),
            attributes: BTreeMap::new(),
            role,
            remit: None,
            active: true,
            email_verified: false,
            groups: BTreeSet::new(),
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// Whether the account can administer the organization.
    #[must_use]
    pub fn is_administrator(&self) -> bool {
        self.active && self.role == Role::Admin
    }

    /// The account after a change, with the names of the fields that differ.
    #[must_use]
    pub fn changed(&self, change: Change) -> (Self, Vec<String>) {
        let role = change.role.unwrap_or(self.role);
        let remit = change.remit.unwrap_or_else(|| self.remit.clone());
        let after = Self {
            name: change.name.unwrap_or_else(|| self.name.clone()),
            locale: change.locale.unwrap_or_else(|| self.locale.clone()),
            time_zone: change.time_zone.unwrap_or_else(|| self.time_zone.clone()),
            phone: change.phone.unwrap_or_else(|| self.phone.clone()),
            picture_url: change.picture_url.unwrap_or_else(|| self.picture_url.clone()),
            preferences: change.preferences.unwrap_or_else(|| self.preferences.clone()),
            attributes: change.attributes.unwrap_or_else(|| self.attributes.clone()),
            role,
            // Whoever is no manager any more is not one of the same places when they are one again.
            remit: remit.filter(|_| role == Role::Manager),
            active: change.active.unwrap_or(self.active),
            ..self.clone()
        };
        let differs = [
            ("name", self.name != after.name),
            ("locale", self.locale != after.locale),
            ("time_zone", self.time_zone != after.time_zone),
            ("phone", self.phone != after.phone),
            ("picture_url", self.picture_url != after.picture_url),
            ("preferences", self.preferences != after.preferences),
            ("attributes", self.attributes != after.attributes),
            ("role", self.role != after.role),
            ("remit", self.remit != after.remit),
            ("active", self.active != after.active),
        ];
        let fields = differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.to_owned());
        (after, fields.collect())
    }
}

/// Whether a text has the form of a language tag (RFC 5646, section 2.1): subtags of letters and digits, a language first.
#[must_use]
pub fn is_locale(text: &str) -> bool {
    let mut subtags = text.split('-');
    let is_language =
        |tag: &str| (2..=3).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_subtag =
        |tag: &str| (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.len() <= 35 && subtags.next().is_some_and(is_language) && subtags.all(is_subtag)
}

/// Whether a text names a zone of the IANA database.
#[must_use]
pub fn is_time_zone(text: &str) -> bool {
    text.len() <= 64 && jiff::tz::TimeZone::get(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> Account {
        Account {
            id: UserId::mint(),
            email: "ada@example.com".parse().unwrap(),
            name: "Ada".into(),
            locale: "en".into(),
            time_zone: "UTC".into(),
            phone: None,
            picture_url: None,
            preferences: Value::Null,
            attributes: BTreeMap::new(),
            role: Role::Admin,
            remit: None,
            active: true,
            email_verified: true,
            groups: BTreeSet::new(),
            version: 1,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn only_what_differs_is_a_change() {
        let change = Change { name: Some("Ada".into()), role: Some(Role::User), ..Change::default() };
        let (after, fields) = ada().changed(change);
        assert_eq!(fields, ["role"]);
        assert!(ada().is_administrator() && !after.is_administrator());
        assert_eq!(ada().changed(Change::default()).1, [""; 0]);
    }

    #[test]
    fn a_remit_ends_with_the_role() {
        let manager = Account { role: Role::Manager, remit: Some(Remit::default()), ..ada() };
        let (after, fields) = manager.changed(Change { role: Some(Role::User), ..Change::default() });
        assert_eq!((after.remit, fields), (None, vec!["role".to_owned(), "remit".to_owned()]));
        let whole = Change { remit: Some(None), ..Change::default() };
        assert_eq!(manager.changed(whole).1, ["remit"]);
    }

    #[test]
    fn locales_and_zones_are_what_the_registries_say() {
        for locale in ["en", "de-AT", "zh-Hant-TW", "sl-rozaj-biske-1994"] {
            assert!(is_locale(locale), "{locale}");
        }
        for locale in ["", "e", "english", "en_US", "en-", "12", "de-ÄT"] {
            assert!(!is_locale(locale), "{locale}");
        }
        assert!(is_time_zone("Europe/Vienna") && is_time_zone("UTC"));
        assert!(!is_time_zone("Europe/Atlantis") && !is_time_zone("../../etc/passwd") && !is_time_zone(""));
    }
}
