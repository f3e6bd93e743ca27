//! JSON with positions: a reader of the route file that remembers the line and column of every value.

use std::fmt;

/// Deeper nesting than this is refused, so that a hostile file cannot exhaust the stack.
const MAX_DEPTH: usize = 64;
/// The same in a document that somebody else wrote: as deep as `serde_json` reads.
const MAX_DEPTH_LAX: usize = 127;

/// A place in the route file, counted from one; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    /// Line, from one.
    pub line: usize,
    /// Column, from one.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.line, self.column)
    }
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where the value begins.
    pub at: Position,
    /// The value.
    pub value: Json,
}

/// A JSON value; numbers stay as written.
#[derive(Debug, Clone)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as written.
    Number(String),
    /// A string, unescaped.
    String(String),
    /// A list.
    Array(Vec<Node>),
    /// An object in the order of the file.
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its name.
    pub key: String,
    /// Where the name stands.
    pub at: Position,
    /// Its value.
    pub node: Node,
}

impl Json {
    /// What the value is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

impl Node {
    /// The same value without positions.
    pub fn to_value(&self) -> serde_json::Value {
        match &self.value {
            Json::Null => serde_json::Value::Null,
            Json::Bool(flag) => (*flag).into(),
            // Reading the text again would rewrite its exponent; it was found to be a number when it was read.
            Json::Number(text) => {
                serde_json::Value::Number(serde_json::Number::from_string_unchecked(text.clone()))
            }
            Json::String(text) => text.clone().into(),
            Json::Array(items) => items.iter().map(Self::to_value).collect(),
            Json::Object(members) => {
                let pairs = members.iter().map(|member| (member.key.clone(), member.node.to_value()));
                serde_json::Value::Object(pairs.collect())
            }
        }
    }
}

/// What is not JSON, and where.
#[derive(Debug)]
pub struct SyntaxError {
    /// Where reading stopped.
    pub at: Position,
    /// Why.
    pub message: String,
}

/// Reads a whole document (RFC 8259). Duplicate names are refused: the second would silently win.
pub fn parse(text: &str) -> Result<Node, SyntaxError> {
    read(text, true)
}

/// Reads a document that somebody else wrote: the last of duplicate names wins, and what stands behind it does not count.
pub fn parse_lax(text: &str) -> Result<Node, SyntaxError> {
    read(text, false)
}

fn read(text: &str, unique: bool) -> Result<Node, SyntaxError> {
    let mut parser = Parser {
        unique,
        rest: text.trim_start_matches('\u{feff}').chars().peekable(),
        at: Position { line: 1, column: 1 },
    };
    parser.space();
    let node = parser.value(0)?;
    parser.space();
    match parser.rest.peek() {
        Some(_) if unique => Err(parser.error("unexpected text after the document")),
        _ => Ok(node),
    }
}

struct Parser<'t> {
    unique: bool,
    rest: std::iter::Peekable<std::str::Chars<'t>>,
    at: Position,
}

impl Parser<'_> {
    fn error(&self, message: impl Into<String>) -> SyntaxError {
        SyntaxError { at: self.at, message: message.into() }
    }

    fn next(&mut self) -> Option<char> {
        self.take_if(|_| true)
    }

    fn take_if(&mut self, belongs: impl Fn(char) -> bool) -> Option<char> {
        let read = self.rest.next_if(|read| belongs(*read))?;
        if read == '\n' {
            self.at = Position { line: self.at.line + 1, column: 1 };
        } else {
            self.at.column += 1;
        }
        Some(read)
    }

    fn space(&mut self) {
        while self.take_if(|read| matches!(read, ' ' | '\t' | '\r' | '\n')).is_some() {}
    }

    fn expect(&mut self, wanted: char) -> Result<(), SyntaxError> {
        match self.rest.peek().copied() {
            Some(read) if read == wanted => {
                self.next();
                Ok(())
            }
            Some(read) => Err(self.error(format!("expected `{wanted}`, found `{read}`"))),
            None => Err(self.error(format!("expected `{wanted}`, found the end of the file"))),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, SyntaxError> {
        if depth > if self.unique { MAX_DEPTH } else { MAX_DEPTH_LAX } {
            return Err(self.error("nested too deeply"));
        }
        let at = self.at;
        let value = match self.rest.peek().copied() {
            Some('{') => self.object(depth)?,
            Some('[') => self.array(depth)?,
            Some('"') => Json::String(self.string()?),
            Some('-' | '0'..='9') => self.number()?,
            Some('a'..='z') => self.word()?,
            Some(read) => return Err(self.error(format!("expected a value, found `{read}`"))),
            None => return Err(self.error("expected a value, found the end of the file")),
        };
        Ok(Node { at, value })
    }

    fn object(&mut self, depth: usize) -> Result<Json, SyntaxError> {
        let mut members: Vec<Member> = Vec::new();
        self.expect('{')?;
        self.space();
        if self.rest.peek() == Some(&'}') {
            self.next();
            return Ok(Json::Object(members));
        }
        loop {
            self.space();
            let at = self.at;
            let key = self.string()?;
            if self.unique && members.iter().any(|member| member.key == key) {
                return Err(SyntaxError { at, message: format!("`{key}` is there twice") });
            }
            self.space();
            self.expect(':')?;
            self.space();
            let node = self.value(depth + 1)?;
            members.push(Member { key, at, node });
            self.space();
            if self.rest.peek() == Some(&',') {
                self.next();
                continue;
            }
            self.expect('}')?;
            return Ok(Json::Object(members));
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, SyntaxError> {
        let mut items = Vec::new();
        self.expect('[')?;
        self.space();
        if self.rest.peek() == Some(&']') {
            self.next();
            return Ok(Json::Array(items));
        }
        loop {
            self.space();
            items.push(self.value(depth + 1)?);
            self.space();
            if self.rest.peek() == Some(&',') {
                self.next();
                continue;
            }
            self.expect(']')?;
            return Ok(Json::Array(items));
        }
    }

    /// The text between quotes; escapes are left to `serde_json`, which knows surrogate pairs.
    fn string(&mut self) -> Result<String, SyntaxError> {
        let at = self.at;
        self.expect('"')?;
        let mut raw = String::from('"');
        loop {
            let Some(read) = self.next() else {
                return Err(SyntaxError { at, message: "the string has no end".into() });
            };
            raw.push(read);
            match read {
                '"' => break,
                '\\' => raw.extend(self.next()),
                _ => {}
            }
        }
        serde_json::from_str(&raw).map_err(|_| SyntaxError {
            at,
            message: "the string has an invalid escape or a control character".into(),
        })
    }

    fn number(&mut self) -> Result<Json, SyntaxError> {
        let at = self.at;
        let mut text = String::new();
        while let Some(read) = self.take_if(|read| matches!(read, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')) {
            text.push(read);
        }
        match serde_json::from_str::<serde_json::Number>(&text) {
            Ok(_) => Ok(Json::Number(text)),
            Err(_) => Err(SyntaxError { at, message: format!("`{text}` is not a number") }),
        }
    }

    fn word(&mut self) -> Result<Json, SyntaxError> {
        let at = self.at;
        let mut text = String::new();
        while let Some(read) = self.take_if(|read| read.is_ascii_alphanumeric()) {
            text.push(read);
        }
        match text.as_str() {
            "true" => Ok(Json::Bool(true)),
            "false" => Ok(Json::Bool(false)),
            "null" => Ok(Json::Null),
            _ => Err(SyntaxError { at, message: format!("expected a value, found `{text}`") }),
        }
    }
}
