//! What is made of what: a resource never contains itself, not even by way of others.

use std::collections::{BTreeMap, BTreeSet};

use kernel::ResourceId;

/// The parts of each whole.
pub type Parts = BTreeMap<ResourceId, BTreeSet<ResourceId>>;

/// Circles among the parts: in each, every resource is a part of the one before it, and the first of the last.
/// Empty when there is none; not every circle is listed, because a graph may have more than could be.
#[must_use]
pub fn cycles(parts: &Parts) -> Vec<Vec<ResourceId>> {
    let mut found = Vec::new();
    let mut done = BTreeSet::new();
    for root in parts.keys() {
        // Depth first with a stack of our own: a chain as long as a file is no reason to overflow.
        let mut path: Vec<ResourceId> = Vec::new();
        let mut position: BTreeMap<ResourceId, usize> = BTreeMap::new();
        let mut stack = vec![Step::Enter(*root)];
        while let Some(step) = stack.pop() {
            let id = match step {
                Step::Enter(id) => id,
                Step::Leave(id) => {
                    path.pop();
                    position.remove(&id);
                    done.insert(id);
                    continue;
                }
            };
            if let Some(start) = position.get(&id) {
                found.push(path[*start..].to_vec());
            } else if !done.contains(&id) {
                position.insert(id, path.len());
                path.push(id);
                stack.push(Step::Leave(id));
                stack.extend(parts.get(&id).into_iter().flatten().map(|part| Step::Enter(*part)));
            }
        }
    }
    found
}

enum Step {
    Enter(ResourceId),
    Leave(ResourceId),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(usize, usize)]) -> (Vec<ResourceId>, Parts) {
        let ids: Vec<_> = (0..6).map(|_| ResourceId::mint()).collect();
        let mut parts = Parts::new();
        for (whole, part) in edges {
            parts.entry(ids[*whole]).or_default().insert(ids[*part]);
        }
        (ids, parts)
    }

    #[test]
    fn a_shared_part_is_no_cycle() {
        let (_, parts) = graph(&[(0, 1), (0, 2), (1, 3), (2, 3)]);
        assert!(cycles(&parts).is_empty());
    }

    #[test]
    fn a_cycle_is_shown_from_whole_to_part() {
        let (ids, parts) = graph(&[(0, 1), (1, 2), (2, 3), (3, 1)]);
        assert_eq!(cycles(&parts), vec![vec![ids[1], ids[2], ids[3]]]);
        let (ids, parts) = graph(&[(4, 4)]);
        assert_eq!(cycles(&parts), vec![vec![ids[4]]]);
    }

    #[test]
    fn a_very_long_chain_does_not_overflow() {
        let ids: Vec<_> = (0..20_000).map(|_| ResourceId::mint()).collect();
        let parts: Parts = ids.windows(2).map(|pair| (pair[0], BTreeSet::from([pair[1]]))).collect();
        assert!(cycles(&parts).is_empty());
    }
}
