//! Follows the framing of HTTP/1 requests on a connection, so that every head is looked at, also one that arrives
//! together with the end of the request before it. hyper parses too; here is only what it takes and we do not.

use memchr::{memchr, memchr2};

/// More of a head is not looked at; hyper refuses it at the same size.
pub const MAX_HEAD: usize = 64 * 1024;

/// Why a request is refused that hyper would take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// `Content-Length` beside `Transfer-Encoding` (RFC 9112, section 6.1: request smuggling).
    TwoLengths,
    /// Lines that do not end with CRLF, folded lines, unclear lengths, other codings than `chunked`.
    Malformed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a request.
    Start,
    /// Between the first line of a head and its end.
    Head,
    /// So many bytes of a body are left.
    Sized(u64),
    /// Before the size of a chunk.
    ChunkSize,
    /// So many bytes of a chunk and its end are left.
    Chunk(u64),
    /// After the last chunk.
    Trailers,
    /// Nothing is looked at any more: HTTP/2, a tunnel, or a request that ends the connection.
    Free,
}

/// What of a head decides about the body.
#[derive(Debug, Default)]
struct Lengths {
    announced: Option<u64>,
    chunked: bool,
    malformed: bool,
}

/// Where a connection is within its requests.
#[derive(Debug)]
pub struct Framing {
    state: State,
    /// The part of a line that has arrived, at most [`MAX_HEAD`] bytes.
    line: Vec<u8>,
    head: Lengths,
    heads: u64,
    refused: Option<(u64, Refusal)>,
    multiplexed: bool,
}

impl Framing {
    /// At the beginning of a connection.
    pub fn new() -> Self {
        Self {
            state: State::Start,
            line: Vec::new(),
            head: Lengths::default(),
            heads: 0,
            refused: None,
            multiplexed: false,
        }
    }

    /// Stops looking: what follows is no HTTP/1.
    pub fn stop(&mut self) {
        self.state = State::Free;
        self.line = Vec::new();
    }

    /// Whether a head has begun and not ended.
    pub fn is_in_head(&self) -> bool {
        self.state == State::Head || (self.state == State::Start && !self.line.is_empty())
    }

    /// Whether the client speaks HTTP/2.
    pub fn is_multiplexed(&self) -> bool {
        self.multiplexed
    }

    /// The request to be refused, counted from zero; after it nothing is looked at.
    pub fn refused(&self) -> Option<(u64, Refusal)> {
        self.refused
    }

    /// Looks at what arrived.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match self.state {
                State::Free => return,
                State::Sized(left) | State::Chunk(left) => {
                    let taken = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    bytes = bytes.get(taken..).unwrap_or_default();
                    self.skip(left - u64::try_from(taken).unwrap_or(left));
                }
                State::Start | State::Head | State::ChunkSize | State::Trailers => {
                    let Some(end) = memchr(b'\n', bytes) else {
                        self.line.extend_from_slice(bytes);
                        if self.line.len() > MAX_HEAD {
                            self.refuse(Refusal::Malformed);
                        }
                        return;
                    };
                    let (line, rest) = bytes.split_at(end + 1);
                    bytes = rest;
                    if self.line.is_empty() {
                        self.take(line);
                    } else {
                        let mut whole = std::mem::take(&mut self.line);
                        whole.extend_from_slice(line);
                        self.take(&whole);
                    }
                }
            }
        }
    }

    fn skip(&mut self, left: u64) {
        self.state = match self.state {
            State::Sized(_) if left == 0 => State::Start,
            State::Chunk(_) if left == 0 => State::ChunkSize,
            State::Sized(_) => State::Sized(left),
            _ => State::Chunk(left),
        };
    }

    /// Takes a line with its end.
    fn take(&mut self, line: &[u8]) {
        let text = line.strip_suffix(b"\r\n").or_else(|| line.strip_suffix(b"\n")).unwrap_or(line);
        let clean = line.ends_with(b"\r\n") && memchr2(b'\r', 0, text).is_none();
        match self.state {
            // Empty lines before a request are skipped (RFC 9112, section 2.2).
            State::Start if text.is_empty() => {}
            State::Start if self.heads == 0 && text == b"PRI * HTTP/2.0" => {
                self.multiplexed = true;
                self.state = State::Free;
            }
            State::Start => {
                self.head = Lengths { malformed: !clean, ..Lengths::default() };
                self.state = State::Head;
            }
            State::Head => {
                self.head.malformed |= !clean;
                if text.is_empty() { self.end_head() } else { self.head.field(text) }
            }
            State::ChunkSize => match chunk_size(text).filter(|_| clean) {
                Some(0) => self.state = State::Trailers,
                Some(size) => self.state = State::Chunk(size),
                // hyper may still find an end to this body; what follows it is not believed to be a request.
                None => self.refuse(Refusal::Malformed),
            },
            State::Trailers if !clean => self.refuse(Refusal::Malformed),
            State::Trailers if text.is_empty() => self.state = State::Start,
            _ => {}
        }
    }

    fn end_head(&mut self) {
        let Lengths { announced, chunked, malformed } = self.head;
        if malformed {
            return self.refuse(Refusal::Malformed);
        }
        self.state = match (announced, chunked) {
            (Some(_), true) => return self.refuse(Refusal::TwoLengths),
            (None, true) => State::ChunkSize,
            (None | Some(0), false) => State::Start,
            (Some(length), false) => State::Sized(length),
        };
        self.heads += 1;
    }

    /// The next request that hyper finds is refused.
    fn refuse(&mut self, refusal: Refusal) {
        self.refused = Some((self.heads, refusal));
        self.stop();
    }
}

