//! From PostgreSQL's errors to problems: a named constraint is the name of a rule.

use kernel::Kind;

use crate::http::Problem;

/// SQLSTATEs after which the same transaction may succeed: serialization failure, deadlock.
const TRANSIENT: [&str; 2] = ["40001", "40P01"];
/// SQLSTATE of a write in a transaction that may only read: the database, or this server of it, takes no writes.
const READ_ONLY: &str = "25006";
/// SQLSTATEs of a database that takes no work for now: shutting down, too many clients.
const UNAVAILABLE: [&str; 4] = ["57P01", "57P02", "57P03", "53300"];

/// SQLSTATEs of values that PostgreSQL cannot hold: NUL in a text, in JSON, a time out of its range.
const UNKEEPABLE: [&str; 3] = ["22021", "22P05", "22008"];

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        let code =
            error.as_database_error().and_then(|database| database.code()).unwrap_or_default().into_owned();
        let mut problem = match &error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => unavailable(&error),
            _ if UNAVAILABLE.contains(&code.as_str()) => unavailable(&error),
            _ if code == READ_ONLY => Self::read_only(),
            _ if code == "55P03" => {
                Self::unavailable("busy", "Others are changing the same thing right now. Try again.", 1)
            }
            _ if UNKEEPABLE.contains(&code.as_str()) => {
                let detail = "A text has characters, or a time is so far away, that it cannot be kept.";
                Self::new(Kind::Invalid, "invalid_input", detail)
            }
            _ => Self::internal(&error),
        };
        problem.transient = TRANSIENT.contains(&code.as_str());
        problem
    }
}

fn unavailable(error: &sqlx::Error) -> Problem {
    tracing::warn!(%error, "the database is not available");
    Problem::unavailable("database_unavailable", "The service cannot reach its data for now.", 5)
}

/// Turns the violation of a named constraint into the error that its rule stands for.
pub trait OnConstraint<T> {
    /// Answers `problem` when `constraint` was violated, whatever sort of constraint it is.
    ///
    /// # Errors
    /// The problem, or the one for any other error of the database.
    fn on_constraint<P: Into<Problem>>(
        self,
        constraint: &str,
        problem: impl FnOnce() -> P,
    ) -> Result<T, Problem>;
}

impl<T> OnConstraint<T> for Result<T, sqlx::Error> {
    fn on_constraint<P: Into<Problem>>(
        self,
        constraint: &str,
        problem: impl FnOnce() -> P,
    ) -> Result<T, Problem> {
        self.map_err(|error| match error.as_database_error() {
            Some(database) if database.constraint() == Some(constraint) => problem().into(),
            _ => error.into(),
        })
    }
}
