//! Writing an event, in the transaction that makes it true.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{Event, EventId, OrganizationId, UserId};
use otlp::Trace;

use crate::auth::Actor;
use crate::db::Tx;
use crate::http::Correlation;

/// Who caused an event, and in which request.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The user who acted; none for a timed job or the system itself.
    pub actor: Option<UserId>,
    /// For whom, when the actor acted for another.
    pub on_behalf_of: Option<UserId>,
    /// The request.
    pub correlation: Correlation,
}

impl Origin {
    /// The system itself, in work that no request caused.
    #[must_use]
    pub fn system() -> Self {
        Self { actor: None, on_behalf_of: None, correlation: Correlation::mint() }
    }
}

impl From<&Actor> for Origin {
    fn from(actor: &Actor) -> Self {
        Self { actor: Some(actor.user), on_behalf_of: None, correlation: actor.correlation.clone() }
    }
}

/// Appends an event to its stream; position, version and hash are the database's work. Wakes the feed after the commit.
///
/// # Errors
/// When the database refuses; two writers of one stream that hold no lock on it: the second is refused.
pub async fn append<E: Event>(
    tx: &mut Tx,
    organization: OrganizationId,
    origin: &Origin,
    event: &E,
    now: Timestamp,
) -> Result<i64, sqlx::Error> {
    tx.tells();
    sqlx::query_scalar(
        "insert into event (organization_id, id, stream, stream_id, stream_version, type, actor_id, on_behalf_of,
                            correlation_id, client, data, occurred_at, hash, traceparent)
         values ($1, $2, $3, $4, 0, $5, $6, $7, $8, $9, $10, $11, '', $12)
         returning stream_version",
    )
    .bind(organization.0)
    .bind(EventId::mint().0)
    .bind(E::STREAM)
    .bind(event.stream_id())
    .bind(E::TYPE)
    .bind(origin.actor.map(|user| user.0))
    .bind(origin.on_behalf_of.map(|user| user.0))
    .bind(&origin.correlation.id)
    .bind(&origin.correlation.client)
    .bind(sqlx::types::Json(event))
    .bind(now.to_sqlx())
    .bind(Trace::here().map(|trace| trace.traceparent()))
    .fetch_one(&mut **tx)
    .await
}
