//! What must hold for any input: asked by the fuzz targets, and for the seeds by the crate's own tests.

use gateway::{Gateway, Options};
use http::Method;

/// A route file is taken, or refused with places in the order of the file; never a panic.
pub fn route_file(text: &str) {
    for lenient in [false, true] {
        let Err(errors) = Gateway::parse(text, Options { lenient, ..Options::default() }) else { continue };
        assert!(!errors.0.is_empty(), "refused without a reason");
        let lines = text.split('\n').count().max(1);
        for error in &errors.0 {
            assert!((1..=lines).contains(&error.at.line) && error.at.column >= 1, "no such place: {error}");
            assert!(!error.message.is_empty());
        }
        assert!(errors.0.is_sorted_by_key(|error| error.at), "out of order");
    }
}

/// A gateway whose paths are of all kinds.
pub fn routes() -> Gateway {
    let backend = r#""backend":[{"host":["http://b"],"url_pattern":"/"}]"#;
    let paths =
        ["/", "/a", "/a/{id}", "/a/import", "/a/{id}/b/{c}", "/Case/{x}/End/", "/v1/things/{id}/page"];
    let endpoints: Vec<String> =
        paths.iter().map(|path| format!(r#"{{"endpoint":"{path}",{backend}}}"#)).collect();
    let text = format!(r#"{{"version":3,"endpoints":[{}]}}"#, endpoints.join(","));
    Gateway::parse(&text, Options::default()).unwrap_or_else(|errors| panic!("{errors}"))
}

/// A path leads nowhere, or to an endpoint with values that stay within their segment of a backend's path.
pub fn path(gateway: &Gateway, path: &str) {
    let Some((endpoint, values)) = gateway.lookup(&Method::GET, path) else { return };
    let wanted = endpoint.split('/').filter(|segment| segment.starts_with('{'));
    let names: Vec<String> = wanted.map(|name| name.trim_matches(['{', '}']).to_owned()).collect();
    assert_eq!(values.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), names, "{path}");
    for (name, value) in values {
        assert!(!value.is_empty() && !value.contains(['/', '?', '#']), "{path}: {name} is {value:?}");
        assert!(value != "." && value != "..", "{path}: {name} is {value:?}");
    }
}
