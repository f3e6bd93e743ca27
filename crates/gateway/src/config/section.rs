//! Reading an object of the route file key by key: what nobody asked for is reported by name and position.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use super::duration;
use super::json::{Json, Member, Node, Position};

/// One thing wrong with a route file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigError {
    /// Where it is wrong.
    pub at: Position,
    /// The path of keys to the place, such as `endpoints[2].backend[0]`.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "" } else { " " };
        write!(out, "{}{path}{}: {}", self.at, self.path, self.message)
    }
}

/// Everything wrong with a route file, in the order of the file.
#[derive(Debug, Clone)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            write!(out, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// Collects what is wrong, so that all errors of a file come together.
#[derive(Debug, Default)]
pub struct Findings {
    lenient: bool,
    errors: RefCell<Vec<ConfigError>>,
    warnings: RefCell<Vec<String>>,
}

impl Findings {
    /// With `lenient`, what is not supported is a warning.
    pub fn new(lenient: bool) -> Self {
        Self { lenient, ..Self::default() }
    }

    /// Something that cannot be run.
    pub fn error(&self, at: Position, path: &str, message: impl Into<String>) {
        self.errors.borrow_mut().push(ConfigError { at, path: path.into(), message: message.into() });
    }

    /// Something that can be run without, if the operator says so.
    pub fn unsupported(&self, at: Position, path: &str, message: impl Into<String>) {
        if self.lenient {
            self.warn(at, path, message);
        } else {
            self.error(at, path, message);
        }
    }

    /// Something that runs but is probably not meant.
    pub fn warn(&self, at: Position, path: &str, message: impl Into<String>) {
        let warning = ConfigError { at, path: path.into(), message: message.into() };
        self.warnings.borrow_mut().push(warning.to_string());
    }

    /// The warnings, or the errors in the order of the file.
    pub fn close(self) -> Result<Vec<String>, ConfigErrors> {
        let mut errors = self.errors.into_inner();
        if errors.is_empty() {
            return Ok(self.warnings.into_inner());
        }
        errors.sort();
        errors.dedup();
        Err(ConfigErrors(errors))
    }
}

/// An object being read; [`Section::finish`] reports the keys that were never asked for.
pub struct Section<'f> {
    findings: &'f Findings,
    /// Where the object begins.
    pub at: Position,
    /// The keys that lead here.
    pub path: String,
    members: &'f [Member],
    seen: RefCell<BTreeSet<&'f str>>,
    /// What was asked for, whether it is there or not: what a misspelt key may have meant.
    asked: RefCell<BTreeSet<String>>,
}

impl<'f> Section<'f> {
    /// Opens an object; reports and gives `None` when the value is something else.
    pub fn open(findings: &'f Findings, node: &'f Node, path: String) -> Option<Self> {
        match &node.value {
            Json::Object(members) => {
                let (seen, asked) = (RefCell::default(), RefCell::default());
                Some(Self { findings, at: node.at, path, members, seen, asked })
            }
            other => {
                findings.error(node.at, &path, format!("must be an object, is {}", other.kind()));
                None
            }
        }
    }

