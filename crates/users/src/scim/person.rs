//! Users as SCIM has them (RFC 7643, section 4.1): an account as a resource, and a resource as what an account is to be.

use std::collections::BTreeMap;

use kernel::Email;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::filter::Clause;
use super::{ENTERPRISE, Refusal, USER, get, text};
use crate::account::{Account, is_locale, is_time_zone};
use crate::group_rule::{check_attributes, is_value};

/// Attributes of SCIM that are kept as attributes of the account: the container (none: the user itself), its name, ours.
const KEPT: [(Option<&str>, &str, &str); 9] = [
    (Some("name"), "givenName", "given_name"),
    (Some("name"), "familyName", "family_name"),
    (None, "title", "title"),
    (None, "userType", "user_type"),
    (Some(ENTERPRISE), "employeeNumber", "employee_number"),
    (Some(ENTERPRISE), "costCenter", "cost_center"),
    (Some(ENTERPRISE), "organization", "organization"),
    (Some(ENTERPRISE), "division", "division"),
    (Some(ENTERPRISE), "department", "department"),
];

/// An account, and what provisioning knows it by.
#[derive(Debug, Clone)]
pub struct Provisioned {
    /// The account.
    pub account: Account,
    /// The client's own name of it.
    pub external_id: Option<String>,
    /// The name that the client signs people in with, when it said one.
    pub user_name: Option<String>,
}

impl Provisioned {
    /// `userName`: what the client said, else the address.
    #[must_use]
    pub fn user_name(&self) -> &str {
        self.user_name.as_deref().unwrap_or(self.account.email.as_str())
    }

    /// The version as a weak entity tag.
    #[must_use]
    pub fn etag(&self) -> String {
        format!("W/\"{}\"", self.account.version)
    }

    /// Where the resource is, from the root of the host.
    #[must_use]
    pub fn location(&self) -> String {
        format!("/scim/v2/Users/{}", self.account.id)
    }

    /// The resource.
    #[must_use]
    pub fn resource(&self) -> Value {
        let account = &self.account;
        let groups: Vec<Value> = account
            .groups
            .iter()
            .map(|id| json!({"value": id, "$ref": format!("/scim/v2/Groups/{id}"), "type": "direct"}))
            .collect();
        let mut user = json!({
            "schemas": [USER, ENTERPRISE],
            "id": account.id,
            "userName": self.user_name(),
            "displayName": account.name,
            "name": {"formatted": account.name},
            "preferredLanguage": account.locale,
            "timezone": account.time_zone,
            "active": account.active,
            "emails": [{"value": account.email, "type": "work", "primary": true}],
            "groups": groups,
            "meta": {
                "resourceType": "User",
                "created": account.created_at,
                "lastModified": account.updated_at,
                "location": self.location(),
                "version": self.etag(),
            },
        });
        if let Some(external_id) = &self.external_id {
            user["externalId"] = external_id.as_str().into();
        }
        for (container, name, ours) in KEPT {
            let Some(value) = account.attributes.get(ours) else { continue };
            match container {
                Some(container) => user[container][name] = value.as_str().into(),
                None => user[name] = value.as_str().into(),
            }
        }
        user
    }
}

/// What an account is to be.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The name that the client signs people in with.
    pub user_name: String,
    /// The client's own name of it.
    pub external_id: Option<String>,
    /// The address.
    pub email: Email,
    /// How to address the person.
    pub name: String,
    /// Whether they may sign in; none: as it is.
    pub active: Option<bool>,
    /// Their language (BCP 47); none: as it is.
    pub locale: Option<String>,
    /// Their zone (IANA); none: as it is.
    pub time_zone: Option<String>,
    /// The attributes of the account after it.
    pub attributes: BTreeMap<String, String>,
}

/// Reads a resource, for an account that exists or a new one.
///
/// # Errors
/// 400 `invalidValue` that names the attribute.
pub fn read(user: &Map<String, Value>, before: Option<&Provisioned>) -> Result<Wanted, Refusal> {
    let user_name = text(user, "userName")?.ok_or_else(|| Refusal::value("A user has a userName."))?;
    let (email, locale) = (address(user, &user_name, before)?, text(user, "preferredLanguage")?);
    if locale.as_deref().is_some_and(|locale| !is_locale(locale)) {
        return Err(Refusal::value("preferredLanguage is a language tag, as in en-GB."));
    }
    let time_zone = text(user, "timezone")?;
    if time_zone.as_deref().is_some_and(|zone| !is_time_zone(zone)) {
        return Err(Refusal::value("timezone is a zone of the IANA database, as in Europe/Vienna."));
    }
    let mut attributes = before.map(|before| before.account.attributes.clone()).unwrap_or_default();
    for (container, name, ours) in KEPT {
        match kept(user, container, name)? {
            Some(value) if !is_value(&value) => return Err(Refusal::value(format!("{name} is too long."))),
            Some(value) => attributes.insert(ours.to_owned(), value),
            None => attributes.remove(ours),
        };
    }
    check_attributes(&attributes).map_err(Refusal::value)?;
    Ok(Wanted {
        name: name(user, before, &user_name)?,
        external_id: text(user, "externalId")?,
        active: get(user, "active").map(boolean).transpose()?,
        user_name,
        email,
        locale,
        time_zone,
        attributes,
    })
}

