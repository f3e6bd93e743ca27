//! Tests of reading the route file: what is refused, where, and what holds when nothing is said.

use std::time::Duration;

use super::*;

fn errors(text: &str) -> Vec<String> {
    parse(text, false)
        .err()
        .map(|errors| errors.0.iter().map(ToString::to_string).collect())
        .unwrap_or_default()
}

fn endpoint(body: &str) -> String {
    format!(
        r#"{{"version":3,"endpoints":[{{"endpoint":"/a/{{id}}","backend":[{{"host":["http://b"],"url_pattern":"/x"}}],{body}}}]}}"#
    )
}

fn message(text: &str) -> String {
    errors(text).first().cloned().unwrap_or_default()
}

#[test]
fn all_errors_come_together_with_their_places() {
    let text = r#"{
  "version": 2,
  "timeout": "3 s",
  "endpoints": [
    {
      "endpoint": "/a",
      "method": "HEAD",
      "nonsense": 1,
      "backend": [{ "url_pattern": "/{id}" }]
    }
  ]
}"#;
    assert_eq!(
        errors(text),
        [
            "2:14 version: must be 3",
            "3:14 timeout: `3 s` is not a duration such as 150us, 3s or 12h",
            "7:17 endpoints[0].method: `HEAD` is not one of GET, POST, PUT, PATCH, DELETE",
            "8:7 endpoints[0].nonsense: `nonsense` is not known or not supported here",
            "9:19 endpoints[0].backend[0].host: no host, neither here nor at the root",
            "9:36 endpoints[0].backend[0].url_pattern: `{id}` is no parameter of the endpoint",
        ]
    );
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    for (text, expected) in [
        ("{\n  \"version\": 3,\n}", "3:1: expected `\"`, found `}`"),
        ("{\"a\": 1, \"a\": 2}", "1:10: `a` is there twice"),
        ("{\"a\": 01}", "1:7: `01` is not a number"),
        ("{\"a\": \"x}", "1:7: the string has no end"),
        ("[] x", "1:4: unexpected text after the document"),
        ("{\"a\": tru}", "1:7: expected a value, found `tru`"),
    ] {
        assert_eq!(message(text), expected, "{text}");
    }
    assert!(message(&"[".repeat(100)).contains("nested too deeply"));
}

