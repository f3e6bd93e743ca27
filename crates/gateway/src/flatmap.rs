//! `flatmap_filter`: moving, appending and removing within an answer that is seen as a tree of labelled edges.

use serde_json::{Map, Value};

use crate::config::FlatmapOp;

const ANY: &str = "*";

/// A node; the edges of a list are labelled `0`, `1`, … and keep their order.
#[derive(Debug, Default)]
struct Node {
    leaf: Value,
    list: bool,
    edges: Vec<(String, Node)>,
}

/// Where a node is: the places of the edges that lead to it, and their labels.
#[derive(Debug, Clone, Default)]
struct Way {
    places: Vec<usize>,
    labels: Vec<String>,
}

/// Applies the steps in their order.
pub fn apply(ops: &[FlatmapOp], data: Map<String, Value>) -> Map<String, Value> {
    let mut root = Node::grow(Value::Object(data));
    for op in ops {
        match op {
            FlatmapOp::Move(from, to) => relocate(&mut root, from, to),
            FlatmapOp::Append(from, to) => append(&mut root, from, to),
            FlatmapOp::Del(path) => root.remove(path),
        }
    }
    match root.shrink() {
        Value::Object(data) => data,
        _ => Map::new(),
    }
}

impl Node {
    fn grow(value: Value) -> Self {
        match value {
            Value::Object(members) if !members.is_empty() => {
                let edges = members.into_iter().map(|(key, value)| (key, Self::grow(value))).collect();
                Self { edges, ..Self::default() }
            }
            Value::Array(items) if !items.is_empty() => {
                let edges = items
                    .into_iter()
                    .enumerate()
                    .map(|(index, value)| (index.to_string(), Self::grow(value)));
                Self { edges: edges.collect(), list: true, ..Self::default() }
            }
            leaf => Self { leaf, ..Self::default() },
        }
    }

    fn shrink(self) -> Value {
        if self.edges.is_empty() {
            return self.leaf;
        }
        if self.list {
            return self.edges.into_iter().map(|(_, node)| node.shrink()).collect();
        }
        Value::Object(self.edges.into_iter().map(|(label, node)| (label, node.shrink())).collect())
    }

    fn remove(&mut self, path: &[String]) {
        match path {
            [] => {}
            [last] if last == ANY => self.edges.clear(),
            [last] => {
                if let Some(place) = self.edges.iter().position(|(label, _)| label == last) {
                    self.edges.remove(place);
                }
            }
            [first, rest @ ..] => {
                let fits = self.edges.iter_mut().filter(|(label, _)| first == ANY || label == first);
                fits.for_each(|(_, node)| node.remove(rest));
            }
        }
    }

    fn ways(&self, pattern: &[String]) -> Vec<Way> {
        let [first, rest @ ..] = pattern else { return vec![Way::default()] };
        let mut found = Vec::new();
        for (place, (label, node)) in self.edges.iter().enumerate() {
            if first == ANY || label == first {
                found.extend(node.ways(rest).into_iter().map(|mut way| {
                    way.places.insert(0, place);
                    way.labels.insert(0, label.clone());
                    way
                }));
            }
        }
        found
    }

    fn at(&mut self, places: &[usize]) -> Option<&mut Self> {
        let [first, rest @ ..] = places else { return Some(self) };
        self.edges.get_mut(*first)?.1.at(rest)
    }

    /// The node behind a label, made when there is none.
    fn child(&mut self, label: &str) -> Option<&mut Self> {
        let place = self.edges.iter().position(|(name, _)| name == label).unwrap_or_else(|| {
            self.edges.push((label.to_owned(), Self::default()));
            self.edges.len() - 1
        });
        self.edges.get_mut(place).map(|(_, node)| node)
    }
}

