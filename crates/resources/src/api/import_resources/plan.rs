//! What an import will do: which resource each line is, and what that resource will say of itself.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use kernel::{LocationId, OrganizationId, ResourceId};
use platform::auth::{Actor, outside_remit};
use platform::db::Tx;
use platform::http::{FieldError, Problem};
use serde_json::Map;

use super::catalogue::{Catalogue, Resolved};
use super::draft::{Batch, Draft, Line};
use super::links;
use super::mapping::Field;
use crate::api::resolve::wrong;
use crate::name::key;
use crate::resource::{Content, MAX_AMENITIES, Status, check_attributes};
use crate::store::contents::{self, Stored};

/// A resource that a line speaks of, or a whole that gets a line as its part.
pub(super) struct Entry {
    /// The resource.
    pub id: ResourceId,
    /// What it was; `None` when it is new.
    pub before: Option<Stored>,
    /// What it will be.
    pub after: Content,
}

impl Entry {
    /// Whether anything is to be written.
    pub(super) fn is_change(&self) -> bool {
        self.before.as_ref().is_none_or(|before| before.content != self.after)
    }
}

/// All that an import will do.
pub(super) struct Plan {
    /// The valid lines, by their place in the batch.
    pub lines: BTreeMap<usize, Entry>,
    /// What is there already, is no line, and is the whole of one.
    pub wholes: BTreeMap<ResourceId, Entry>,
    /// What was there, and what will be created.
    pub catalogue: Catalogue,
}

impl Plan {
    /// The entry of a line; there is none for one that is not valid.
    pub(super) fn of_line(&self, line: usize) -> Option<&Entry> {
        self.lines.get(&line)
    }

    /// What will be written, in the order of the file.
    pub(super) fn changes(&self) -> Vec<&Entry> {
        self.lines.values().chain(self.wholes.values()).filter(|entry| entry.is_change()).collect()
    }
}

/// Plans a batch; lines that turn out not to be valid get their errors. All resources concerned are locked.
pub(super) async fn plan(
    tx: &mut Tx,
    actor: &Actor,
    batch: &mut Batch,
    default_time_zone: &str,
) -> Result<Plan, Problem> {
    let organization = actor.organization;
    refuse_duplicates(&mut batch.lines);
    let mut catalogue = Catalogue::load(tx, actor, batch).await?;
    let mut resolved = Vec::with_capacity(batch.lines.len());
    for line in &mut batch.lines {
        let names = if line.is_valid() { catalogue.resolve(&line.draft) } else { Ok(Resolved::default()) };
        resolved.push(names.map_err(|errors| line.errors.extend(errors)).unwrap_or_default());
    }
    let ids = concerned(tx, organization, &batch.lines).await?;
    let known: BTreeMap<_, _> = contents::lock(tx, organization, &ids).await?.into_iter().collect();
    let matched = matches(&mut batch.lines, &resolved, &known);
    let mut lines = BTreeMap::new();
    for (at, line) in batch.lines.iter_mut().enumerate().filter(|(_, line)| line.is_valid()) {
        let before = matched.get(&at).and_then(|id| Some((*id, known.get(id)?.clone())));
        let (id, before) =
            before.map_or_else(|| (ResourceId::mint(), None), |(id, stored)| (id, Some(stored)));
        let was = before.as_ref().map(|stored| &stored.content);
        match resolved.get(at).map(|names| content(&line.draft, names, was, default_time_zone)) {
            Some(Ok(after)) if !catalogue.has(was, &after) => {
                line.error(Field::Location, "outside_remit", outside_remit().detail);
            }
            Some(Ok(after)) => drop(lines.insert(at, Entry { id, before, after })),
            Some(Err(errors)) => line.errors.extend(errors),
            None => {}
        }
    }
    let mut plan = Plan { lines, wholes: BTreeMap::new(), catalogue };
    links::link(tx, organization, batch, &mut plan, &known).await?;
    Ok(plan)
}

/// The second line with an external id is not the same resource twice: someone has to say which of them is right.
fn refuse_duplicates(lines: &mut [Line]) {
    let mut first: HashMap<String, u64> = HashMap::new();
    for line in lines {
        let Some(id) = line.draft.external_id.clone() else { continue };
        match first.get(&id) {
            Some(number) => {
                let detail = format!("Line {number} has the external id {id:?} already.");
                line.error(Field::ExternalId, "duplicate_external_id", detail);
            }
            None => drop(first.insert(id, line.number)),
        }
    }
}

