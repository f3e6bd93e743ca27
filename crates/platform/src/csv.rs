//! The bytes of a CSV file up to its first line: encoding and delimiter.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_go_and_what_is_no_utf8_is_named_by_its_line() {
        assert_eq!(text(b"\xEF\xBB\xBFa,b"), Ok("a,b"));
        assert_eq!(text(b"a\nb\nc\xE4"), Err(3));
        assert_eq!(
            [delimiter("a;b;c,d"), delimiter("a\tb"), delimiter("a,b"), delimiter("")],
            [b';', b'\t', b',', b',']
        );
    }
}
