//! Rendering templates that administrators write: a part of Jinja in which no value can grow, with limits on work and
//! output.
//!
//! Only values, filters, `if` and `for` over a list of the values are allowed. Without operators that join, lists or
//! variables of its own, a template makes no value that is larger than those it was given, so that the limits on the
//! number of steps and on the output are limits on memory, too.

use std::io::{self, Write};

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, State, UndefinedBehavior, Value};
use serde::Serialize;

use crate::wording::Language;

/// Steps that rendering may take.
const STEPS: u64 = 50_000;
/// Bytes that come out at most.
const OUTPUT: usize = 128 * 1024;

/// The template with its values; `html` escapes each of them.
///
/// # Errors
/// A sentence for who wrote the template.
pub fn render(source: &str, values: &impl Serialize, html: bool) -> Result<String, String> {
    allowed(source)?;
    let environment = environment(html);
    let template = environment.template_from_named_str("template", source).map_err(|error| say(&error))?;
    let mut output = Limited(Vec::new());
    if let Err(error) = template.render_captured_to(Value::from(Serde(values)), &mut output) {
        if output.0.len() >= OUTPUT {
            return Err(format!("More than {OUTPUT} bytes come out of it."));
        }
        return Err(say(&error));
    }
    String::from_utf8(output.0).map_err(|error| error.to_string())
}

fn environment(html: bool) -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_fuel(Some(STEPS));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(move |_| if html { AutoEscape::Html } else { AutoEscape::None });
    environment.add_filter("upper", |text: String| text.to_uppercase());
    environment.add_filter("lower", |text: String| text.to_lowercase());
    environment.add_filter("trim", |text: String| text.trim().to_owned());
    environment.add_filter("length", |value: Value| value.len().unwrap_or_default());
    environment.add_filter(
        "default",
        |value: Value, other: Value| {
            if value.is_none() || value.is_undefined() { other } else { value }
        },
    );
    environment.add_filter("plural", plural);
    environment
}

/// `{{ count | plural(one, other) }}`: the word for a count, by the rules of the reader's language.
fn plural(state: &State<'_, '_>, count: i64, one: String, other: String) -> String {
    let language = state.lookup("language");
    let language = language.as_ref().and_then(Value::as_str).map_or(Language::En, Language::of);
    if language.is_one(count) { one } else { other }
}

fn say(error: &Error) -> String {
    let place = error.line().map(|line| format!("Line {line}: ")).unwrap_or_default();
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("{place}{}{detail}.", error.kind())
}