/// What is there and may be a line, or the whole of one.
async fn concerned(
    tx: &mut Tx,
    organization: OrganizationId,
    lines: &[Line],
) -> Result<Vec<ResourceId>, Problem> {
    let drafts = || lines.iter().filter(|line| line.is_valid()).map(|line| &line.draft);
    let wholes = || drafts().filter_map(|draft| draft.part_of.as_ref());
    let external_ids: Vec<_> =
        drafts().filter_map(|draft| draft.external_id.as_ref()).chain(wholes()).cloned().collect();
    let nameless = drafts().filter(|draft| draft.external_id.is_none());
    let names = nameless.filter_map(|draft| draft.name.as_ref()).map(crate::name::Name::key);
    let names: Vec<_> = names.chain(wholes().map(|whole| key(whole))).collect();
    let ids = sqlx::query_scalar!(
        "select id from resources.resource where organization_id = $1 and external_id = any($2)
         union
         select id from resources.resource where organization_id = $1 and name_key = any($3) and status <> 'retired'",
        organization.0,
        &external_ids,
        &names,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids.into_iter().flatten().map(ResourceId).collect())
}

/// Which line is which resource: by its external id; without one, by its name at its place, if that resource has no
/// external id either. Of several, the oldest goes to the first line, so that a file imported twice changes nothing.
fn matches(
    lines: &mut [Line],
    resolved: &[Resolved],
    known: &BTreeMap<ResourceId, Stored>,
) -> HashMap<usize, ResourceId> {
    type Place = Option<Option<LocationId>>;
    let mut by_external_id = HashMap::new();
    let mut by_name: HashMap<(String, Place), VecDeque<ResourceId>> = HashMap::new();
    for (id, Stored { content, .. }) in known {
        match &content.external_id {
            Some(external_id) => drop(by_external_id.insert(external_id.clone(), *id)),
            None if content.status == Status::Retired => {}
            None => {
                for place in [None, Some(content.location_id)] {
                    by_name.entry((content.name.key(), place)).or_default().push_back(*id);
                }
            }
        }
    }
    let mut taken = HashSet::new();
    let mut matched = HashMap::new();
    for (at, line) in lines.iter_mut().enumerate().filter(|(_, line)| line.is_valid()) {
        let id = match (&line.draft.external_id, &line.draft.name) {
            (Some(external_id), _) => by_external_id.get(external_id).copied(),
            (None, Some(name)) => {
                let place = resolved.get(at).and_then(|names| names.location);
                let queue = by_name.get_mut(&(name.key(), place));
                queue
                    .and_then(|queue| std::iter::from_fn(|| queue.pop_front()).find(|id| !taken.contains(id)))
            }
            (None, None) => None,
        };
        let Some(id) = id else { continue };
        if line.draft.external_id.is_none() {
            line.notes.push("It has no external id and was found by its name.".into());
        }
        taken.insert(id);
        matched.insert(at, id);
    }
    matched
}

/// What a resource will say of itself, or everything that is wrong with that.
fn content(
    draft: &Draft,
    names: &Resolved,
    was: Option<&Content>,
    default_time_zone: &str,
) -> Result<Content, Vec<FieldError>> {
    let (Some(name), Some(type_id)) = (&draft.name, names.type_id.or(was.map(|was| was.type_id))) else {
        return Err(vec![wrong("/type", "required", "The type is missing, and the resource is new.")]);
    };
    let mut content = was.cloned().unwrap_or_else(|| Content {
        name: name.clone(),
        type_id,
        location_id: None,
        seats: None,
        units: 1,
        amenities: Default::default(),
        attributes: Map::new(),
        time_zone: default_time_zone.to_owned(),
        parts: Default::default(),
        external_id: draft.external_id.clone(),
        status: Status::Active,
    });
    if content.status == Status::Retired {
        return Err(vec![wrong(
            "/external_id",
            "resource_retired",
            "The resource with this external id is retired.",
        )]);
    }
    content.name = name.clone();
    content.type_id = type_id;
    content.location_id = names.location.unwrap_or(content.location_id);
    content.seats = draft.seats.unwrap_or(content.seats);
    content.units = draft.units.unwrap_or(content.units);
    content.amenities = names.amenities.clone().unwrap_or(content.amenities);
    content.time_zone = draft.time_zone.clone().unwrap_or(content.time_zone);
    content.status = draft.status.unwrap_or(content.status);
    for (name, value) in &draft.attributes {
        if value.is_null() {
            content.attributes.remove(name);
        } else {
            content.attributes.insert(name.clone(), value.clone());
        }
    }
    let errors = refusals(&content);
    if errors.is_empty() { Ok(content) } else { Err(errors) }
}

fn refusals(content: &Content) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let Err(detail) = check_attributes(&content.attributes) {
        errors.push(wrong("/attributes", "invalid_value", detail));
    }
    if content.amenities.len() > MAX_AMENITIES {
        errors.push(wrong(
            "/amenities",
            "invalid_value",
            format!("There are {MAX_AMENITIES} amenities at most."),
        ));
    }
    if content.has_units_and_parts() {
        errors.push(wrong("/units", "whole_has_units", "What is made of parts has one unit."));
    }
    errors
}