fn kept(user: &Map<String, Value>, container: Option<&str>, name: &str) -> Result<Option<String>, Refusal> {
    match container {
        None => text(user, name),
        Some(container) => match get(user, container) {
            None => Ok(None),
            Some(Value::Object(parts)) => text(parts, name),
            Some(_) => Err(Refusal::value(format!("{container} is an object."))),
        },
    }
}

fn name(user: &Map<String, Value>, before: Option<&Provisioned>, user_name: &str) -> Result<String, Refusal> {
    if let Some(name) = text(user, "displayName")? {
        return Ok(name);
    }
    if let Some(name) = kept(user, Some("name"), "formatted")? {
        return Ok(name);
    }
    let whole = joined(user)?;
    if !whole.is_empty() {
        return Ok(whole);
    }
    Ok(before.map_or_else(|| user_name.to_owned(), |before| before.account.name.clone()))
}

/// Given and family name as one.
fn joined(user: &Map<String, Value>) -> Result<String, Refusal> {
    let parts = [kept(user, Some("name"), "givenName")?, kept(user, Some("name"), "familyName")?];
    let whole = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    Ok(whole.chars().take(super::LONGEST).collect())
}

/// Of a resource after its PATCH: who changes a part of the name, and not the whole that was made of it, means the whole.
///
/// # Errors
/// 400 `invalidValue` when a part is none.
pub fn follow_name(user: &mut Map<String, Value>, before: &Map<String, Value>) -> Result<(), Refusal> {
    let was = text(before, "displayName")?;
    if text(user, "displayName")? != was {
        return Ok(());
    }
    let formatted = kept(user, Some("name"), "formatted")?;
    let is_joined = was.as_deref() == Some(joined(before)?.as_str());
    let whole = match formatted {
        Some(formatted) if was.as_ref() != Some(&formatted) => formatted,
        _ if is_joined => joined(user)?,
        _ => return Ok(()),
    };
    if !whole.is_empty() {
        user.insert("displayName".to_owned(), whole.into());
    }
    Ok(())
}

/// The address: the first of `emails`, the primary one before that of work before others; else `userName`.
fn address(
    user: &Map<String, Value>,
    user_name: &str,
    before: Option<&Provisioned>,
) -> Result<Email, Refusal> {
    let by_name: Option<Email> = user_name.parse().ok();
    let listed = match get(user, "emails") {
        Some(Value::Array(emails)) => first(emails)?,
        Some(_) => return Err(Refusal::value("emails is a list.")),
        None => None,
    };
    // Whoever changes only the name, where name and address were one, means both.
    let renamed = |before: &Provisioned| {
        let were_one = before.user_name().eq_ignore_ascii_case(before.account.email.as_str());
        were_one && !user_name.eq_ignore_ascii_case(before.user_name())
    };
    match (listed, by_name, before) {
        (Some(listed), Some(named), Some(before)) if listed == before.account.email && renamed(before) => {
            Ok(named)
        }
        (Some(listed), _, _) => Ok(listed),
        (None, Some(named), _) => Ok(named),
        (None, None, Some(before)) => Ok(before.account.email.clone()),
        (None, None, None) => Err(Refusal::value("emails has an address, where userName is none.")),
    }
}

fn first(emails: &[Value]) -> Result<Option<Email>, Refusal> {
    let objects: Vec<&Map<String, Value>> = emails.iter().filter_map(Value::as_object).collect();
    let is_primary = |email: &&&Map<String, Value>| {
        get(email, "primary").is_some_and(|value| boolean(value).is_ok_and(|is| is))
    };
    let is_work = |email: &&&Map<String, Value>| {
        get(email, "type").and_then(Value::as_str).is_some_and(|kind| kind.eq_ignore_ascii_case("work"))
    };
    let chosen = objects.iter().find(is_primary).or_else(|| objects.iter().find(is_work)).or(objects.first());
    let Some(value) = chosen.and_then(|email| get(email, "value")) else { return Ok(None) };
    let address = value.as_str().and_then(|text| text.parse().ok());
    address.map(Some).ok_or_else(|| Refusal::value("emails.value is an e-mail address."))
}

/// A boolean, also as the text that Entra ID writes.
fn boolean(value: &Value) -> Result<bool, Refusal> {
    match value {
        Value::Bool(is) => Ok(*is),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(Refusal::value("active is true or false.")),
    }
}

/// Which users are asked for.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// `userName`, in lower case.
    pub user_name: Option<String>,
    /// `externalId`.
    pub external_id: Option<String>,
    /// `id`.
    pub id: Option<Uuid>,
    /// `emails.value`, in lower case.
    pub email: Option<String>,
    /// `active`.
    pub active: Option<bool>,
}

