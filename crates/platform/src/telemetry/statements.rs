//! Spans of database statements, out of what sqlx tells about each: its text with placeholders, never their values.

use std::fmt::Debug;
use std::time::Duration;

use otlp::{KeyValue, Kind, Trace};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Where sqlx tells of statements.
pub const TARGET: &str = "sqlx::query";
/// More of a statement's text is cut off, in characters.
const MAX_TEXT: usize = 1024;

/// Makes a span of each statement that is run for a recorded request.
pub struct Statements;

impl<S: Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != TARGET {
            return;
        }
        let Some(trace) = Trace::current() else { return };
        let mut told = Told::default();
        event.record(&mut told);
        let text = if told.statement.is_empty() { &told.summary } else { &told.statement };
        let (operation, name) = named(text);
        let mut attributes = vec![
            KeyValue::new("db.system.name", "postgresql"),
            KeyValue::new("db.operation.name", operation.clone()),
            KeyValue::new("db.response.returned_rows", i64::try_from(told.rows).unwrap_or(i64::MAX)),
        ];
        // The one kind of statement whose text is not the same for everyone: it names the organization.
        if operation != "BEGIN" {
            let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
            attributes.push(KeyValue::new("db.query.text", text.chars().take(MAX_TEXT).collect::<String>()));
        }
        let took = Duration::try_from_secs_f64(told.seconds).unwrap_or_default();
        trace.record(name, Kind::Client, took, attributes);
    }
}

/// `INSERT`, and `INSERT event`.
fn named(text: &str) -> (String, String) {
    let mut words =
        text.split(|c: char| c.is_whitespace() || ";(),".contains(c)).filter(|word| !word.is_empty());
    let operation = words.next().unwrap_or("QUERY").to_uppercase();
    let before = |word: &&str| ["from", "into"].iter().any(|key| word.eq_ignore_ascii_case(key));
    let table = match operation.as_str() {
        "UPDATE" => words.next(),
        "SELECT" | "INSERT" | "DELETE" | "WITH" => words.by_ref().find(before).and_then(|_| words.next()),
        _ => None,
    };
    let name = table.map_or_else(|| operation.clone(), |table| format!("{operation} {table}"));
    (operation, name)
}

#[derive(Default)]
struct Told {
    summary: String,
    statement: String,
    seconds: f64,
    rows: u64,
}

impl Visit for Told {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.trim().clone_into(&mut self.statement),
            _ => {}
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.seconds = value;
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "rows_returned" {
            self.rows = value;
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn a_statement_is_named_by_what_it_does_to_which_table() {
        for (text, expected) in [
            ("insert into event (id) values ($1)", "INSERT event"),
            ("select id, name\n from booking where id = $1", "SELECT booking"),
            ("update consumer set cursor = $1", "UPDATE consumer"),
            ("with a as (select 1 from b) select 1", "WITH b"),
            ("begin; set local reservas.organization = 'x'", "BEGIN"),
            ("select now()", "SELECT"),
            ("", "QUERY"),
        ] {
            assert_eq!(named(text).1, expected, "{text}");
        }
    }
}
