//! Paths with parameters: the endpoint's own, and the backend's, whose parameters must come from somewhere.

/// One segment of an endpoint's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Taken as it is.
    Literal(String),
    /// Any one segment, under this name.
    Parameter(String),
}

/// Splits an endpoint's path into segments.
///
/// # Errors
/// A sentence on what is wrong with it.
pub fn endpoint(path: &str) -> Result<Vec<Segment>, String> {
    let Some(rest) = path.strip_prefix('/') else { return Err(format!("`{path}` must begin with a slash")) };
    if ["/__debug", "/__echo", "/__health"]
        .iter()
        .any(|own| path == *own || path.starts_with(&format!("{own}/")))
    {
        return Err(format!("`{path}` belongs to the gateway"));
    }
    let mut segments: Vec<Segment> = Vec::new();
    for text in rest.split('/') {
        let segment = segment(text)?;
        if matches!(&segment, Segment::Parameter(_)) && segments.contains(&segment) {
            return Err(format!("the parameter `{text}` is there twice"));
        }
        segments.push(segment);
    }
    Ok(segments)
}

fn segment(text: &str) -> Result<Segment, String> {
    if let Some(name) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        let plain = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        return if plain {
            Ok(Segment::Parameter(name.to_owned()))
        } else {
            Err(format!("`{text}`: a parameter's name has letters, digits, dashes and underscores only"))
        };
    }
    if text.contains(['{', '}', ':', '*', '?', '#', '%', ' ']) {
        return Err(format!(
            "`{text}`: a parameter is a whole segment such as {{id}}, and wildcards are not supported"
        ));
    }
    Ok(Segment::Literal(text.to_owned()))
}

/// Where a parameter of a backend's path comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The endpoint's path.
    Path(String),
    /// A claim of the token.
    Claim(String),
    /// The answer of an earlier backend.
    Answer {
        /// Which backend, from zero.
        backend: usize,
        /// The keys that lead to the value.
        keys: Vec<String>,
    },
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Taken as it is.
    Literal(String),
    /// To be filled in.
    Value(Source),
}

/// A backend's path and query, with parameters to fill in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// As written in the file, for messages.
    pub text: String,
    /// Before the question mark.
    pub path: Vec<Part>,
    /// After it.
    pub query: Vec<Part>,
}

impl Template {
    /// Reads a backend's path.
    ///
    /// # Errors
    /// A sentence on what is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Self { text: text.to_owned(), path: parts(&format!("{slash}{path}"))?, query: parts(query)? })
    }

    /// The sources of all its parameters.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.path.iter().chain(&self.query).filter_map(|part| match part {
            Part::Value(source) => Some(source),
            Part::Literal(_) => None,
        })
    }
}

fn parts(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            return Err(format!("`{text}`: a brace is not closed"));
        };
        if !before.is_empty() {
            parts.push(Part::Literal(before.to_owned()));
        }
        parts.push(Part::Value(source(name)));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest.to_owned()));
    }
    Ok(parts)
}

fn source(name: &str) -> Source {
    if let Some(claim) = name.strip_prefix("JWT.") {
        return Source::Claim(claim.to_owned());
    }
    let answer = name.strip_prefix("resp").or_else(|| name.strip_prefix("Resp"));
    let answer = answer
        .and_then(|rest| rest.split_once('_'))
        .and_then(|(index, keys)| Some((index.parse().ok()?, keys)));
    match answer {
        Some((backend, keys)) => {
            Source::Answer { backend, keys: keys.split('.').map(str::to_owned).collect() }
        }
        None => Source::Path(name.to_owned()),
    }
}
