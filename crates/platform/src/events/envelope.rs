//! An event on the wire: CloudEvents 1.0 in JSON, with our extension attributes.

use jiff::Timestamp;
use kernel::{Event, EventId, OrganizationId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

/// A CloudEvent. Attribute names are lower case without separators, as the specification demands (section 3.1).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Envelope {
    /// `1.0`.
    pub specversion: String,
    /// The event's id; the same event always has the same.
    pub id: EventId,
    /// The publishing service: `/bookings`.
    pub source: String,
    /// `reservas.booking.confirmed.v1`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The aggregate it happened to.
    pub subject: Uuid,
    /// When it happened.
    pub time: Timestamp,
    /// `application/json`.
    pub datacontenttype: String,
    /// The organization it belongs to.
    pub organizationid: OrganizationId,
    /// Its number within the aggregate's stream, from 1 without a gap.
    pub streamversion: i64,
    /// Who acted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actorid: Option<UserId>,
    /// For whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub onbehalfof: Option<UserId>,
    /// The request that caused it.
    pub correlationid: String,
    /// Where that request stood in its trace (CloudEvents, extension Distributed Tracing), when traces are on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Where a reader that has this event goes on.
    pub cursor: String,
    /// What happened.
    pub data: Value,
}

impl Envelope {
    /// The event, when it is one of type `E`.
    ///
    /// # Errors
    /// When the data of an `E` cannot be read, which a compatible change never causes.
    pub fn read<E: Event>(&self) -> Result<Option<E>, serde_json::Error> {
        if self.kind != E::TYPE {
            return Ok(None);
        }
        E::deserialize(&self.data).map(Some)
    }

    /// The event of a row that has [`COLUMNS`].
    ///
    /// # Errors
    /// When the row has others.
    pub fn of_row(row: &PgRow, schema: &str) -> Result<Self, sqlx::Error> {
        Ok(Self {
            specversion: "1.0".into(),
            id: EventId(row.try_get("id")?),
            source: format!("/{schema}"),
            kind: row.try_get("type")?,
            subject: row.try_get("stream_id")?,
            time: row.try_get::<jiff_sqlx::Timestamp, _>("occurred_at")?.to_jiff(),
            datacontenttype: "application/json".into(),
            organizationid: OrganizationId(row.try_get("organization_id")?),
            streamversion: row.try_get("stream_version")?,
            actorid: row.try_get::<Option<Uuid>, _>("actor_id")?.map(UserId),
            onbehalfof: row.try_get::<Option<Uuid>, _>("on_behalf_of")?.map(UserId),
            correlationid: row.try_get("correlation_id")?,
            traceparent: row.try_get("traceparent")?,
            cursor: row.try_get("cursor")?,
            data: row.try_get("data")?,
        })
    }
}

/// The columns that [`Envelope::of_row`] reads.
pub const COLUMNS: &str = "id, type, stream_id, occurred_at, organization_id, stream_version, actor_id,
    on_behalf_of, correlation_id, traceparent, data, xid::text || '-' || position as cursor";
