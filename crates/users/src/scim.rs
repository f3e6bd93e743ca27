//! SCIM 2.0 (RFC 7643, RFC 7644): the words, the forms and the refusals of provisioning by an identity provider.

pub mod filter;
pub mod group;
pub mod patch;
pub mod path;
pub mod person;
pub mod refusal;
pub mod schemas;

use std::collections::HashSet;

use serde_json::{Map, Value};

pub use refusal::Refusal;

/// The media type of requests and answers (RFC 7644, section 3.1).
pub const MEDIA_TYPE: &str = "application/scim+json";
/// Resources in one answer at most.
pub const MOST_RESULTS: i64 = 200;
/// Operations in one PATCH at most.
pub const MOST_OPERATIONS: usize = 1000;
/// Members that one request may change, or one answer hold, at most.
pub const MOST_MEMBERS: usize = 10_000;
/// Characters of a name that a client gives (`externalId`, `userName`, `displayName`) at most.
pub const LONGEST: usize = 200;

/// The schema of users.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The schema of groups.
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The extension for organizations' users.
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The form of a PATCH.
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The value of an attribute, whose names have no case (RFC 7643, section 2.1); null and an empty list are no value.
#[must_use]
pub fn get<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let value = object
        .get(name)
        .or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v));
    value.filter(|value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()))
}

/// A text attribute, trimmed; an empty one is no value.
///
/// # Errors
/// 400 `invalidValue` when it is no text, too long, or has control characters.
pub fn text(object: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    match get(object, name) {
        None => Ok(None),
        Some(Value::String(text)) => {
            let text = text.trim();
            if text.chars().count() > LONGEST || text.chars().any(char::is_control) {
                return Err(Refusal::value(format!("{name} is a line of at most {LONGEST} characters.")));
            }
            Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
        }
        Some(_) => Err(Refusal::value(format!("{name} is a text."))),
    }
}

/// A resource with the attributes that were asked for (RFC 7644, section 3.9); `id` and `schemas` are always there.
#[must_use]
pub fn projected(mut resource: Value, attributes: Option<&str>, excluded: Option<&str>) -> Value {
    let names = |list: &str| -> HashSet<String> {
        list.split(',').map(|name| top(name.trim()).to_lowercase()).filter(|name| !name.is_empty()).collect()
    };
    let (wanted, unwanted) = (attributes.map(names), excluded.map(names));
    if let Some(object) = resource.as_object_mut() {
        object.retain(|key, _| {
            let key = key.to_lowercase();
            ["id", "schemas"].contains(&key.as_str())
                || (wanted.as_ref().is_none_or(|names| names.contains(&key))
                    && unwanted.as_ref().is_none_or(|names| !names.contains(&key)))
        });
    }
    resource
}

/// The attribute of the resource itself that a name is of.
fn top(name: &str) -> &str {
    let prefix =
        |schema: &str| name.get(..schema.len()).is_some_and(|head| head.eq_ignore_ascii_case(schema));
    if prefix(ENTERPRISE) {
        return ENTERPRISE;
    }
    let bare = [USER, GROUP].into_iter().find(|schema| prefix(schema));
    let name = bare.and_then(|schema| name.get(schema.len() + 1..)).unwrap_or(name);
    name.split('.').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_have_no_case_and_nothing_is_no_value() {
        let object = json!({"USERNAME": "ada", "a": null, "b": [], "c": " "});
        let object = object.as_object().unwrap();
        assert_eq!(text(object, "userName").unwrap().as_deref(), Some("ada"));
        assert!(get(object, "a").is_none() && get(object, "b").is_none());
        assert_eq!(text(object, "c").unwrap(), None);
        assert!(text(json!({"a": 1}).as_object().unwrap(), "a").is_err());
    }

    #[test]
    fn what_is_not_asked_for_stays_out() {
        let whole = json!({"id": "1", "schemas": [], "userName": "ada", "name": {}, "members": []});
        let some = projected(whole.clone(), Some("name.givenName"), None);
        assert_eq!(some, json!({"id": "1", "schemas": [], "name": {}}));
        let most = projected(whole, None, Some("urn:ietf:params:scim:schemas:core:2.0:Group:members,id"));
        assert_eq!(most, json!({"id": "1", "schemas": [], "userName": "ada", "name": {}}));
    }
}
