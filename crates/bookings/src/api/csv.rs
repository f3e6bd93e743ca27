//! Comma-separated values as answers (RFC 4180).

use serde_json::Value;

/// One line. Text that a spreadsheet would run as a formula gets an apostrophe before it.
#[must_use]
pub fn line(fields: impl IntoIterator<Item = Value>) -> String {
    let fields: Vec<String> = fields.into_iter().map(field).collect();
    format!("{}\r\n", fields.join(","))
}

fn field(value: Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{text}"),
        Value::String(text) => text,
        other => other.to_string(),
    };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_quoted_and_formulas_disarmed() {
        let fields = [json!("a,\"b\""), json!("=1+1"), json!(-3), Value::Null, json!({ "a": 1 })];
        assert_eq!(line(fields), "\"a,\"\"b\"\"\",'=1+1,-3,,\"{\"\"a\"\":1}\"\r\n");
    }
}
