//! The operations of a PATCH (RFC 7644, section 3.5.2), and what they make of a resource.
//!
//! Read tolerantly, as the large providers write: operations with a capital (`Add`), names with dots as keys of a value.

use serde_json::{Map, Value};

use super::filter::Clause;
use super::path::{self, Target};
use super::{MOST_OPERATIONS, Refusal, get};

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Adds to lists, sets what is single.
    Add,
    /// Sets.
    Replace,
    /// Takes away.
    Remove,
}

/// One operation.
#[derive(Debug, Clone)]
pub struct Operation {
    /// What it does.
    pub act: Act,
    /// To what; none: to the attributes that the value names.
    pub target: Option<Target>,
    /// With what.
    pub value: Option<Value>,
}

/// Reads the operations of a request.
///
/// # Errors
/// 400 `invalidSyntax`, `invalidPath`, `noTarget` or `tooMany`.
pub fn read(body: &Map<String, Value>) -> Result<Vec<Operation>, Refusal> {
    let syntax = |detail: &str| Refusal::bad("invalidSyntax", detail);
    let Some(Value::Array(list)) = get(body, "Operations") else {
        return Err(syntax("A PATCH has a list of Operations."));
    };
    if list.len() > MOST_OPERATIONS {
        return Err(Refusal::bad("tooMany", format!("A PATCH has at most {MOST_OPERATIONS} operations.")));
    }
    list.iter()
        .map(|item| {
            let item = item.as_object().ok_or_else(|| syntax("An operation is an object."))?;
            let act = match get(item, "op").and_then(Value::as_str).map(str::to_lowercase).as_deref() {
                Some("add") => Act::Add,
                Some("replace") => Act::Replace,
                Some("remove") => Act::Remove,
                _ => return Err(syntax("op is add, replace or remove.")),
            };
            let target = match get(item, "path") {
                None => None,
                Some(Value::String(text)) => Some(path::parse(text)?),
                Some(_) => return Err(Refusal::bad("invalidPath", "A path is a text.")),
            };
            // A value that is empty says something: an empty list of members, a text taken away.
            let value = item
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case("value"))
                .map(|(_, value)| value.clone());
            match (act, &target, &value) {
                (Act::Remove, None, _) => Err(Refusal::bad("noTarget", "remove names a path.")),
                (Act::Add | Act::Replace, _, None) => Err(syntax("add and replace have a value.")),
                (Act::Add | Act::Replace, None, Some(value)) if !value.is_object() => {
                    Err(syntax("Without a path the value is an object."))
                }
                _ => Ok(Operation { act, target, value }),
            }
        })
        .collect()
}

/// Attributes that only the server sets.
const READ_ONLY: [&str; 4] = ["id", "meta", "groups", "schemas"];

/// Does one operation to a resource.
///
/// # Errors
/// 400 `mutability` when it names what only the server sets, `invalidPath` when it does not fit what is there.
pub fn apply(resource: &mut Map<String, Value>, operation: &Operation) -> Result<(), Refusal> {
    if let Some(target) = &operation.target {
        if READ_ONLY.iter().any(|name| name.eq_ignore_ascii_case(&target.attribute)) {
            return Err(Refusal::bad("mutability", format!("{} is set by the server.", target.attribute)));
        }
        return change(resource, operation.act, target, operation.value.as_ref());
    }
    let Some(Value::Object(values)) = &operation.value else { return Ok(()) };
    for (name, value) in values {
        if READ_ONLY.iter().any(|read_only| read_only.eq_ignore_ascii_case(name)) {
            continue;
        }
        change(resource, operation.act, &path::parse(name)?, Some(value))?;
    }
    Ok(())
}

fn change(
    resource: &mut Map<String, Value>,
    act: Act,
    target: &Target,
    value: Option<&Value>,
) -> Result<(), Refusal> {
    let key = key_of(resource, &target.attribute);
    match (&target.filter, &target.sub) {
        (Some(filter), sub) => change_matching(resource, act, &key, (filter, sub.as_deref()), value),
        (None, Some(sub)) => {
            let slot = resource.entry(key).or_insert_with(|| Value::Object(Map::new()));
            match slot {
                Value::Object(object) => set(object, act, sub, value),
                Value::Array(items) => {
                    items
                        .iter_mut()
                        .filter_map(Value::as_object_mut)
                        .for_each(|item| set(item, act, sub, value));
                }
                _ => return Err(Refusal::bad("invalidPath", format!("{} has no parts.", target.attribute))),
            }
            Ok(())
        }
        (None, None) => {
            set(resource, act, &key, value);
            Ok(())
        }
    }
}

/// The name as the resource has it already, because names have no case.
fn key_of(object: &Map<String, Value>, name: &str) -> String {
    object.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned().unwrap_or_else(|| name.to_owned())
}

fn set(object: &mut Map<String, Value>, act: Act, name: &str, value: Option<&Value>) {
    let key = key_of(object, name);
    let (Some(value), false) = (value, act == Act::Remove) else {
        object.remove(&key);
        return;
    };
    match (object.get_mut(&key), value) {
        (Some(Value::Array(items)), value) if act == Act::Add => match value {
            Value::Array(more) => items.extend(more.iter().cloned()),
            one => items.push(one.clone()),
        },
        (Some(Value::Object(parts)), Value::Object(more)) => {
            for (name, value) in more {
                set(parts, Act::Replace, name, Some(value));
            }
        }
        _ => {
            object.insert(key, value.clone());
        }
    }
}

