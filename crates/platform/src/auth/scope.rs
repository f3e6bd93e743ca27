//! What a token is limited to: names of permissions, separated by spaces (RFC 6749, section 3.3).

use std::collections::BTreeSet;

use kernel::Role;
use serde::{Deserialize, Serialize};

/// A set of permissions by name. Names that are no permission grant nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Scope(BTreeSet<String>);

impl Scope {
    /// Whether it has a permission.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The highest role, no higher than `granted`, all of whose permissions it has; the lowest role when it has none:
    /// where a rule looks at the role itself, a limited token counts as the less.
    #[must_use]
    pub fn role_within(&self, granted: Role) -> Role {
        let roles = [Role::Admin, Role::Manager];
        let whole = |role: &Role| role.permissions().iter().all(|name| self.has(name));
        roles.into_iter().filter(|role| *role <= granted).find(whole).unwrap_or(Role::User)
    }
}

impl<S: Into<String>> FromIterator<S> for Scope {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }
}

impl From<String> for Scope {
    fn from(text: String) -> Self {
        text.split_ascii_whitespace().collect()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.0.into_iter().collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_role_counts_as_the_lesser_role() {
        let all: Scope = Role::Admin.permissions().into_iter().collect();
        assert_eq!((all.role_within(Role::Admin), all.role_within(Role::User)), (Role::Admin, Role::User));
        let most: Scope =
            Role::Admin.permissions().into_iter().filter(|name| *name != "audit.read").collect();
        assert_eq!(most.role_within(Role::Admin), Role::Manager);
        assert_eq!(Scope::from("bookings.manage".to_owned()).role_within(Role::Manager), Role::User);
    }

    #[test]
    fn it_is_written_with_spaces() {
        let scope = Scope::from("b  a b".to_owned());
        assert_eq!(String::from(scope.clone()), "a b");
        assert!(scope.has("a") && !scope.has("a b"));
    }
}