/// Refuses all of Jinja that could make large values out of small ones.
fn allowed(source: &str) -> Result<(), String> {
    let mut rest = source;
    while let Some(start) = rest.find("{") {
        rest = rest.get(start..).unwrap_or_default();
        let (close, is_statement) = match rest.get(..2) {
            Some("{{") => ("}}", false),
            Some("{%") => ("%}", true),
            Some("{#") => ("#}", false),
            _ => {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
        };
        let end = rest.find(close).ok_or_else(|| format!("`{close}` is missing."))?;
        let inside = rest.get(2..end).unwrap_or_default().trim_matches(['-', '+']).trim();
        if close != "#}" {
            if is_statement {
                statement(inside)?;
            }
            expression(inside)?;
        }
        rest = rest.get(end + 2..).unwrap_or_default();
    }
    Ok(())
}

fn statement(inside: &str) -> Result<(), String> {
    let words: Vec<_> = inside.split_whitespace().collect();
    match words.as_slice() {
        ["if" | "elif", _, ..] | ["else" | "endif" | "endfor"] => Ok(()),
        ["for", name, "in", list] if is_name(name) && list.split('.').all(is_name) => Ok(()),
        ["for", ..] => Err("`for` goes over one of the values: `{% for place in places %}`.".into()),
        _ => Err(format!("`{{% {inside} %}}`: only if, elif, else, endif, for and endfor are allowed.")),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn expression(inside: &str) -> Result<(), String> {
    // A text that goes on behind what looks like the block's end would hide the rest of the block from this check.
    let mut open = None;
    for c in inside.chars().filter(|c| matches!(c, '\'' | '"')) {
        match open {
            None => open = Some(c),
            Some(quote) if quote == c => open = None,
            Some(_) => {}
        }
    }
    if open.is_some() {
        return Err("A quote is missing, or a text has the end of a block in it.".into());
    }
    match inside.chars().find(|c| "~*+/%[]{}\\".contains(*c)) {
        Some(found) => Err(format!("`{found}` is not allowed between the braces.")),
        None => Ok(()),
    }
}

/// Takes so much and no more.
struct Limited(Vec<u8>);

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = OUTPUT - self.0.len();
        self.0.extend_from_slice(bytes.get(..bytes.len().min(room)).unwrap_or_default());
        if bytes.len() > room { Err(io::Error::other("the output is too long")) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Kind;
    use crate::templates::Values;
    use crate::wording::Language;

    fn text(source: &str) -> Result<String, String> {
        render(source, &Values::sample(Kind::BookingConfirmed, Language::En).unwrap(), false)
    }

    #[test]
    fn values_filters_ifs_and_fors_work() {
        assert_eq!(text("{{ reference | lower }}").unwrap(), "r7k2-m9qd");
        assert_eq!(text("{% if title %}{{ title }}{% else %}-{% endif %}").unwrap(), "Design review");
        assert_eq!(text("{%- for place in places -%}{{ place.name }};{% endfor %}").unwrap(), "Blue Room;");
        assert_eq!(text("{{ places | length | plural('room', 'rooms') }}").unwrap(), "room");
        let none = |language| {
            let values = serde_json::json!({ "language": language, "places": [] });
            render("{{ places | length | plural('sala', 'salas') }}", &values, false).unwrap()
        };
        assert_eq!((none("pt"), none("es")), ("sala".into(), "salas".into()), "each by its own rules");
        assert_eq!(text("{# a remark ~ * #}{ no block }").unwrap(), "{ no block }");
    }

    #[test]
    fn what_could_grow_or_reach_out_is_refused() {
        for source in [
            "{% set a = reference %}",
            "{% with a = reference %}{% endwith %}",
            "{% macro m() %}{% endmacro %}",
            "{% include 'x' %}",
            "{% extends 'x' %}",
            "{% import 'x' as x %}",
            "{% raw %}{% endraw %}",
            "{% filter upper %}{% endfilter %}",
            "{{ reference ~ reference }}",
            "{{ reference * 1000000 }}",
            "{{ reference + reference }}",
            "{{ [reference, reference] }}",
            "{{ {'a': reference} }}",
            "{{ '%1000000000s' }}",
            "{% for a in (reference, reference) %}{% endfor %}",
            "{% for a in places if a %}{% endfor %}",
            "{% for a in range(9) %}{% endfor %}",
            "{{ range(100000) }}",
            "{{ reference | replace('R', reference) }}",
            "{{ reference.x.y }}",
            "{{ self }}",
            "{{ debug() }}",
            "{{ reference",
            "{{ '}}' ~ reference }}",
            "{% if '%}' ~ reference %}{% endif %}",
            "{{ \"'}}\" ~ reference }}",
            "{% if title %}",
        ] {
            assert!(text(source).is_err(), "{source}");
        }
    }

    #[test]
    fn work_and_output_have_limits() {
        let nested = "{% for a in places %}".repeat(10) + "{{ reference }}" + &"{% endfor %}".repeat(10);
        let mut values = Values::sample(Kind::BookingConfirmed, Language::En).unwrap();
        let place = values.places[0].clone();
        values.places = vec![place; 20];
        assert!(render(&nested, &values, false).is_err(), "out of steps");
        values.reference = "x".repeat(OUTPUT);
        let error = render("{{ reference }}{{ reference }}", &values, false).unwrap_err();
        assert!(error.starts_with("More than"), "{error}");
    }
}