/// Changes the values of a list that meet a filter. One that is not there yet is made, as providers expect of
/// `emails[type eq "work"].value`.
fn change_matching(
    resource: &mut Map<String, Value>,
    act: Act,
    key: &str,
    (filter, sub): (&[Clause], Option<&str>),
    value: Option<&Value>,
) -> Result<(), Refusal> {
    let slot = resource.entry(key.to_owned()).or_insert_with(|| Value::Array(Vec::new()));
    if slot.is_null() {
        *slot = Value::Array(Vec::new());
    }
    let Value::Array(items) = slot else {
        return Err(Refusal::bad("invalidPath", format!("{key} is no list.")));
    };
    if act == Act::Remove && sub.is_none() {
        items.retain(|item| !matches(item, filter));
        return Ok(());
    }
    let mut found = false;
    for item in items.iter_mut().filter(|item| matches(item, filter)) {
        found = true;
        let Some(object) = item.as_object_mut() else { continue };
        match (sub, value) {
            (Some(sub), value) => set(object, act, sub, value),
            (None, Some(Value::Object(more))) => {
                for (name, value) in more {
                    set(object, Act::Replace, name, Some(value));
                }
            }
            (None, _) => return Err(Refusal::value("A value of a list is an object.")),
        }
    }
    if !found && act != Act::Remove {
        let mut item: Map<String, Value> =
            filter.iter().map(|clause| (clause.attribute.clone(), clause.value.clone())).collect();
        match (sub, value) {
            (Some(sub), value) => set(&mut item, act, sub, value),
            (None, Some(Value::Object(more))) => item.extend(more.clone()),
            (None, _) => return Err(Refusal::value("A value of a list is an object.")),
        }
        items.push(Value::Object(item));
    }
    Ok(())
}

fn matches(item: &Value, filter: &[Clause]) -> bool {
    let Some(object) = item.as_object() else { return false };
    filter.iter().all(|clause| match (get(object, &clause.attribute), &clause.value) {
        (Some(Value::String(is)), Value::String(wanted)) => is.eq_ignore_ascii_case(wanted),
        (is, wanted) => is == Some(wanted),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(resource: Value, operations: Value) -> Result<Value, Refusal> {
        let body = json!({ "Operations": operations });
        let mut resource = resource.as_object().unwrap().clone();
        for operation in read(body.as_object().unwrap())? {
            apply(&mut resource, &operation)?;
        }
        Ok(Value::Object(resource))
    }

    #[test]
    fn entra_and_okta_are_understood() {
        let entra = json!([
            {"op": "Add", "path": "emails[type eq \"work\"].value", "value": "b@example.com"},
            {"op": "Replace", "path": "name.familyName", "value": "King"},
            {"op": "Replace", "value": {"name.givenName": "Ada", "title": "Dr"}},
            {"op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "P"}
        ]);
        let is = json!({"userName": "a", "emails": [{"type": "work", "value": "a@example.com"}]});
        let expected = json!({
            "userName": "a", "emails": [{"type": "work", "value": "b@example.com"}],
            "name": {"familyName": "King", "givenName": "Ada"}, "title": "Dr",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "P"}
        });
        assert_eq!(patched(is, entra).unwrap(), expected);
        let okta = json!([{"op": "replace", "value": {"active": false}}]);
        assert_eq!(patched(json!({"active": true}), okta).unwrap(), json!({"active": false}));
    }

    #[test]
    fn lists_grow_shrink_and_are_made() {
        let add = json!([{"op": "add", "path": "emails[type eq \"home\"].value", "value": "h"}]);
        let is = patched(json!({}), add).unwrap();
        assert_eq!(is, json!({"emails": [{"type": "home", "value": "h"}]}));
        let more = json!([{"op": "add", "path": "emails", "value": [{"type": "work", "value": "w"}]}]);
        let is = patched(is, more).unwrap();
        let remove = json!([{"op": "remove", "path": "emails[type eq \"HOME\"]"}]);
        assert_eq!(patched(is, remove).unwrap(), json!({"emails": [{"type": "work", "value": "w"}]}));
        let remove = json!([{"op": "remove", "path": "title"}]);
        assert_eq!(patched(json!({"Title": "Dr"}), remove).unwrap(), json!({}));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let word = |operations: Value| patched(json!({"title": "Dr"}), operations).unwrap_err().scim_type;
        assert_eq!(word(json!([{"op": "move", "path": "a", "value": 1}])), Some("invalidSyntax"));
        assert_eq!(word(json!([{"op": "remove"}])), Some("noTarget"));
        assert_eq!(word(json!([{"op": "add", "path": "a"}])), Some("invalidSyntax"));
        assert_eq!(word(json!([{"op": "replace", "path": "id", "value": "x"}])), Some("mutability"));
        assert_eq!(word(json!([{"op": "replace", "path": "title.x", "value": "x"}])), Some("invalidPath"));
        assert_eq!(word(json!("x")), Some("invalidSyntax"));
    }
}
