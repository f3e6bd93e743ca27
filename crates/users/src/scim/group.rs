//! Groups as SCIM has them (RFC 7643, section 4.2), and what a request makes of one. Members are those by hand: whom a
//! group's rule has in it, the rule alone takes out.

use std::collections::BTreeSet;

use jiff::Timestamp;
use kernel::{GroupId, UserId};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::filter::Clause;
use super::patch::{Act, Operation};
use super::{GROUP, MOST_MEMBERS, Refusal, get, text};

/// Characters of a group's name at most.
const LONGEST_NAME: usize = 100;

/// A group, without its members.
#[derive(Debug, Clone)]
pub struct Team {
    /// Its id.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// The client's own name of it.
    pub external_id: Option<String>,
    /// Whether it has a rule.
    pub has_rule: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Team {
    /// Where the resource is, from the root of the host.
    #[must_use]
    pub fn location(&self) -> String {
        format!("/scim/v2/Groups/{}", self.id)
    }

    /// The resource; without members when they are not asked for.
    #[must_use]
    pub fn resource(&self, members: Option<&[(UserId, String)]>) -> Value {
        let mut group = json!({
            "schemas": [GROUP],
            "id": self.id,
            "displayName": self.name,
            "meta": {
                "resourceType": "Group",
                "created": self.created_at,
                "lastModified": self.updated_at,
                "location": self.location(),
            },
        });
        if let Some(external_id) = &self.external_id {
            group["externalId"] = external_id.as_str().into();
        }
        if let Some(members) = members {
            let member = |(id, name): &(UserId, String)| json!({"value": id, "display": name, "type": "User", "$ref": format!("/scim/v2/Users/{id}")});
            group["members"] = members.iter().map(member).collect();
        }
        group
    }
}

/// What a group is to be.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Its name; none: as it is.
    pub name: Option<String>,
    /// The client's own name of it; none: as it is.
    pub external_id: Option<Option<String>>,
    /// All its members; none: as they are, but for `add` and `remove`.
    pub all: Option<BTreeSet<UserId>>,
    /// Who comes in.
    pub add: BTreeSet<UserId>,
    /// Who leaves.
    pub remove: BTreeSet<UserId>,
}

impl Wanted {
    /// Of a whole resource.
    ///
    /// # Errors
    /// 400 `invalidValue` or `tooMany`.
    pub fn of(group: &Map<String, Value>) -> Result<Self, Refusal> {
        let name = name(group)?.ok_or_else(|| Refusal::value("A group has a displayName."))?;
        let members = get(group, "members").map(members).transpose()?.unwrap_or_default();
        let external_id = Some(text(group, "externalId")?);
        Ok(Self { name: Some(name), external_id, all: Some(members), ..Self::default() })
    }

    /// Of the operations of a PATCH, one after the other.
    ///
    /// # Errors
    /// 400 with the RFC's word for what is wrong.
    pub fn patched(operations: &[Operation]) -> Result<Self, Refusal> {
        let mut wanted = Self::default();
        for operation in operations {
            match (&operation.target, &operation.value) {
                (Some(target), value) if target.attribute.eq_ignore_ascii_case("members") => {
                    let by_filter = target.filter.as_deref().map(member).transpose()?;
                    wanted.members(operation.act, by_filter, value.as_ref())?;
                }
                (Some(target), value) if target.filter.is_none() && target.sub.is_none() => {
                    let value = value.clone().filter(|_| operation.act != Act::Remove).unwrap_or(Value::Null);
                    let known =
                        wanted.attributes(&[(target.attribute.clone(), value)].into_iter().collect())?;
                    if !known {
                        let detail = format!("Groups have no {} that can be set.", target.attribute);
                        return Err(Refusal::bad("invalidPath", detail));
                    }
                }
                (None, Some(Value::Object(values))) => {
                    wanted.attributes(values)?;
                    if let Some((_, value)) =
                        values.iter().find(|(key, _)| key.eq_ignore_ascii_case("members"))
                    {
                        wanted.members(operation.act, None, Some(value))?;
                    }
                }
                _ => {
                    return Err(Refusal::bad(
                        "invalidPath",
                        "Of groups, displayName, externalId and members are set.",
                    ));
                }
            }
        }
        let count = wanted.all.as_ref().map_or(wanted.add.len() + wanted.remove.len(), BTreeSet::len);
        if count > MOST_MEMBERS { Err(too_many()) } else { Ok(wanted) }
    }

    /// Takes what an object says of name and external id; gives whether it said any.
    fn attributes(&mut self, values: &Map<String, Value>) -> Result<bool, Refusal> {
        let has = |name: &str| values.keys().any(|key| key.eq_ignore_ascii_case(name));
        if has("displayName") {
            self.name = Some(name(values)?.ok_or_else(|| Refusal::value("A group has a displayName."))?);
        }
        if has("externalId") {
            self.external_id = Some(text(values, "externalId")?);
        }
        Ok(has("displayName") || has("externalId"))
    }

    fn members(&mut self, act: Act, by_filter: Option<UserId>, value: Option<&Value>) -> Result<(), Refusal> {
        let listed = match (by_filter, value) {
            (Some(one), _) => Some(BTreeSet::from([one])),
            (None, None | Some(Value::Null)) => None,
            (None, Some(value)) => Some(members(value)?),
        };
        match (act, listed) {
            (Act::Replace, listed) if by_filter.is_none() => {
                *self =
                    Self { name: self.name.take(), external_id: self.external_id.take(), ..Self::default() };
                self.all = Some(listed.unwrap_or_default());
            }
            (Act::Remove, None) => self.members(Act::Replace, None, None)?,
            (Act::Remove, Some(listed)) => listed.into_iter().for_each(|user| self.take(user)),
            (Act::Add | Act::Replace, listed) => {
                listed.into_iter().flatten().for_each(|user| self.put(user));
            }
        }
        Ok(())
    }