impl Wish {
    /// Of a filter; none when nobody can meet it.
    ///
    /// # Errors
    /// 400 `invalidFilter` for an attribute that is not looked for here.
    pub fn of(clauses: &[Clause]) -> Result<Option<Self>, Refusal> {
        let mut wish = Self::default();
        for clause in clauses {
            let is_new = match clause.attribute.as_str() {
                "username" => put(&mut wish.user_name, clause.text()?.to_lowercase()),
                "externalid" => put(&mut wish.external_id, clause.text()?.to_owned()),
                "emails" | "emails.value" => put(&mut wish.email, clause.text()?.to_lowercase()),
                "active" => put(&mut wish.active, boolean(&clause.value)?),
                "id" => match clause.text()?.parse() {
                    Ok(id) => put(&mut wish.id, id),
                    Err(_) => return Ok(None),
                },
                other => {
                    let detail = format!("Users are not looked for by {other}.");
                    return Err(Refusal::bad("invalidFilter", detail));
                }
            };
            if !is_new {
                return Ok(None);
            }
        }
        Ok(Some(wish))
    }
}

/// Sets a wish; false when there is another already.
fn put<T: PartialEq>(slot: &mut Option<T>, value: T) -> bool {
    let is_same = slot.as_ref().is_none_or(|kept| *kept == value);
    *slot = Some(value);
    is_same
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::filter;

    fn read_new(user: Value) -> Result<Wanted, Refusal> {
        read(user.as_object().unwrap(), None)
    }

    #[test]
    fn addresses_and_names_come_from_where_providers_put_them() {
        let wanted = read_new(json!({
            "userName": "ada@corp.example", "active": "False", "name": {"givenName": "Ada", "familyName": "King"},
            "emails": [{"value": "home@example.com"}, {"value": "ADA@example.com", "type": "work", "primary": "True"}],
            ENTERPRISE: {"department": "Physics"}, "title": ""
        }))
        .unwrap();
        assert_eq!((wanted.email.as_str(), wanted.name.as_str()), ("ada@example.com", "Ada King"));
        assert_eq!((wanted.active, wanted.attributes["department"].as_str()), (Some(false), "Physics"));
        assert!(!wanted.attributes.contains_key("title"));
        assert_eq!(
            read_new(json!({"userName": "bob@example.com"})).unwrap().email.as_str(),
            "bob@example.com"
        );
    }

    #[test]
    fn a_part_of_a_name_that_changes_changes_the_whole() {
        let after = |display: &str, change: Value| {
            let was = json!({"displayName": display, "name": {"formatted": display, "givenName": "Ada", "familyName": "Byron"}});
            let (was, mut user) = (was.as_object().unwrap().clone(), was.as_object().unwrap().clone());
            for (name, value) in change.as_object().unwrap() {
                match user.get_mut("name").and_then(Value::as_object_mut) {
                    Some(parts) if name != "displayName" => parts.insert(name.clone(), value.clone()),
                    _ => user.insert(name.clone(), value.clone()),
                };
            }
            follow_name(&mut user, &was).unwrap();
            user["displayName"].as_str().unwrap().to_owned()
        };
        assert_eq!(after("Ada Byron", json!({"familyName": "King"})), "Ada King");
        assert_eq!(after("Ada Byron", json!({"formatted": "Countess Ada"})), "Countess Ada");
        assert_eq!(after("The Countess", json!({"familyName": "King"})), "The Countess");
        assert_eq!(after("Ada Byron", json!({"familyName": "King", "displayName": "A. King"})), "A. King");
        assert_eq!(after("Ada Byron", json!({})), "Ada Byron");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for user in [
            json!({}),
            json!({"userName": "ada"}),
            json!({"userName": "a@example.com", "active": "perhaps"}),
            json!({"userName": "a@example.com", "emails": [{"value": "nobody"}]}),
            json!({"userName": "a@example.com", "timezone": "Mars/Olympus"}),
            json!({"userName": "a@example.com", "name": "Ada"}),
            json!({"userName": "a\nb@example.com"}),
        ] {
            assert_eq!(read_new(user.clone()).unwrap_err().scim_type, Some("invalidValue"), "{user}");
        }
    }

    #[test]
    fn a_filter_is_a_wish() {
        let of = |text: &str| Wish::of(&filter::parse(text).unwrap());
        let wish = of("userName eq \"ADA\" and active eq \"True\"").unwrap().unwrap();
        assert_eq!((wish.user_name.as_deref(), wish.active), (Some("ada"), Some(true)));
        assert!(of("id eq \"x\"").unwrap().is_none());
        assert!(of("userName eq \"a\" and userName eq \"b\"").unwrap().is_none());
        assert!(of("password eq \"x\"").is_err() && of("userName eq 1").is_err());
    }
}