    /// Takes a member, whatever its value.
    pub fn member(&self, key: &str) -> Option<&'f Member> {
        self.asked.borrow_mut().insert(key.to_owned());
        let member = self.members.iter().find(|member| member.key == key)?;
        self.seen.borrow_mut().insert(&member.key);
        Some(member)
    }

    /// The position of a key, or of the object when the key is absent.
    pub fn at(&self, key: &str) -> Position {
        self.members.iter().find(|member| member.key == key).map_or(self.at, |member| member.node.at)
    }

    /// The path of a key below this object.
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Reports an error at a key.
    pub fn error(&self, key: &str, message: impl Into<String>) {
        self.findings.error(self.at(key), &self.path_of(key), message);
    }

    /// Reports something unsupported at a key.
    pub fn unsupported(&self, key: &str, message: impl Into<String>) {
        self.findings.unsupported(self.at(key), &self.path_of(key), message);
    }

    /// Reports a warning at a key.
    pub fn warn(&self, key: &str, message: impl Into<String>) {
        self.findings.warn(self.at(key), &self.path_of(key), message);
    }

    fn typed<T>(&self, key: &str, wanted: &str, read: impl Fn(&'f Json) -> Option<T>) -> Option<T> {
        let member = self.member(key)?;
        let value = read(&member.node.value);
        if value.is_none() {
            self.error(key, format!("must be {wanted}, is {}", member.node.value.kind()));
        }
        value
    }

    /// A string.
    pub fn string(&self, key: &str) -> Option<String> {
        self.typed(key, "a string", |value| match value {
            Json::String(text) => Some(text.clone()),
            _ => None,
        })
    }

    /// A boolean, `false` when absent.
    pub fn flag(&self, key: &str) -> bool {
        self.maybe_flag(key).unwrap_or(false)
    }

    /// A boolean.
    pub fn maybe_flag(&self, key: &str) -> Option<bool> {
        self.typed(key, "a boolean", |value| match value {
            Json::Bool(flag) => Some(*flag),
            _ => None,
        })
    }

    /// A number that is not negative.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.typed(key, "a number, zero or more", |value| match value {
            Json::Number(text) => {
                text.parse().ok().filter(|number: &f64| *number >= 0.0 && number.is_finite())
            }
            _ => None,
        })
    }

    /// A whole number that is not negative.
    pub fn integer(&self, key: &str) -> Option<u64> {
        self.typed(key, "a whole number, zero or more", |value| match value {
            Json::Number(text) => text.parse().ok(),
            _ => None,
        })
    }

    /// A list of whole numbers that fit 16 bits, such as those of the TLS registries.
    pub fn codes(&self, key: &str) -> Option<Vec<u16>> {
        self.typed(key, "a list of numbers up to 65535", |value| match value {
            Json::Array(items) => items
                .iter()
                .map(|item| match &item.value {
                    Json::Number(text) => text.parse().ok(),
                    _ => None,
                })
                .collect(),
            _ => None,
        })
    }

    /// A duration as Go writes it.
    pub fn duration(&self, key: &str) -> Option<Duration> {
        let text = self.string(key)?;
        let read = duration::parse(&text);
        if read.is_none() {
            self.error(key, format!("`{text}` is not a duration such as 150us, 3s or 12h"));
        }
        read
    }

    /// A list of strings.
    pub fn strings(&self, key: &str) -> Option<Vec<String>> {
        self.typed(key, "a list of strings", |value| match value {
            Json::Array(items) => items
                .iter()
                .map(|item| match &item.value {
                    Json::String(text) => Some(text.clone()),
                    _ => None,
                })
                .collect(),
            _ => None,
        })
    }

    /// An object of strings, in the order of the file.
    pub fn string_map(&self, key: &str) -> Vec<(String, String)> {
        let read = self.typed(key, "an object of strings", |value| match value {
            Json::Object(members) => members
                .iter()
                .map(|member| match &member.node.value {
                    Json::String(text) => Some((member.key.clone(), text.clone())),
                    _ => None,
                })
                .collect(),
            _ => None,
        });
        read.unwrap_or_default()
    }

    /// An object below.
    pub fn section(&self, key: &str) -> Option<Self> {
        let member = self.member(key)?;
        Self::open(self.findings, &member.node, self.path_of(key))
    }

    /// A list of objects below.
    pub fn sections(&self, key: &str) -> Vec<Self> {
        let Some(member) = self.member(key) else { return Vec::new() };
        let Json::Array(items) = &member.node.value else {
            self.error(key, format!("must be a list of objects, is {}", member.node.value.kind()));
            return Vec::new();
        };
        let path = self.path_of(key);
        let open = |(index, node)| Self::open(self.findings, node, format!("{path}[{index}]"));
        items.iter().enumerate().filter_map(open).collect()
    }

    /// Reports the keys that were never asked for. Names that begin with `$`, `@` or `_` are notes, except ours.
    pub fn finish(self) {
        let seen = self.seen.borrow();
        for member in self.members.iter().filter(|member| !seen.contains(member.key.as_str())) {
            let note = member.key.starts_with(['$', '@', '_']) && !member.key.starts_with("_reservas");
            if !note {
                let path = self.path_of(&member.key);
                let meant = self.meant(&member.key).map(|key| format!("; did you mean `{key}`?"));
                let message = format!("`{}` is not known or not supported here", member.key);
                self.findings.unsupported(member.at, &path, message + &meant.unwrap_or_default());
            }
        }
    }

    /// The key that a misspelt one most likely stands for: at most one in three letters is wrong.
    fn meant(&self, key: &str) -> Option<String> {
        let asked = self.asked.borrow();
        let near = asked.iter().map(|known| (strsim::damerau_levenshtein(key, known), known));
        let (distance, known) = near.min_by_key(|(distance, _)| *distance)?;
        (distance <= key.chars().count() / 3).then(|| known.clone())
    }
}