#[test]
fn what_is_not_supported_is_named_or_only_warned_about() {
    for namespace in
        ["modifier/lua-endpoint", "plugin/req-resp-modifier", "validation/cel", "qos/http-cache", "websocket"]
    {
        let text = endpoint(&format!(r#""extra_config":{{"{namespace}":{{}}}}"#));
        assert!(
            message(&text).contains(&format!("`{namespace}` is not known or not supported here")),
            "{namespace}"
        );
        let lenient = parse(&text, true).unwrap();
        assert!(lenient.warnings.iter().any(|warning| warning.contains(namespace)));
    }
    assert!(message(&endpoint(r#""output_encoding":"xml""#)).contains("`xml` is not supported"));
    assert!(
        message(&endpoint(r#""extra_config":{"_reservas/websocket":{}}"#)).contains("_reservas/websocket")
    );
    assert!(errors(&endpoint(r#""_note":1,"$x":2,"@comment":"x""#)).is_empty());
}

#[test]
fn parameters_must_come_from_somewhere() {
    let with = |pattern: &str, extra: &str| {
        format!(
            r#"{{"version":3,"host":["http://b"],"endpoints":[{{"endpoint":"/a/{{id}}","extra_config":{extra},
            "backend":[{{"url_pattern":"/x"}},{{"url_pattern":"{pattern}"}}]}}]}}"#
        )
    };
    let validator = r#"{"auth/validator":{"alg":"EdDSA","jwk_url":"https://k"}}"#;
    assert!(errors(&with("/{id}?q={id}", "{}")).is_empty());
    assert!(errors(&with("/{resp0_a.b}", r#"{"proxy":{"sequential":true}}"#)).is_empty());
    assert!(errors(&with("/{JWT.sub}", validator)).is_empty());
    assert!(message(&with("/{other}", "{}")).contains("no parameter of the endpoint"));
    assert!(message(&with("/{resp0_a}", "{}")).contains("only with `proxy.sequential`"));
    assert!(message(&with("/{resp1_a}", r#"{"proxy":{"sequential":true}}"#)).contains("not asked before"));
    assert!(message(&with("/{JWT.sub}", "{}")).contains("only with `auth/validator`"));
    assert!(message(&with("/{id", "{}")).contains("not closed"));
}

#[test]
fn paths_are_whole_segments() {
    for path in ["a", "/a{id}", "/{a b}", "/{a}/{a}", "/*", "/a/{id}x", "/__debug/x", "/__health"] {
        assert!(pattern::endpoint(path).is_err(), "{path}");
    }
    assert_eq!(pattern::endpoint("/a/{b-c_1}/").unwrap().len(), 3);
}

#[test]
fn no_op_takes_one_backend_that_is_no_op_too() {
    assert!(
        message(&endpoint(r#""output_encoding":"no-op","timeout":"1s""#)).is_empty(),
        "an absent encoding follows the endpoint"
    );
    let mixed = r#"{"version":3,"endpoints":[{"endpoint":"/a","output_encoding":"no-op",
        "backend":[{"host":["b"],"url_pattern":"/","encoding":"json"}]}]}"#;
    assert!(message(mixed).contains("`no-op` must stand at the endpoint"));
    let two = r#"{"version":3,"endpoints":[{"endpoint":"/a","output_encoding":"no-op",
        "backend":[{"host":["b"],"url_pattern":"/"},{"host":["b"],"url_pattern":"/"}]}]}"#;
    assert!(message(two).contains("so there must be one"));
}

#[test]
fn keys_over_plain_http_must_be_asked_for() {
    let with =
        |rest: &str| endpoint(&format!(r#""extra_config":{{"auth/validator":{{"alg":"EdDSA",{rest}}}}}"#));
    assert!(message(&with(r#""jwk_url":"http://k""#)).contains("disable_jwk_security"));
    assert!(errors(&with(r#""jwk_url":"http://k","disable_jwk_security":true"#)).is_empty());
    assert!(message(&with(r#""cache":true"#)).contains("one of `jwk_url` and `jwk_local_path`"));
    assert!(
        message(&endpoint(r#""extra_config":{"auth/validator":{"alg":"none","jwk_url":"https://k"}}"#))
            .contains("`none` is not supported")
    );
}

#[test]
fn defaults_are_those_of_the_format_or_stricter() {
    let config = parse(&endpoint(r#""method":"get""#), false).unwrap();
    let root = &config.root;
    assert_eq!(
        (root.port, root.timeout, root.max_idle_connections_per_host),
        (8080, Duration::from_secs(2), 250)
    );
    assert_eq!((root.read_header_timeout, root.max_payload), (Duration::from_secs(10), 1024 * 1024));
    assert!(root.router.trusted_proxies.is_empty());
    let first = config.endpoints.first().unwrap();
    assert_eq!(
        (first.output, first.concurrent_calls, &first.input_headers),
        (Output::Json, 1, &Names::Unset)
    );
}

/// Whatever is cut off or changed, reading ends with an answer and never with a panic.
#[test]
fn broken_files_are_refused_and_nothing_worse() {
    let whole = include_str!("../../../../deploy/gateway.json");
    assert!(errors(whole).is_empty());
    for end in (0..whole.trim_end().len()).step_by(97) {
        assert!(parse(whole.get(..end).unwrap(), false).is_err());
    }
    for (at, _) in whole.match_indices([':', '[', '"', '1']).step_by(23) {
        let broken = format!("{}null{}", &whole[..at], &whole[at + 1..]);
        drop(parse(&broken, true));
    }
}

#[test]
fn clashes_are_found() {
    let text = r#"{"version":3,"host":["http://b"],"endpoints":[
        {"endpoint":"/a/{id}","backend":[{"url_pattern":"/"}]},
        {"endpoint":"/a/fixed","backend":[{"url_pattern":"/"}]},
        {"endpoint":"/a/{id}","method":"POST","backend":[{"url_pattern":"/"}]},
        {"endpoint":"/a/{name}","backend":[{"url_pattern":"/"}]}]}"#;
    assert_eq!(errors(text), ["5:9 endpoints[3].endpoint: GET /a/{name} clashes with /a/{id}"]);
}

#[test]
fn clashes_come_together_with_all_else() {
    let text = r#"{"version":3,"host":["http://b"],"endpoints":[
        {"endpoint":"no-slash","backend":[{"url_pattern":"/"}]},
        {"endpoint":"/a/{id}","backend":[{"url_pattern":"/"}]},
        {"endpoint":"/a/{name}","metod":"GET","backend":[{"url_pattern":"/"}]}]}"#;
    assert_eq!(
        errors(text),
        [
            "2:21 endpoints[0].endpoint: `no-slash` must begin with a slash",
            "4:9 endpoints[2].endpoint: GET /a/{name} clashes with /a/{id}",
            "4:33 endpoints[2].metod: `metod` is not known or not supported here; did you mean `method`?",
        ]
    );
}

#[test]
fn what_is_misspelt_is_told_what_it_may_have_meant() {
    for (key, meant) in [("input_header", "input_headers"), ("outputencoding", "output_encoding")] {
        let told = message(&endpoint(&format!(r#""{key}":[]"#)));
        assert!(told.ends_with(&format!("did you mean `{meant}`?")), "{told}");
    }
    let told = message(&endpoint(r#""extra_config":{"auth/validater":{}}"#));
    assert!(told.ends_with("did you mean `auth/validator`?"), "{told}");
    assert!(!message(&endpoint(r#""zzz":1"#)).contains("did you mean"));
}

#[test]
fn two_names_for_a_parameter_in_one_place_run_here_and_are_warned_about() {
    let text = r#"{"version":3,"host":["http://b"],"endpoints":[
        {"endpoint":"/a/{id}/b","backend":[{"url_pattern":"/"}]},
        {"endpoint":"/a/{name}/c","backend":[{"url_pattern":"/"}]},
        {"endpoint":"/a/{other}/c","method":"PUT","output_encoding":"no-op","backend":[{"url_pattern":"/"}]}]}"#;
    assert_eq!(
        parse(text, false).unwrap().warnings,
        [
            "3:9 endpoints[1].endpoint: the original does not start when `{name}` is called `{id}` in /a/{id}/b"
        ]
    );
}
