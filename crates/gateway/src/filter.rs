//! What is kept of a backend's answer: `target`, `allow` or `deny`, `mapping`, `group`, in this order.

use serde_json::{Map, Value};

use crate::config::Backend;
use crate::flatmap;

/// Applies a backend's filters to its answer.
pub fn apply(backend: &Backend, data: Map<String, Value>) -> Map<String, Value> {
    let mut data = target(&backend.target, data);
    if backend.flatmap.is_empty() {
        if backend.allow.is_empty() {
            backend.deny.iter().for_each(|path| remove(&mut data, path));
        } else {
            let paths: Vec<&[String]> = backend.allow.iter().map(Vec::as_slice).collect();
            keep(&mut data, &paths);
        }
        rename(&mut data, &backend.mapping);
    } else {
        data = flatmap::apply(&backend.flatmap, data);
    }
    match &backend.group {
        Some(group) => Map::from_iter([(group.clone(), Value::Object(data))]),
        None => data,
    }
}

/// The object at a path, an empty one when there is none.
fn target(path: &[String], data: Map<String, Value>) -> Map<String, Value> {
    path.iter().fold(data, |mut data, key| match data.remove(key) {
        Some(Value::Object(inner)) => inner,
        _ => Map::new(),
    })
}

/// Keeps the members that a path leads to; objects that end up empty go too.
fn keep(data: &mut Map<String, Value>, paths: &[&[String]]) {
    data.retain(|key, value| {
        let mut below: Vec<&[String]> = Vec::new();
        for path in paths {
            match path {
                [last] if last == key => return true,
                [first, rest @ ..] if first == key => below.push(rest),
                _ => {}
            }
        }
        match value {
            Value::Object(inner) if !below.is_empty() => {
                keep(inner, &below);
                !inner.is_empty()
            }
            _ => false,
        }
    });
}

fn remove(data: &mut Map<String, Value>, path: &[String]) {
    match path {
        [last] => drop(data.remove(last)),
        [first, rest @ ..] => {
            if let Some(Value::Object(inner)) = data.get_mut(first) {
                remove(inner, rest);
            }
        }
        [] => {}
    }
}

fn rename(data: &mut Map<String, Value>, mapping: &[(String, String)]) {
    for (old, new) in mapping {
        if let Some(value) = data.remove(old) {
            data.insert(new.clone(), value);
        }
    }
}
