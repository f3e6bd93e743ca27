//! The types, amenities and places that lines name: those that are there, and those that the import will create.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use kernel::{AmenityId, LocationId, Remit, ResourceTypeId};
use platform::auth::Actor;
use platform::db::Tx;
use platform::http::{FieldError, Problem};

use super::draft::{Batch, Draft};
use crate::api::resolve::wrong;
use crate::location::{Kind, PathError, Tree};
use crate::name::Name;
use crate::resource::Content;
use crate::store::{names, places};

/// Ids by name, and the names that are new.
pub(super) struct Named<Id> {
    known: HashMap<String, Id>,
    /// What will be created if a line that goes in needs it.
    pub new: BTreeMap<Id, Name>,
}

impl<Id: Copy + Ord> Named<Id> {
    const fn new(known: HashMap<String, Id>) -> Self {
        Self { known, new: BTreeMap::new() }
    }

    fn find(&mut self, name: &Name, mint: Option<fn() -> Id>) -> Option<Id> {
        if let Some(id) = self.known.get(&name.key()) {
            return Some(*id);
        }
        let id = mint?();
        self.known.insert(name.key(), id);
        self.new.insert(id, name.clone());
        Some(id)
    }
}

/// All of them.
pub(super) struct Catalogue {
    pub types: Named<ResourceTypeId>,
    pub amenities: Named<AmenityId>,
    pub tree: Tree,
    kinds: Vec<Kind>,
    create_missing: bool,
    remit: Option<Remit>,
}

/// What a line's names stand for; `None` where it is silent.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub type_id: Option<ResourceTypeId>,
    pub amenities: Option<BTreeSet<AmenityId>>,
    pub location: Option<Option<LocationId>>,
}

impl Catalogue {
    /// What is there of all that the batch names.
    pub(super) async fn load(tx: &mut Tx, actor: &Actor, batch: &Batch) -> Result<Self, Problem> {
        let organization = actor.organization;
        let drafts = || batch.lines.iter().filter(|line| line.is_valid()).map(|line| &line.draft);
        let types = keys(drafts().filter_map(|draft| draft.r#type.as_ref()));
        let amenities = keys(drafts().flat_map(|draft| draft.amenities.iter().flatten()));
        Ok(Self {
            types: Named::new(names::types(tx, organization, &types).await?),
            amenities: Named::new(names::amenities(tx, organization, &amenities).await?),
            tree: places::tree(tx, organization).await?,
            kinds: batch.location_kinds.clone(),
            create_missing: batch.create_missing,
            remit: actor.remit.clone(),
        })
    }

    /// Whether the caller manages a resource, before and after.
    pub(super) fn has(&self, before: Option<&Content>, after: &Content) -> bool {
        let Some(remit) = &self.remit else { return true };
        let is_there =
            |content: &Content| content.location_id.is_some_and(|id| remit.has_place(&self.tree.ids(id)));
        before.into_iter().chain([after]).all(is_there)
    }

    /// What a line names, or everything that is not there.
    pub(super) fn resolve(&mut self, draft: &Draft) -> Result<Resolved, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut resolved = Resolved::default();
        // Types and amenities are the whole organization's.
        let create_names = self.create_missing && self.remit.is_none();
        if let Some(name) = &draft.r#type {
            resolved.type_id = self.types.find(name, create_names.then_some(ResourceTypeId::mint));
            if resolved.type_id.is_none() {
                errors.push(wrong(
                    "/type",
                    "unknown_type",
                    format!("There is no resource type {:?}.", name.as_str()),
                ));
            }
        }
        if let Some(names) = &draft.amenities {
            let mut ids = BTreeSet::new();
            for name in names {
                match self.amenities.find(name, create_names.then_some(AmenityId::mint)) {
                    Some(id) => drop(ids.insert(id)),
                    None => {
                        let detail = format!("There is no amenity {:?}.", name.as_str());
                        errors.push(wrong("/amenities", "unknown_amenity", detail));
                    }
                }
            }
            resolved.amenities = Some(ids);
        }
        if let Some(path) = &draft.location {
            match self.tree.find(path, &self.kinds, self.create_missing) {
                Ok(id) => resolved.location = Some(id),
                Err(error) => errors.push(wrong("/location", path_code(&error), error.to_string())),
            }
        }
        if errors.is_empty() { Ok(resolved) } else { Err(errors) }
    }
}

const fn path_code(error: &PathError) -> &'static str {
    match error {
        PathError::Unknown(_) => "unknown_location",
        PathError::TooLong(_) => "location_too_deep",
        PathError::Kind { .. } => "wrong_kind",
    }
}

fn keys<'a>(names: impl Iterator<Item = &'a Name>) -> Vec<String> {
    names.map(Name::key).collect::<BTreeSet<_>>().into_iter().collect()
}
