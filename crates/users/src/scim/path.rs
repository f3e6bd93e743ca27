//! Paths of a PATCH (RFC 7644, section 3.5.2): `attribute`, `attribute.sub`, `attribute[filter].sub`, with or without the
//! schema's name before.

use super::filter::{self, Clause};
use super::{ENTERPRISE, GROUP, Refusal, USER};

/// What a path leads to.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The attribute of the resource, or the extension's name.
    pub attribute: String,
    /// Which of its values.
    pub filter: Option<Vec<Clause>>,
    /// Which part of it.
    pub sub: Option<String>,
}

fn invalid(path: &str) -> Refusal {
    let path: String = path.chars().take(100).collect();
    Refusal::bad("invalidPath", format!("{path} is no path that is known here."))
}

/// Reads a path.
///
/// # Errors
/// 400 `invalidPath`, or `invalidFilter` for what stands in its brackets.
pub fn parse(path: &str) -> Result<Target, Refusal> {
    let path = path.trim();
    let starts =
        |schema: &str| path.get(..schema.len()).is_some_and(|head| head.eq_ignore_ascii_case(schema));
    if starts(ENTERPRISE) {
        let rest = path.get(ENTERPRISE.len()..).unwrap_or_default();
        let sub = rest.strip_prefix([':', '.']).or_else(|| rest.is_empty().then_some(""));
        let sub = sub.filter(|sub| sub.is_empty() || is_name(sub)).ok_or_else(|| invalid(path))?;
        let sub = Some(sub.to_owned()).filter(|sub| !sub.is_empty());
        return Ok(Target { attribute: ENTERPRISE.to_owned(), filter: None, sub });
    }
    let core = [USER, GROUP].into_iter().find(|schema| starts(schema));
    let bare = match core {
        Some(schema) => path.get(schema.len() + 1..).ok_or_else(|| invalid(path))?,
        None => path,
    };
    let (attribute, filter, rest) = match bare.split_once('[') {
        Some((attribute, rest)) => {
            let (inner, rest) = rest.rsplit_once(']').ok_or_else(|| invalid(path))?;
            let rest = if rest.is_empty() {
                None
            } else {
                Some(rest.strip_prefix('.').ok_or_else(|| invalid(path))?)
            };
            (attribute, Some(filter::parse(inner)?), rest)
        }
        None => match bare.split_once('.') {
            Some((attribute, sub)) => (attribute, None, Some(sub)),
            None => (bare, None, None),
        },
    };
    if !is_name(attribute) || !rest.is_none_or(is_name) {
        return Err(invalid(path));
    }
    Ok(Target { attribute: attribute.to_owned(), filter, sub: rest.map(str::to_owned) })
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-$".contains(c);
    text.len() <= 100
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '$')
        && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> (String, usize, Option<String>) {
        let target = parse(path).unwrap();
        (target.attribute, target.filter.map_or(0, |filter| filter.len()), target.sub)
    }

    #[test]
    fn paths_of_the_large_providers_are_read() {
        assert_eq!(read("active"), ("active".into(), 0, None));
        assert_eq!(read("name.givenName"), ("name".into(), 0, Some("givenName".into())));
        assert_eq!(read("emails[type eq \"work\"].value"), ("emails".into(), 1, Some("value".into())));
        assert_eq!(read("members[value eq \"a]b\"]"), ("members".into(), 1, None));
        assert_eq!(
            read(&format!("{ENTERPRISE}:department")),
            (ENTERPRISE.into(), 0, Some("department".into()))
        );
        assert_eq!(read(&format!("{USER}:userName")), ("userName".into(), 0, None));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for path in ["", "[", "a[value eq \"x\"", "a[value eq \"x\"]b", "a..b", "a.b.c", "a b", USER, "a[b]"]
        {
            assert!(parse(path).is_err(), "{path}");
        }
    }
}
