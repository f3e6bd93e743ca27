//! Comma-separated values (RFC 4180): the bytes of a file up to its first line, its encoding and delimiter; and lines as answers.

use serde_json::Value;

/// The text of a file, without the byte order mark that some programs write first.
///
/// # Errors
/// The line, from 1, of the first bytes that are not UTF-8.
pub fn text(file: &[u8]) -> Result<&str, u64> {
    let file = file.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(file);
    std::str::from_utf8(file).map_err(|error| {
        let before = file.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        u64::try_from(line).unwrap_or(u64::MAX)
    })
}

/// What stands between columns: the most frequent candidate of the first line.
#[must_use]
pub fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let count = |candidate: u8| first.bytes().filter(|byte| *byte == candidate).count();
    // The last of several equals wins, so the most common one stands last.
    [b'\t', b';', b','].into_iter().max_by_key(|candidate| count(*candidate)).unwrap_or(b',')
}

/// Counts the lines of a file, from 1, as its records come. Readers say where a record begins only up to the line breaks
/// before it, which belong to lines that are over.
#[derive(Debug)]
pub struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    /// At the beginning.
    #[must_use]
    pub const fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: 1 }
    }

    /// The line of a record that begins at a byte, or after the line breaks that are there. No earlier one is asked for.
    pub fn of(&mut self, byte: u64) -> u64 {
        let bytes = self.text.as_bytes();
        let from = usize::try_from(byte).unwrap_or(usize::MAX);
        let rest = bytes.get(from..).unwrap_or_default();
        let start = from + rest.iter().take_while(|byte| b"\r\n".contains(byte)).count();
        let passed =
            bytes.get(self.at..start).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count();
        self.line += u64::try_from(passed).unwrap_or_default();
        self.at = start.max(self.at);
        self.line
    }
}

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
    fn line_breaks_before_a_record_are_not_its_line() {
        let mut lines = Lines::new("a\r\nb\r\n\r\n\"c\nd\"\r\ne");
        assert_eq!([0, 2, 5, 14].map(|byte| lines.of(byte)), [1, 2, 4, 6]);
        assert_eq!(lines.of(1000), 6);
    }

    #[test]
    fn marks_go_and_what_is_no_utf8_is_named_by_its_line() {
        assert_eq!(text(b"\xEF\xBB\xBFa,b"), Ok("a,b"));
        assert_eq!(text(b"a\nb\nc\xE4"), Err(3));
        assert_eq!(
            [delimiter("a;b;c,d"), delimiter("a\tb"), delimiter("a,b"), delimiter("")],
            [b';', b'\t', b',', b',']
        );
    }

    #[test]
    fn fields_are_quoted_and_formulas_disarmed() {
        let fields = [json!("a,\"b\""), json!("=1+1"), json!(-3), Value::Null, json!({ "a": 1 })];
        assert_eq!(line(fields), "\"a,\"\"b\"\"\",'=1+1,-3,,\"{\"\"a\"\":1}\"\r\n");
    }
}
