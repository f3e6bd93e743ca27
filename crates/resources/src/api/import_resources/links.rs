//! Lines that are parts: finding their wholes, among the lines in whatever order and among what is there.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use kernel::{OrganizationId, ResourceId};
use platform::auth::outside_remit;
use platform::db::Tx;
use platform::http::Problem;

use super::draft::{Batch, shown};
use super::mapping::Field;
use super::plan::{Entry, Plan};
use crate::name::key;
use crate::parts::{Parts, cycles};
use crate::resource::{Content, MAX_PARTS, Status};
use crate::store::contents::Stored;
use crate::store::parts;

/// A line and the whole that it names.
struct Link {
    line: usize,
    part: ResourceId,
    whole: ResourceId,
}

/// Gives the wholes their parts. An import adds parts to what is there, it takes none away.
pub(super) async fn link(
    tx: &mut Tx,
    organization: OrganizationId,
    batch: &mut Batch,
    plan: &mut Plan,
    known: &BTreeMap<ResourceId, Stored>,
) -> Result<(), Problem> {
    let mut links = find(batch, plan, known);
    refuse_units_and_crowds(batch, plan, known, &mut links);
    refuse_cycles(tx, organization, batch, plan, &mut links).await?;
    refuse_orphans(batch, plan, &mut links);
    plan.lines.retain(|at, _| batch.lines.get(*at).is_some_and(super::draft::Line::is_valid));
    let by_id: HashMap<_, _> = plan.lines.iter().map(|(at, entry)| (entry.id, *at)).collect();
    for link in links {
        let entry = match by_id.get(&link.whole) {
            Some(at) => plan.lines.get_mut(at),
            None => known.get(&link.whole).map(|stored| {
                let new =
                    || Entry { id: link.whole, before: Some(stored.clone()), after: stored.content.clone() };
                plan.wholes.entry(link.whole).or_insert_with(new)
            }),
        };
        if let Some(entry) = entry {
            entry.after.parts.insert(link.part);
        }
    }
    Ok(())
}

/// Looks up what lines say they are a part of; a name or external id that leads nowhere is an error of the line.
fn find(batch: &mut Batch, plan: &Plan, known: &BTreeMap<ResourceId, Stored>) -> Vec<Link> {
    let in_file: HashSet<_> = plan.lines.values().map(|entry| entry.id).collect();
    let others =
        known.iter().filter(|(id, stored)| !in_file.contains(id) && stored.content.status != Status::Retired);
    let others = others.map(|(id, stored)| (*id, &stored.content));
    let mut by_external_id: HashMap<&str, ResourceId> = HashMap::new();
    let mut by_name: HashMap<String, BTreeSet<ResourceId>> = HashMap::new();
    for (id, content) in plan.lines.values().map(|entry| (entry.id, &entry.after)).chain(others) {
        by_external_id.extend(content.external_id.as_deref().map(|external_id| (external_id, id)));
        by_name.entry(content.name.key()).or_default().insert(id);
    }
    let broken: HashSet<String> = batch
        .lines
        .iter()
        .filter(|line| !line.errors.is_empty())
        .flat_map(|line| {
            line.draft.external_id.clone().into_iter().chain(line.draft.name.as_ref().map(|name| name.key()))
        })
        .collect();
    let mut links = Vec::new();
    for (at, entry) in &plan.lines {
        let Some(line) = batch.lines.get_mut(*at) else { continue };
        let Some(text) = line.draft.part_of.clone() else { continue };
        let by_name =
            by_name.get(&key(&text)).map(|ids| ids.iter().copied().collect::<Vec<_>>()).unwrap_or_default();
        match (by_external_id.get(text.as_str()), by_name.as_slice()) {
            (Some(whole), _) | (None, [whole])
                if known.get(whole).is_some_and(|whole| !plan.catalogue.has(None, &whole.content)) =>
            {
                line.error(Field::PartOf, "outside_remit", outside_remit().detail);
            }
            (Some(whole), _) | (None, [whole]) => {
                links.push(Link { line: *at, part: entry.id, whole: *whole })
            }
            (None, []) if broken.contains(&text) || broken.contains(&key(&text)) => {
                line.error(
                    Field::PartOf,
                    "part_of_invalid",
                    format!("The line of {:?} is not valid.", shown(&text)),
                );
            }
            (None, []) => {
                let detail =
                    format!("There is no resource {:?}, neither in the file nor stored.", shown(&text));
                line.error(Field::PartOf, "unknown_part_of", detail);
            }
            (None, several) => {
                let detail =
                    format!("{} resources are named {:?}. Use its external id.", several.len(), shown(&text));
                line.error(Field::PartOf, "ambiguous_part_of", detail);
            }
        }
    }
    links
}