fn relocate(root: &mut Node, from: &[String], to: &[String]) {
    let (Some((last, before)), Some((label, above))) = (from.split_last(), to.split_last()) else { return };
    for way in root.ways(before) {
        let Some(parent) = root.at(&way.places) else { continue };
        let Some(place) = parent.edges.iter().position(|(name, _)| name == last) else { continue };
        if from.len() == to.len() {
            // As long as before: the edge gets another label where it is.
            if let Some((name, _)) = parent.edges.get_mut(place) {
                name.clone_from(label);
            }
            continue;
        }
        let (_, node) = parent.edges.remove(place);
        let goal = if from.len() > to.len() {
            promoted(root, above, &way.labels)
        } else {
            let below = above.get(before.len()..).unwrap_or_default();
            root.at(&way.places)
                .and_then(|parent| below.iter().try_fold(parent, |node, label| node.child(label)))
        };
        if let Some(goal) = goal {
            goal.edges.push((label.clone(), node));
        }
    }
}

/// The node that a shorter path leads to; a wildcard stands for the label that was walked through.
fn promoted<'n>(root: &'n mut Node, above: &[String], labels: &[String]) -> Option<&'n mut Node> {
    let mut places = Vec::new();
    let mut node = &*root;
    for (step, walked) in above.iter().zip(labels) {
        let wanted = if step == ANY { walked } else { step };
        let Some(place) = node.edges.iter().position(|(label, _)| label == wanted) else { break };
        places.push(place);
        node = &node.edges.get(place)?.1;
    }
    root.at(&places)
}

/// Adds the items at `from` to the list at `to`; nothing happens when there is no such list.
fn append(root: &mut Node, from: &[String], to: &[String]) {
    let Some((last, before)) = from.split_last() else { return };
    let goal = root.ways(to).into_iter().next();
    let Some(goal) = goal.filter(|way| root.at(&way.places).is_some_and(|node| node.list)) else { return };
    let mut items = Vec::new();
    for way in root.ways(before) {
        let Some(parent) = root.at(&way.places) else { continue };
        if let Some((_, node)) = parent.edges.iter_mut().find(|(label, _)| label == last) {
            let taken = std::mem::take(node);
            if taken.list {
                items.extend(taken.edges.into_iter().map(|(_, item)| item))
            } else {
                items.push(taken)
            }
        }
    }
    if let Some(list) = root.at(&goal.places) {
        for item in items {
            list.edges.push((list.edges.len().to_string(), item));
        }
    }
    root.remove(from);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.split('.').map(str::to_owned).collect()
    }

    fn run(ops: &[FlatmapOp], json: &str) -> String {
        let Value::Object(data) = serde_json::from_str(json).unwrap() else { panic!("not an object") };
        crate::encode::value_text(&Value::Object(apply(ops, data)))
    }

    #[test]
    fn moves_and_removes_with_wildcards() {
        let ops = [
            FlatmapOp::Move(path("collection"), path("paths")),
            FlatmapOp::Del(path("paths.*.i")),
            FlatmapOp::Move(path("paths.*.path"), path("paths.*.url")),
        ];
        let text = run(&ops, r#"{"collection":[{"path":"/a","i":0},{"path":"/b","i":1}]}"#);
        assert_eq!(text, r#"{"paths":[{"url":"/a"},{"url":"/b"}]}"#);
    }

    #[test]
    fn moves_up_and_down() {
        assert_eq!(
            run(&[FlatmapOp::Move(path("a.b.c"), path("a.d"))], r#"{"a":{"b":{"c":1,"e":2}}}"#),
            r#"{"a":{"b":{"e":2},"d":1}}"#
        );
        assert_eq!(
            run(&[FlatmapOp::Move(path("a"), path("x.y"))], r#"{"a":1,"b":2}"#),
            r#"{"b":2,"x":{"y":1}}"#
        );
        assert_eq!(
            run(
                &[FlatmapOp::Move(path("l.*.a.b"), path("l.*.c"))],
                r#"{"l":[{"a":{"b":1,"k":0}},{"a":{"b":2,"k":0}}]}"#
            ),
            r#"{"l":[{"a":{"k":0},"c":1},{"a":{"k":0},"c":2}]}"#
        );
    }

    #[test]
    fn appends_lists() {
        assert_eq!(
            run(&[FlatmapOp::Append(path("a"), path("b"))], r#"{"a":[1,2],"b":[3]}"#),
            r#"{"b":[3,1,2]}"#
        );
        assert_eq!(
            run(&[FlatmapOp::Append(path("a"), path("c"))], r#"{"a":[1],"b":[3]}"#),
            r#"{"a":[1],"b":[3]}"#
        );
    }
}
