//! From the groups of a provider to a role and groups here.

use std::collections::BTreeSet;

use contracts::users::SingleSignOn;
use kernel::{GroupId, Role};

use super::person::Groups;

/// The role that the provider's groups give; none when roles are given by hand, or when the provider did not tell the groups.
#[must_use]
pub fn role(settings: &SingleSignOn, groups: &Groups) -> Option<Role> {
    let Groups::Known(groups) = groups else { return None };
    if settings.roles.is_empty() {
        return None;
    }
    let given = groups.iter().filter_map(|group| settings.roles.get(group)).copied();
    Some(given.max().unwrap_or(settings.default_role).max(settings.default_role))
}

/// The groups of somebody who is in some already: those that the provider's stand for come and go, others stay.
#[must_use]
pub fn groups(settings: &SingleSignOn, now: &BTreeSet<GroupId>, told: &Groups) -> BTreeSet<GroupId> {
    let Groups::Known(told) = told else { return now.clone() };
    let followed: BTreeSet<GroupId> = settings.groups.values().copied().collect();
    let others = now.difference(&followed).copied();
    others.chain(told.iter().filter_map(|group| settings.groups.get(group)).copied()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn settings(roles: &[(&str, Role)]) -> SingleSignOn {
        SingleSignOn {
            issuer: String::new(),
            client_id: String::new(),
            scopes: BTreeSet::new(),
            groups_claim: "groups".into(),
            roles: roles.iter().map(|(name, role)| ((*name).to_owned(), *role)).collect(),
            groups: BTreeMap::new(),
            default_role: Role::User,
            create_accounts: true,
            email_domains: BTreeSet::new(),
            assume_email_verified: false,
            password_sign_in: true,
            return_to: BTreeSet::new(),
            multi_factor_acr: BTreeSet::new(),
        }
    }

    fn known(names: &[&str]) -> Groups {
        Groups::Known(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn the_highest_role_counts_and_unknown_groups_give_none() {
        let settings = settings(&[("desk", Role::Manager), ("it", Role::Admin)]);
        assert_eq!(role(&settings, &known(&["desk", "it", "x"])), Some(Role::Admin));
        assert_eq!(role(&settings, &known(&["desk"])), Some(Role::Manager));
        assert_eq!(role(&settings, &known(&["IT", "admin", ""])), Some(Role::User));
        assert_eq!(role(&settings, &known(&[])), Some(Role::User));
        assert_eq!(role(&settings, &Groups::Unknown), None);
        let floor = SingleSignOn { default_role: Role::Manager, ..settings };
        assert_eq!(role(&floor, &known(&[])), Some(Role::Manager));
    }

    #[test]
    fn without_a_mapping_roles_are_given_by_hand() {
        assert_eq!(role(&settings(&[]), &known(&["it"])), None);
    }

    #[test]
    fn only_groups_that_are_mapped_come_and_go() {
        let [own, mapped, other] = [(); 3].map(|()| GroupId::mint());
        let mut settings = settings(&[]);
        settings.groups = BTreeMap::from([("a".to_owned(), mapped), ("b".to_owned(), other)]);
        let now = BTreeSet::from([own, other]);
        assert_eq!(groups(&settings, &now, &known(&["a"])), BTreeSet::from([own, mapped]));
        assert_eq!(groups(&settings, &now, &known(&["x"])), BTreeSet::from([own]));
        assert_eq!(groups(&settings, &now, &Groups::Unknown), now);
    }
}