    fn put(&mut self, user: UserId) {
        match &mut self.all {
            Some(all) => {
                all.insert(user);
            }
            None => {
                self.remove.remove(&user);
                self.add.insert(user);
            }
        }
    }

    fn take(&mut self, user: UserId) {
        match &mut self.all {
            Some(all) => {
                all.remove(&user);
            }
            None => {
                self.add.remove(&user);
                self.remove.insert(user);
            }
        }
    }
}

fn too_many() -> Refusal {
    Refusal::bad("tooMany", format!("One request changes at most {MOST_MEMBERS} members."))
}

fn name(group: &Map<String, Value>) -> Result<Option<String>, Refusal> {
    let name = text(group, "displayName")?;
    if name.as_ref().is_some_and(|name| name.chars().count() > LONGEST_NAME) {
        return Err(Refusal::value(format!("displayName has at most {LONGEST_NAME} characters.")));
    }
    Ok(name)
}

/// The members of a value: a list of objects or ids, or one of them.
fn members(value: &Value) -> Result<BTreeSet<UserId>, Refusal> {
    let one = std::slice::from_ref(value);
    let list = value.as_array().map_or(one, Vec::as_slice);
    if list.len() > MOST_MEMBERS {
        return Err(too_many());
    }
    list.iter()
        .map(|item| id(item.as_object().and_then(|object| get(object, "value")).unwrap_or(item)))
        .collect()
}

fn id(value: &Value) -> Result<UserId, Refusal> {
    let id = value.as_str().and_then(|text| text.parse::<Uuid>().ok()).map(UserId);
    id.ok_or_else(|| Refusal::value("members.value is the id of a user."))
}

/// The member of a filter in a path: `value eq "…"`.
fn member(filter: &[Clause]) -> Result<UserId, Refusal> {
    match filter {
        [clause] if clause.attribute == "value" => id(&clause.value),
        _ => Err(Refusal::bad("invalidFilter", "Members are found by value eq.")),
    }
}

/// Which groups are asked for.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// `displayName`, in lower case.
    pub name: Option<String>,
    /// `externalId`.
    pub external_id: Option<String>,
    /// `id`.
    pub id: Option<Uuid>,
    /// `members.value`: a user who is in it by hand.
    pub member: Option<Uuid>,
}

impl Wish {
    /// Of a filter; none when nothing can meet it.
    ///
    /// # Errors
    /// 400 `invalidFilter` for an attribute that is not looked for here.
    pub fn of(clauses: &[Clause]) -> Result<Option<Self>, Refusal> {
        let mut wish = Self::default();
        for clause in clauses {
            let text = clause.text()?;
            match clause.attribute.as_str() {
                "displayname" => wish.name = Some(text.to_lowercase()),
                "externalid" => wish.external_id = Some(text.to_owned()),
                attribute @ ("id" | "members" | "members.value") => {
                    let Ok(id) = text.parse() else { return Ok(None) };
                    let slot = if attribute == "id" { &mut wish.id } else { &mut wish.member };
                    *slot = Some(id);
                }
                other => {
                    let detail = format!("Groups are not looked for by {other}.");
                    return Err(Refusal::bad("invalidFilter", detail));
                }
            }
        }
        Ok(Some(wish))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::patch;

    fn patched(operations: Value) -> Result<Wanted, Refusal> {
        Wanted::patched(&patch::read(json!({ "Operations": operations }).as_object().unwrap())?)
    }

    #[test]
    fn members_come_and_go_in_the_order_of_the_operations() {
        let [ada, bob] = [UserId::mint(), UserId::mint()];
        let wanted = patched(json!([
            {"op": "Add", "path": "members", "value": [{"value": ada}, {"value": bob}]},
            {"op": "Remove", "path": "members", "value": [{"value": ada}]},
            {"op": "remove", "path": format!("members[value eq \"{bob}\"]")},
            {"op": "add", "path": "members", "value": {"value": bob}}
        ]))
        .unwrap();
        assert_eq!((wanted.add, wanted.remove, wanted.all), ([bob].into(), [ada].into(), None));
        let wanted = patched(json!([
            {"op": "replace", "path": "members", "value": [{"value": ada}]},
            {"op": "add", "value": {"members": [{"value": bob}], "displayName": "New", "id": "x"}}
        ]))
        .unwrap();
        assert_eq!((wanted.all, wanted.name.as_deref()), (Some([ada, bob].into()), Some("New")));
        assert_eq!(patched(json!([{"op": "remove", "path": "members"}])).unwrap().all, Some(BTreeSet::new()));
        assert_eq!(
            patched(json!([{"op": "replace", "path": "members", "value": []}])).unwrap().all,
            Some(BTreeSet::new())
        );
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let word = |operations: Value| patched(operations).unwrap_err().scim_type;
        assert_eq!(
            word(json!([{"op": "add", "path": "members", "value": [{"value": "x"}]}])),
            Some("invalidValue")
        );
        assert_eq!(
            word(json!([{"op": "remove", "path": "members[display eq \"x\"]"}])),
            Some("invalidFilter")
        );
        assert_eq!(word(json!([{"op": "replace", "path": "owner", "value": "x"}])), Some("invalidPath"));
        assert_eq!(word(json!([{"op": "remove", "path": "displayName"}])), Some("invalidValue"));
    }
}
