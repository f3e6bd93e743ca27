//! What a manager is limited to, where they do not manage the whole organization.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{GroupId, LocationId};

/// Places and people that a manager answers for. A manager without one manages the whole organization; with an empty one,
/// nothing of others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Remit {
    /// The resources in these places, and in all places below them: 20 at most.
    #[schema(max_items = 20)]
    pub locations: BTreeSet<LocationId>,
    /// The bookings of the people in these groups: 20 at most.
    #[schema(max_items = 20)]
    pub groups: BTreeSet<GroupId>,
}

impl Remit {
    /// Locations, and likewise groups, of a remit at most: it travels in every access token.
    pub const MOST: usize = 20;

    /// Whether a place belongs to it, given with all that it lies in, from the site down.
    #[must_use]
    pub fn has_place(&self, path: &[LocationId]) -> bool {
        path.iter().any(|place| self.locations.contains(place))
    }

    /// Whether somebody belongs to it, given by the groups they are in.
    #[must_use]
    pub fn has_member(&self, groups: &BTreeSet<GroupId>) -> bool {
        !self.groups.is_disjoint(groups)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_brings_what_lies_below_it() {
        let [site, floor, room] = [LocationId::mint(), LocationId::mint(), LocationId::mint()];
        let remit = Remit { locations: [floor].into(), ..Remit::default() };
        assert!(remit.has_place(&[site, floor, room]) && remit.has_place(&[site, floor]));
        assert!(!remit.has_place(&[site]) && !remit.has_place(&[]) && !Remit::default().has_place(&[site]));
    }

    #[test]
    fn one_group_is_enough() {
        let [one, other] = [GroupId::mint(), GroupId::mint()];
        let remit = Remit { groups: [one].into(), ..Remit::default() };
        assert!(remit.has_member(&[one, other].into()) && !remit.has_member(&[other].into()));
    }
}
