//! Places: the kinds of them, which may contain which, and the tree in which an import finds or plants its places.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use kernel::LocationId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::name::{Name, key};

/// What a place is, from the widest to the narrowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LocationKind)]
pub enum Kind {
    /// A campus, a town, an address.
    Site,
    /// A house.
    Building,
    /// A storey.
    Floor,
    /// A part of any of them; may contain further zones.
    Zone,
}

impl Kind {
    /// All of them, widest first.
    pub const ALL: [Self; 4] = [Self::Site, Self::Building, Self::Floor, Self::Zone];

    /// Its name in the database and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Building => "building",
            Self::Floor => "floor",
            Self::Zone => "zone",
        }
    }

    /// The kind of a name; what the database holds always has one.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether a place of this kind may stand in a tree below one of the other.
    #[must_use]
    pub fn fits_in(self, parent: Self) -> bool {
        self > parent || (self == Self::Zone && parent == Self::Zone)
    }
}

/// A node of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The place.
    pub id: LocationId,
    /// What it lies in.
    pub parent_id: Option<LocationId>,
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: Name,
    /// The key of its code, by which it is found as well.
    pub code_key: Option<String>,
    /// Whether it was planted and is not stored yet.
    pub is_new: bool,
}

/// Why a path leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// No such place, and none is to be made.
    #[error("There is no location {0:?}.")]
    Unknown(String),
    /// More names than there are kinds to give to new places.
    #[error("A location path has {0} names at most here.")]
    TooLong(usize),
    /// A new place would be of a kind that cannot lie where the path puts it.
    #[error("A {child} cannot lie in a {parent}.")]
    Kind {
        /// What the new place would be.
        child: &'static str,
        /// What it would lie in.
        parent: &'static str,
    },
}

/// All places of an organization, found by name or code among siblings.
#[derive(Debug, Default)]
pub struct Tree {
    places: BTreeMap<LocationId, Place>,
    children: HashMap<(Option<LocationId>, String), LocationId>,
    anywhere: HashMap<String, Vec<LocationId>>,
}

impl Tree {
    /// The tree of these places.
    #[must_use]
    pub fn new(places: Vec<Place>) -> Self {
        let mut tree = Self::default();
        places.into_iter().for_each(|place| tree.add(place));
        tree
    }

    fn add(&mut self, place: Place) {
        let keys: BTreeSet<_> = std::iter::once(place.name.key()).chain(place.code_key.clone()).collect();
        for key in keys {
            self.anywhere.entry(key.clone()).or_default().push(place.id);
            self.children.entry((place.parent_id, key)).or_insert(place.id);
        }
        self.places.insert(place.id, place);
    }

    /// Follows a path from the top. Its first name may also be that of a place deeper down, when there is only one.
    /// With `plant`, places that are missing are added, of the kind that stands at their depth in `kinds`.
    ///
    /// # Errors
    /// When a place is missing and is not to be, or cannot be, planted.
    pub fn find(
        &mut self,
        path: &[Name],
        kinds: &[Kind],
        plant: bool,
    ) -> Result<Option<LocationId>, PathError> {
        let mut parent = None;
        for (depth, name) in path.iter().enumerate() {
            parent = match self.child(parent, &name.key()) {
                Some(id) => Some(id),
                None if plant => Some(self.plant(parent, name, depth, kinds)?),
                None => return Err(PathError::Unknown(joined(&path[..=depth]))),
            };
        }
        Ok(parent)
    }

    fn child(&self, parent: Option<LocationId>, key: &str) -> Option<LocationId> {
        let found = self.children.get(&(parent, key.to_owned())).copied();
        found.or_else(|| match (parent, self.anywhere.get(key).map(Vec::as_slice)) {
            (None, Some([only])) => Some(*only),
            _ => None,
        })
    }

    fn plant(
        &mut self,
        parent_id: Option<LocationId>,
        name: &Name,
        depth: usize,
        kinds: &[Kind],
    ) -> Result<LocationId, PathError> {
        let kind = *kinds.get(depth).ok_or(PathError::TooLong(kinds.len()))?;
        let parent = parent_id.and_then(|id| self.places.get(&id)).map(|place| place.kind);
        if let Some(parent) = parent.filter(|parent| !kind.fits_in(*parent)) {
            return Err(PathError::Kind { child: kind.name(), parent: parent.name() });
        }
        let id = LocationId::mint();
        self.add(Place { id, parent_id, kind, name: name.clone(), code_key: None, is_new: true });
        Ok(id)
    }

    /// A place and all it lies in, from the place up.
    fn up(&self, id: LocationId) -> impl Iterator<Item = &Place> {
        std::iter::successors(self.places.get(&id), |place| self.places.get(&place.parent_id?))
    }

    /// The places that were planted and that `used` needs, parents first.
    #[must_use]
    pub fn planted(&self, used: &BTreeSet<LocationId>) -> Vec<&Place> {
        let needed: BTreeSet<_> = used
            .iter()
            .flat_map(|id| self.up(*id))
            .filter(|place| place.is_new)
            .map(|place| place.id)
            .collect();
        // Ids grow with time, and a parent is planted before its children.
        needed.iter().filter_map(|id| self.places.get(id)).collect()
    }

    /// The ids of a place and all it lies in.
    #[must_use]
    pub fn ids(&self, id: LocationId) -> Vec<LocationId> {
        self.up(id).map(|place| place.id).collect()
    }

    /// The path of a place as people write it: `North/Main hall`.
    #[must_use]
    pub fn path(&self, id: LocationId) -> String {
        let mut names: Vec<_> = self.up(id).map(|place| place.name.clone()).collect();
        names.reverse();
        joined(&names)
    }
}

fn joined(names: &[Name]) -> String {
    names.iter().map(Name::as_str).collect::<Vec<_>>().join("/")
}

/// The key of a code, by the same rule as names.
#[must_use]
pub fn code_key(code: Option<&Name>) -> Option<String> {
    code.map(|code| key(code.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<Name> {
        text.split('/').map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn a_path_is_planted_once_and_found_again() {
        let mut tree = Tree::default();
        let first = tree.find(&path("North/Hall"), &Kind::ALL, true).unwrap().unwrap();
        assert_eq!(tree.find(&path("NORTH/hall"), &Kind::ALL, false), Ok(Some(first)));
        assert_eq!(tree.find(&path("hall"), &Kind::ALL, false), Ok(Some(first)), "the only one of its name");
        assert_eq!(tree.path(first), "North/Hall");
        let planted = tree.planted(&BTreeSet::from([first]));
        assert_eq!(planted.iter().map(|place| place.kind).collect::<Vec<_>>(), [Kind::Site, Kind::Building]);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let mut tree = Tree::default();
        assert_eq!(tree.find(&path("North"), &Kind::ALL, false), Err(PathError::Unknown("North".into())));
        let long = path("a/b/c/d/e");
        assert_eq!(tree.find(&long, &Kind::ALL, true), Err(PathError::TooLong(4)));
        let backwards = [Kind::Floor, Kind::Site];
        let error = tree.find(&path("x/y"), &backwards, true);
        assert_eq!(error, Err(PathError::Kind { child: "site", parent: "floor" }));
    }
}
