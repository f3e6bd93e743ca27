//! JSON as the format's answers have it: sorted keys, `<>&` escaped, numbers as they were written.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What a failed backend said, shown in the answer by `return_error_details`. Its members keep this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// The status it answered with.
    pub status: u16,
    /// Its body; left out when empty.
    pub body: String,
    /// Its `Content-Type`; left out when empty.
    pub encoding: String,
}

/// An object, with the details of failed backends among its members.
pub fn object(data: &Map<String, Value>, details: &BTreeMap<String, Details>) -> String {
    let mut members: BTreeMap<&str, String> =
        data.iter().map(|(key, value)| (key.as_str(), value_text(value))).collect();
    members.extend(details.iter().map(|(key, value)| (key.as_str(), details_text(value))));
    let text: Vec<String> = members.iter().map(|(key, value)| format!("{}:{value}", string(key))).collect();
    format!("{{{}}}", text.join(","))
}

/// Any value.
pub fn value_text(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn details_text(details: &Details) -> String {
    let mut out = format!("{{\"http_status_code\":{}", details.status);
    for (key, text) in [("http_body", &details.body), ("http_body_encoding", &details.encoding)] {
        if !text.is_empty() {
            out.push_str(&format!(",\"{key}\":{}", string(text)));
        }
    }
    out.push('}');
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(number.as_str()),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by(|left, right| left.0.cmp(right.0));
            out.push('{');
            for (index, (key, item)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(key, out);
                out.push(':');
                write(item, out);
            }
            out.push('}');
        }
    }
}

fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_string(text, &mut out);
    out
}

/// The escapes of Go's encoder, HTML escaping on.
fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for read in text.chars() {
        match read {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(read)));
            }
            _ => out.push(read),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_and_markup_is_escaped() {
        let text = r#"{"b":1.0,"a":12345678901234567890,"c":"<a&b>\u2028","d":[1e5,null]}"#;
        let value = crate::config::json::parse(text).unwrap().to_value();
        let expected =
            r#"{"a":12345678901234567890,"b":1.0,"c":"\u003ca\u0026b\u003e\u2028","d":[1e5,null]}"#;
        assert_eq!(value_text(&value), expected);
    }

    #[test]
    fn details_keep_their_order() {
        let details = Details { status: 404, body: "no\n".into(), encoding: String::new() };
        let text = object(&Map::new(), &BTreeMap::from([("error_x".to_owned(), details)]));
        assert_eq!(text, r#"{"error_x":{"http_status_code":404,"http_body":"no\n"}}"#);
    }
}
