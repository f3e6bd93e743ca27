//! Finding the endpoint of a request: one tree per method, so that 404 and 405 are told apart and clashes are found at load.

use http::Method;

use crate::config::pattern::Segment;
use crate::config::{ConfigError, Endpoint, Router};

/// What was found for a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// The endpoint, by its place in the file, and the values of its parameters.
    Endpoint(usize, Vec<(String, String)>),
    /// It stands elsewhere: at this path.
    Elsewhere(String),
    /// Only other methods do; these.
    OtherMethods(Vec<Method>),
    /// Nothing.
    Nothing,
}

#[derive(Default)]
struct Tree {
    router: matchit::Router<usize>,
    shapes: Vec<Vec<Segment>>,
}

/// All endpoints by method and path.
pub struct Routes {
    /// Few enough that to compare the methods is cheaper than to hash them.
    trees: Vec<(Method, Tree)>,
    redirect_slash: bool,
    redirect_case: bool,
    tell_methods: bool,
}

impl Routes {
    /// Puts the endpoints into their trees; an endpoint that clashes with an earlier one is an error.
    pub fn build(endpoints: &[Endpoint], options: &Router) -> Result<Self, Vec<ConfigError>> {
        let mut routes = Self {
            trees: Vec::new(),
            redirect_slash: options.redirect_trailing_slash,
            redirect_case: options.redirect_fixed_path,
            tell_methods: options.method_not_allowed,
        };
        let mut clashes = Vec::new();
        for (index, endpoint) in endpoints.iter().enumerate() {
            if routes.tree(&endpoint.method).is_none() {
                routes.trees.push((endpoint.method.clone(), Tree::default()));
            }
            let mut trees = routes.trees.iter_mut();
            let Some((_, tree)) = trees.find(|(known, _)| *known == endpoint.method) else { continue };
            if let Err(error) = tree.router.insert(&endpoint.path, index) {
                let path = format!("{}.endpoint", endpoint.place);
                let message = match error {
                    matchit::InsertError::Conflict { with } => {
                        format!("{} {} clashes with {with}", endpoint.method, endpoint.path)
                    }
                    other => format!("{}: {other}", endpoint.path),
                };
                clashes.push(ConfigError { at: endpoint.at, path, message });
            }
            tree.shapes.push(endpoint.segments.clone());
        }
        if clashes.is_empty() { Ok(routes) } else { Err(clashes) }
    }

    fn tree(&self, method: &Method) -> Option<&Tree> {
        self.trees.iter().find(|(known, _)| known == method).map(|(_, tree)| tree)
    }

    /// Finds the endpoint for a method and a decoded path.
    pub fn find(&self, method: &Method, path: &str) -> Found {
        if let Some(tree) = self.tree(method) {
            if let Ok(found) = tree.router.at(path) {
                let values = found.params.iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
                return Found::Endpoint(*found.value, values.collect());
            }
            if path != "/"
                && let Some(elsewhere) = self.elsewhere(tree, path)
            {
                return Found::Elsewhere(elsewhere);
            }
        }
        let others = self.methods_of(path);
        if self.tell_methods && !others.is_empty() { Found::OtherMethods(others) } else { Found::Nothing }
    }

    /// The methods that a path has.
    pub fn methods_of(&self, path: &str) -> Vec<Method> {
        let order = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
        let fits = |method: &Method| self.tree(method).is_some_and(|tree| tree.router.at(path).is_ok());
        order.into_iter().filter(fits).collect()
    }

    fn elsewhere(&self, tree: &Tree, path: &str) -> Option<String> {
        let toggled = path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned);
        if self.redirect_slash && tree.router.at(&toggled).is_ok() {
            return Some(toggled);
        }
        if !self.redirect_case {
            return None;
        }
        let clean = clean(path);
        tree.shapes.iter().find_map(|shape| fit(shape, &clean))
    }
}

/// The path without empty, `.` and `..` segments; a slash at the end stays.
fn clean(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            _ => kept.push(segment),
        }
    }
    let end = if path.ends_with('/') && !kept.is_empty() { "/" } else { "" };
    format!("/{}{end}", kept.join("/"))
}

/// The path in the letter case of a shape, when it fits with or without the slash at its end.
fn fit(shape: &[Segment], path: &str) -> Option<String> {
    let given: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (shape, end) = match shape {
        [before @ .., Segment::Literal(last)] if last.is_empty() => (before, "/"),
        all => (all, ""),
    };
    if given.len() != shape.len() {
        return None;
    }
    let fixed: Option<Vec<&str>> = shape
        .iter()
        .zip(given)
        .map(|(segment, given)| match segment {
            Segment::Literal(text) => text.eq_ignore_ascii_case(given).then_some(text.as_str()),
            Segment::Parameter(_) => Some(given),
        })
        .collect();
    fixed.map(|fixed| format!("/{}{end}", fixed.join("/")))
}
