//! The namespace `modifier/martian`: changes to what goes to a backend and to what comes back.

use http::{HeaderName, HeaderValue, StatusCode};

use super::section::Section;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Sets a header.
    Set(HeaderName, HeaderValue),
    /// Adds a header.
    Append(HeaderName, HeaderValue),
    /// Removes headers.
    Remove(Vec<HeaderName>),
    /// Copies a header to another name.
    Copy(HeaderName, HeaderName),
    /// Sets a query parameter; requests only.
    Query(String, String),
    /// Sets the status; answers only.
    Status(StatusCode),
}

/// The changes of a backend, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Modifier {
    /// To the request.
    pub request: Vec<Change>,
    /// To the answer, before it is judged by its status.
    pub response: Vec<Change>,
}

type Read = fn(&Section<'_>) -> Option<Change>;

impl Modifier {
    /// Reads the namespace.
    pub fn read(section: Section<'_>) -> Self {
        let mut modifier = Self::default();
        modifier.add(section);
        modifier
    }

    /// Adds a group or a single change.
    fn add(&mut self, section: Section<'_>) {
        if let Some(group) = section.section("fifo.Group") {
            group.strings("scope");
            group.flag("aggregateErrors");
            group.sections("modifiers").into_iter().for_each(|inner| self.add(inner));
            group.finish();
        }
        let kinds: [(&str, Read); 6] = [
            ("header.Modifier", |inner| Some(Change::Set(name(inner, "name")?, value(inner)?))),
            ("header.Append", |inner| Some(Change::Append(name(inner, "name")?, value(inner)?))),
            ("header.Blacklist", blacklist),
            ("header.Copy", |inner| Some(Change::Copy(name(inner, "from")?, name(inner, "to")?))),
            ("querystring.Modifier", |inner| {
                Some(Change::Query(inner.string("name")?, inner.string("value")?))
            }),
            ("status.Modifier", status),
        ];
        for (kind, change) in kinds {
            if let Some(inner) = section.section(kind) {
                let change = change(&inner);
                self.place(&inner, change);
                inner.finish();
            }
        }
        section.finish();
    }

    fn place(&mut self, section: &Section<'_>, change: Option<Change>) {
        let scopes = section.strings("scope").unwrap_or_default();
        let Some(change) = change else {
            section.error("name", "a name or a value is missing or is not valid");
            return;
        };
        let fits = |scope: &str| match change {
            Change::Query(..) => scope == "request",
            Change::Status(_) => scope == "response",
            _ => matches!(scope, "request" | "response"),
        };
        if scopes.is_empty() || !scopes.iter().all(|scope| fits(scope)) {
            section.error(
                "scope",
                "must be a list of `request` and `response`, as far as the change makes sense there",
            );
        }
        if scopes.iter().any(|scope| scope == "request") {
            self.request.push(change.clone());
        }
        if scopes.iter().any(|scope| scope == "response") {
            self.response.push(change);
        }
    }
}

fn name(section: &Section<'_>, key: &str) -> Option<HeaderName> {
    section.string(key)?.parse().ok()
}

fn value(section: &Section<'_>) -> Option<HeaderValue> {
    section.string("value")?.parse().ok()
}

fn blacklist(section: &Section<'_>) -> Option<Change> {
    let names = section.strings("names")?;
    names.iter().map(|name| name.parse().ok()).collect::<Option<_>>().map(Change::Remove)
}

fn status(section: &Section<'_>) -> Option<Change> {
    let code = section.integer("statusCode")?;
    u16::try_from(code).ok().and_then(|code| StatusCode::from_u16(code).ok()).map(Change::Status)
}