/// What is made of parts has one unit, and not too many parts.
fn refuse_units_and_crowds(
    batch: &mut Batch,
    plan: &Plan,
    known: &BTreeMap<ResourceId, Stored>,
    links: &mut Vec<Link>,
) {
    let in_file: HashMap<_, _> = plan.lines.values().map(|entry| (entry.id, &entry.after)).collect();
    let whole = |id: &ResourceId| -> Option<&Content> {
        in_file.get(id).copied().or_else(|| known.get(id).map(|stored| &stored.content))
    };
    let mut parts: HashMap<ResourceId, BTreeSet<ResourceId>> = HashMap::new();
    links.retain(|link| {
        let (Some(whole), Some(line)) = (whole(&link.whole), batch.lines.get_mut(link.line)) else {
            return false;
        };
        let parts = parts.entry(link.whole).or_insert_with(|| whole.parts.clone());
        parts.insert(link.part);
        if whole.units != 1 {
            let detail = format!(
                "{:?} has {} units, and what is made of parts has one.",
                whole.name.as_str(),
                whole.units
            );
            line.error(Field::PartOf, "whole_has_units", detail);
        } else if parts.len() > MAX_PARTS {
            let detail = format!("{:?} would have more than {MAX_PARTS} parts.", whole.name.as_str());
            line.error(Field::PartOf, "too_many_parts", detail);
        } else {
            return true;
        }
        false
    });
}

/// Lines by which a resource would contain itself are wrong together: all of them are named.
async fn refuse_cycles(
    tx: &mut Tx,
    organization: OrganizationId,
    batch: &mut Batch,
    plan: &Plan,
    links: &mut Vec<Link>,
) -> Result<(), Problem> {
    let part_ids: Vec<_> = links.iter().map(|link| link.part).collect();
    let stored = parts::below(tx, organization, &part_ids).await?;
    loop {
        let mut graph: Parts = stored.clone();
        for link in links.iter() {
            graph.entry(link.whole).or_default().insert(link.part);
        }
        let cycles = cycles(&graph);
        if cycles.is_empty() {
            return Ok(());
        }
        let edges: HashMap<_, _> = cycles.iter().flat_map(|cycle| edges(cycle)).collect();
        let ids: Vec<_> = cycles.iter().flatten().copied().collect();
        let mut names: HashMap<_, _> = parts::names(tx, organization, &ids)
            .await?
            .into_iter()
            .map(|(id, (name, _))| (id, name))
            .collect();
        names.extend(plan.lines.values().map(|entry| (entry.id, entry.after.name.to_string())));
        links.retain(|link| {
            let Some(cycle) = edges.get(&(link.whole, link.part)) else { return true };
            if let Some(line) = batch.lines.get_mut(link.line) {
                line.error(Field::PartOf, "parts_cycle", around(cycle, &names));
            }
            false
        });
    }
}

/// The steps of a way around, each with the whole way.
fn edges(cycle: &[ResourceId]) -> impl Iterator<Item = ((ResourceId, ResourceId), &[ResourceId])> {
    let next = cycle.iter().cycle().skip(1);
    cycle.iter().zip(next).map(move |(whole, part)| ((*whole, *part), cycle))
}

fn around(cycle: &[ResourceId], names: &HashMap<ResourceId, String>) -> String {
    // A way around may be as long as the file; its beginning shows enough.
    let shown = cycle.iter().take(20).chain(cycle.first());
    let names: Vec<_> = shown.filter_map(|id| names.get(id)).map(String::as_str).collect();
    format!("A resource cannot be a part of itself: {}.", names.join(" > "))
}

/// A part whose whole does not go in does not go in either, and neither do its own parts.
fn refuse_orphans(batch: &mut Batch, plan: &Plan, links: &mut Vec<Link>) {
    let is_out = |batch: &Batch, at: usize| batch.lines.get(at).is_none_or(|line| !line.is_valid());
    let by_whole = links.iter().fold(HashMap::<_, Vec<_>>::new(), |mut by_whole, link| {
        by_whole.entry(link.whole).or_default().push(link.line);
        by_whole
    });
    let mut out: Vec<_> = plan.lines.keys().copied().filter(|at| is_out(batch, *at)).collect();
    while let Some(at) = out.pop() {
        let parts = plan.of_line(at).and_then(|entry| by_whole.get(&entry.id));
        for part in parts.into_iter().flatten().copied().filter(|part| *part != at) {
            if let Some(line) = batch.lines.get_mut(part).filter(|line| line.is_valid()) {
                line.error(Field::PartOf, "part_of_invalid", "The line that it is a part of is not valid.");
                out.push(part);
            }
        }
    }
    links.retain(|link| !is_out(batch, link.line));
}