impl Lengths {
    fn field(&mut self, line: &[u8]) {
        let folded = line.starts_with(b" ") || line.starts_with(b"\t");
        let end = memchr(b':', line).unwrap_or(line.len());
        let (name, value) = line.split_at(end);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let is = |wanted: &[u8]| name.trim_ascii().eq_ignore_ascii_case(wanted);
        let (length, coding) = (is(b"content-length"), is(b"transfer-encoding"));
        self.malformed |= folded || (length || coding) && name.trim_ascii().len() != name.len();
        if length {
            let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
            let read = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
            self.malformed |=
                !digits || read.is_none() || self.announced.is_some_and(|old| Some(old) != read);
            self.announced = read.or(self.announced);
        }
        if coding {
            self.malformed |= self.chunked || !value.eq_ignore_ascii_case(b"chunked");
            self.chunked = true;
        }
    }
}

/// The bytes of a chunk with the CRLF after it; zero for the last one (RFC 9112, section 7.1).
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| b"; \t".contains(byte)).next()?;
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    let size = u64::from_str_radix(std::str::from_utf8(digits).ok().filter(|_| plain)?, 16).ok()?;
    if size == 0 { Some(0) } else { size.checked_add(2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same whether the bytes come at once or one by one.
    fn follow(text: &str) -> (Framing, Option<(u64, Refusal)>) {
        let (mut whole, mut single) = (Framing::new(), Framing::new());
        whole.feed(text.as_bytes());
        text.bytes().for_each(|byte| single.feed(&[byte]));
        assert_eq!((whole.refused(), whole.heads), (single.refused(), single.heads), "{text:?}");
        let refused = whole.refused();
        (whole, refused)
    }

    #[test]
    fn honest_requests_are_followed_to_their_end() {
        for text in [
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            "\r\nPOST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n\n\n\nGET / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: Chunked\r\n\r\n3;a=b\r\n\n\n\n\r\n0\r\nX: y\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        ] {
            let (framing, refused) = follow(text);
            assert_eq!((refused, framing.state), (None, State::Start), "{text:?}");
        }
        assert!(follow("GET / HT").0.is_in_head());
        assert!(follow("GET / HTTP/1.1\r\nHost: x\r\n").0.is_in_head());
        assert!(follow("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").0.is_multiplexed());
    }

    #[test]
    fn two_lengths_are_noticed_in_any_order_and_place() {
        let lengths = ["content-LENGTH: 3\r\n", "Transfer-Encoding: chunked\r\n"];
        for (first, second) in [(0, 1), (1, 0)] {
            let head = format!("POST / HTTP/1.1\r\n{}{}\r\n", lengths[first], lengths[second]);
            assert_eq!(follow(&head).1, Some((0, Refusal::TwoLengths)));
            let before = "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab";
            assert_eq!(follow(&format!("{before}{before}{head}")).1, Some((2, Refusal::TwoLengths)));
            let before = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
            assert_eq!(follow(&format!("{before}{head}")).1, Some((1, Refusal::TwoLengths)));
        }
        assert_eq!(follow("POST / HTTP/1.1\r\nContent-Length: 3\r\nX: transfer-encoding\r\n\r\n").1, None);
    }

    #[test]
    fn unclear_heads_are_refused() {
        for fields in [
            "Content-Length: 3\r\nContent-Length: 4\r\n\r\n",
            "Content-Length: +3\r\n\r\n",
            "Content-Length: 3, 3\r\n\r\n",
            "Content-Length: 99999999999999999999\r\n\r\n",
            "Transfer-Encoding : chunked\r\n\r\n",
            "Transfer-Encoding: gzip, chunked\r\n\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "X: a\r\n b\r\n\r\n",
            "X: a\n\r\n",
            "X: a\r\n\n",
            "X: a\rb\r\n\r\n",
        ] {
            assert_eq!(
                follow(&format!("POST / HTTP/1.1\r\n{fields}")).1,
                Some((0, Refusal::Malformed)),
                "{fields:?}"
            );
        }
        for body in
            ["x\r\n", "\r\n", "-1\r\n", "0x1\r\n", "3\n", "fffffffffffffffff\r\n", "ffffffffffffffff\r\n"]
        {
            let text = format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
            assert_eq!(follow(&text).1, Some((1, Refusal::Malformed)), "{body:?}");
        }
    }
}
