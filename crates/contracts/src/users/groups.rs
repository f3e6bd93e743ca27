//! Groups: what is told of them, and the rule that members may follow from.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Event, GroupId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Who is in a group without being put there: an account that meets all conditions, of each at least one value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupRule {
    /// Domains of verified addresses, in lower case; at most 100. Empty: the address does not matter.
    #[serde(default)]
    #[schema(example = json!(["example.edu"]))]
    pub email_domains: BTreeSet<String>,
    /// Attributes of accounts, each with the values that count, compared as they are; at most 20 with 100 values each.
    #[serde(default)]
    #[schema(example = json!({"department": ["Physics", "Chemistry"]}))]
    pub attributes: BTreeMap<String, BTreeSet<String>>,
}

/// A group came to be, was renamed, got another rule, or is no more. Who is in it, the accounts tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupChanged {
    /// The group.
    pub group_id: GroupId,
    /// Its name; none when it is no more.
    pub name: Option<String>,
    /// Its rule; none when it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<GroupRule>,
}

impl Event for GroupChanged {
    const TYPE: &'static str = "reservas.group.changed.v1";
    const STREAM: &'static str = "group";

    fn stream_id(&self) -> Uuid {
        self.group_id.0
    }
}
