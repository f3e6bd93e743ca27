//! Filters (RFC 7644, section 3.4.2.2), as far as provisioning needs them: `attribute eq value`, joined by `and`.
//!
//! A filter is read into values, never into a query's text.

use serde_json::Value;

use super::{GROUP, Refusal, USER};

/// Characters of a filter at most.
const LONGEST: usize = 1000;
/// Comparisons in a filter at most.
const MOST: usize = 10;

/// An attribute that equals a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// The attribute, in lower case, without the schema's name before it: `username`, `emails.value`.
    pub attribute: String,
    /// What it equals: a text, a number, a boolean or null.
    pub value: Value,
}

impl Clause {
    /// The value as text.
    ///
    /// # Errors
    /// 400 `invalidFilter` when it is none.
    pub fn text(&self) -> Result<&str, Refusal> {
        self.value.as_str().ok_or_else(|| invalid(&format!("{} is compared with a text", self.attribute)))
    }
}

fn invalid(why: &str) -> Refusal {
    Refusal::bad("invalidFilter", format!("The filter is not understood: {why}."))
}

/// Reads a filter.
///
/// # Errors
/// 400 `invalidFilter` for anything but comparisons by `eq`, joined by `and`.
pub fn parse(text: &str) -> Result<Vec<Clause>, Refusal> {
    if text.len() > LONGEST {
        return Err(invalid("it is longer than 1,000 bytes"));
    }
    let (mut clauses, mut rest) = (Vec::new(), text.trim());
    loop {
        let (attribute, after) = word(rest);
        let (operator, after) = word(after);
        if !is_attribute(attribute) {
            return Err(invalid("it begins with an attribute, as in userName eq \"ada@example.com\""));
        }
        if !operator.eq_ignore_ascii_case("eq") {
            return Err(invalid("comparisons here are by eq, joined by and"));
        }
        let mut values = serde_json::Deserializer::from_str(after).into_iter::<Value>();
        let value =
            values.next().and_then(Result::ok).filter(|value| !value.is_object() && !value.is_array());
        let value =
            value.ok_or_else(|| invalid("after eq comes a text in quotes, a number, true, false or null"))?;
        rest = after.get(values.byte_offset()..).unwrap_or_default().trim_start();
        clauses.push(Clause { attribute: bare(attribute).to_lowercase(), value });
        if rest.is_empty() {
            return Ok(clauses);
        }
        let (joint, after) = word(rest);
        if !joint.eq_ignore_ascii_case("and") || clauses.len() == MOST {
            return Err(invalid("comparisons here are by eq, joined by and, ten at most"));
        }
        rest = after;
    }
}

/// The first word, and what comes after it.
fn word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

fn is_attribute(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:$".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(plain)
}

fn bare(name: &str) -> &str {
    let without = |schema: &str| {
        let head = name.get(..schema.len())?;
        head.eq_ignore_ascii_case(schema).then(|| name.get(schema.len()..)?.strip_prefix(':')).flatten()
    };
    without(USER).or_else(|| without(GROUP)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Vec<(String, Value)> {
        parse(text).unwrap().into_iter().map(|clause| (clause.attribute, clause.value)).collect()
    }

    #[test]
    fn comparisons_are_read_as_values() {
        assert_eq!(read("userName eq \"ada@example.com\""), [("username".into(), json!("ada@example.com"))]);
        assert_eq!(
            read("externalId EQ \"a b\\\" or 1\" And active eq true"),
            [("externalid".into(), json!("a b\" or 1")), ("active".into(), json!(true))]
        );
        let urn = "urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"x\"";
        assert_eq!(read(urn), [("username".into(), json!("x"))]);
    }

    #[test]
    fn anything_else_is_refused_with_the_word_for_it() {
        let long = format!("userName eq \"{}\"", "a".repeat(1000));
        let many = ["id eq 1"; 11].join(" and ");
        for text in [
            "",
            "userName",
            "userName eq",
            "userName eq ada",
            "userName co \"a\"",
            "userName pr",
            "userName eq \"a\" or id eq \"b\"",
            "(userName eq \"a\")",
            "not (id eq \"a\")",
            "userName eq \"a\" id",
            "userName eq {}",
            "'; drop eq \"a\"",
            "emails[type eq \"work\"] eq 1",
            "userName eq \"a",
            &long,
            &many,
        ] {
            assert_eq!(parse(text).unwrap_err().scim_type, Some("invalidFilter"), "{text}");
        }
    }
}
