//! Percent-encoding as Go does it (RFC 3986), which the format's answers depend on.

/// Undoes percent-encoding; `None` for a broken escape or when the result is not UTF-8.
pub fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            bytes.push(hex(rest.next()?)? << 4 | hex(rest.next()?)?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// A value within a path: everything but `keep` and what RFC 3986 leaves alone in a segment is encoded.
pub fn path(text: &str, keep: &str) -> String {
    encode(text, |byte| b"-_.~$&+:=@!*'(),;".contains(&byte) || keep.as_bytes().contains(&byte), false)
}

/// A value within a query (`url.QueryEscape`): a blank becomes `+`.
pub fn query(text: &str) -> String {
    encode(text, |byte| b"-_.~".contains(&byte), true)
}

fn encode(text: &str, plain: impl Fn(u8) -> bool, plus: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || plain(byte) {
            out.push(char::from(byte));
        } else if plus && byte == b' ' {
            out.push('+');
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The pairs of a query in their order; pairs that cannot be decoded or hold a semicolon are left out, as in Go.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    let pair = |text: &str| {
        if text.is_empty() || text.contains(';') {
            return None;
        }
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        Some((decode(&key.replace('+', " "))?, decode(&value.replace('+', " "))?))
    };
    query.split('&').filter_map(pair).collect()
}

/// Pairs as a query, sorted by key; values of one key keep their order.
pub fn join(mut pairs: Vec<(String, String)>) -> String {
    pairs.sort_by(|left, right| left.0.cmp(&right.0));
    let text: Vec<String> =
        pairs.iter().map(|(key, value)| format!("{}={}", query(key), query(value))).collect();
    text.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_and_refuses() {
        assert_eq!(decode("a%20b%C3%A9").as_deref(), Some("a bé"));
        assert_eq!(decode("a%2"), None);
        assert_eq!(decode("%zz"), None);
        assert_eq!(decode("%ff"), None);
    }

    #[test]
    fn encodes_like_go() {
        assert_eq!(query("a b&c=d/é~"), "a+b%26c%3Dd%2F%C3%A9~");
        assert_eq!(path("a b/c?d#e%", ""), "a%20b%2Fc%3Fd%23e%25");
        assert_eq!(path("a/b", "/"), "a/b");
    }

    #[test]
    fn sorts_by_key_and_keeps_the_order_of_values() {
        assert_eq!(join(pairs("b=2&a=x+y&b=1&c;d=1&bad=%zz&e")), "a=x+y&b=2&b=1&e=");
    }
}
