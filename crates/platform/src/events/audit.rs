//! What happened in an organization, the newest first.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{OrganizationId, UserId};
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use super::envelope::{COLUMNS, Envelope};
use crate::db::Tx;

/// Which events.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this type.
    pub kind: Option<String>,
    /// Of this aggregate.
    pub subject: Option<Uuid>,
    /// Caused by this user.
    pub actor: Option<UserId>,
    /// Caused by this request.
    pub correlation: Option<String>,
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub to: Option<Timestamp>,
}

/// A place in the list: when, and which of several at once.
pub type Place = (Timestamp, i64);

/// An event, where it stands in the list, and the network address that its request came from.
#[derive(Debug, Clone)]
pub struct Audited {
    /// Where it stands.
    pub place: Place,
    /// What happened.
    pub event: Envelope,
    /// From where; none for what no request caused.
    pub client: Option<String>,
}

/// Events after a place, the newest first.
///
/// Only the filters that are set stand in the statement, so that each has the plan that fits it: those of one aggregate come
/// by `event_stream_version`, those of one user by `event_by_actor`, all others by `event_occurred`.
///
/// # Errors
/// When the database fails.
pub async fn audit(
    tx: &mut Tx,
    organization: OrganizationId,
    filter: &Filter,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<Audited>, sqlx::Error> {
    let mut query =
        QueryBuilder::<Postgres>::new(format!("select {COLUMNS}, position, client from event where "));
    query.push("organization_id = ").push_bind(organization.0);
    if let Some(kind) = &filter.kind {
        query.push(" and type = ").push_bind(kind);
    }
    if let Some(subject) = filter.subject {
        query.push(" and stream_id = ").push_bind(subject);
    }
    if let Some(actor) = filter.actor {
        query.push(" and actor_id = ").push_bind(actor.0);
    }
    if let Some(correlation) = &filter.correlation {
        query.push(" and correlation_id = ").push_bind(correlation);
    }
    if let Some(from) = filter.from {
        query.push(" and occurred_at >= ").push_bind(from.to_sqlx());
    }
    if let Some(to) = filter.to {
        query.push(" and occurred_at < ").push_bind(to.to_sqlx());
    }
    if let Some((at, position)) = after {
        query.push(" and (occurred_at, position) < (").push_bind(at.to_sqlx());
        query.push(", ").push_bind(position).push(")");
    }
    query.push(" order by occurred_at desc, position desc limit ").push_bind(limit);
    let rows = query.build().fetch_all(&mut **tx).await?;
    let entry = |row: &PgRow| {
        let event = Envelope::of_row(row, "")?;
        let place = (event.time, row.try_get("position")?);
        Ok(Audited { place, event, client: row.try_get("client")? })
    };
    rows.iter().map(entry).collect()
}
