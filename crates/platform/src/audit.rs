//! The audit trail of an organization, as every service answers it: a page, or all of it as a file.

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use garde::Validate;
use http::{HeaderMap, header};
use jiff::Timestamp;
use kernel::{EventId, OrganizationId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::csv;
use crate::db::Db;
use crate::events::audit::{self, Audited, Place};
use crate::http::{Json, Page, PageQuery, Problem};

/// Events of an export that are in memory at once.
const CHUNK: i64 = 500;
/// The columns of the file.
const COLUMNS: [&str; 10] = [
    "id",
    "type",
    "subject_id",
    "number",
    "occurred_at",
    "actor_id",
    "on_behalf_of",
    "correlation_id",
    "data",
    "client",
];

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditFormat {
    /// A page.
    Json,
    /// All of it, a line for each event, with a head.
    Csv,
    /// All of it, a JSON document for each event, one a line.
    Ndjson,
}

/// Which events.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Those of this type.
    #[garde(length(max = 100))]
    #[param(max_length = 100, example = "reservas.booking.moved.v1")]
    pub r#type: Option<String>,
    /// Those of this aggregate: a booking, an account, a session, a resource.
    #[garde(skip)]
    pub subject_id: Option<Uuid>,
    /// Those that this user caused.
    #[garde(skip)]
    pub actor_id: Option<UserId>,
    /// Those that this request caused.
    #[garde(length(max = 128))]
    #[param(max_length = 128)]
    pub correlation_id: Option<String>,
    /// Those from this instant on.
    #[garde(skip)]
    pub from: Option<Timestamp>,
    /// Those before this instant.
    #[garde(skip)]
    pub to: Option<Timestamp>,
    /// `json` (a page), or all of it as `csv` or `ndjson`; what `Accept` says when absent.
    #[garde(skip)]
    pub format: Option<AuditFormat>,
    /// Items on the page: 1 to 200, 50 when absent. Not for files.
    #[garde(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<i64>,
    /// `next_cursor` of the page before. Not for files.
    #[garde(length(max = 1024))]
    pub cursor: Option<String>,
}

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    /// The event.
    pub id: EventId,
    /// What happened.
    #[schema(example = "reservas.booking.moved.v1")]
    pub r#type: String,
    /// What it happened to.
    pub subject_id: Uuid,
    /// Its number in the history of that, from 1.
    pub number: i64,
    /// When.
    pub occurred_at: Timestamp,
    /// Who did it; null when nobody did.
    pub actor_id: Option<UserId>,
    /// For whom, when it was another.
    pub on_behalf_of: Option<UserId>,
    /// The request that did it.
    pub correlation_id: String,
    /// The network address that the request came from; null when none did.
    #[schema(example = "192.0.2.7")]
    pub client: Option<String>,
    /// What it was like after, and before.
    #[schema(value_type = Object)]
    pub data: Value,
}

impl From<Audited> for AuditEntry {
    fn from(Audited { event, client, .. }: Audited) -> Self {
        Self {
            id: event.id,
            r#type: event.kind,
            subject_id: event.subject,
            number: event.streamversion,
            occurred_at: event.time,
            actor_id: event.actorid,
            on_behalf_of: event.onbehalfof,
            correlation_id: event.correlationid,
            client,
            data: event.data,
        }
    }
}

/// A page of an organization's events, or all of them as a file.
///
/// # Errors
/// 400 for a cursor that is none of ours; otherwise when the database fails.
pub async fn answer(
    db: &Db,
    organization: OrganizationId,
    headers: &HeaderMap,
    filter: Filter,
) -> Result<Response, Problem> {
    let page = PageQuery { limit: filter.limit, cursor: filter.cursor };
    let format = filter.format.unwrap_or_else(|| accepted(headers));
    let filter = audit::Filter {
        kind: filter.r#type,
        subject: filter.subject_id,
        actor: filter.actor_id,
        correlation: filter.correlation_id,
        from: filter.from,
        to: filter.to,
    };
    if format != AuditFormat::Json {
        return Ok(file(db.clone(), organization, filter, format));
    }
    let after: Option<Place> = page.after()?;
    let mut tx = db.begin(organization).await?;
    let found = audit::audit(&mut tx, organization, &filter, after, page.limit() + 1).await?;
    let page = Page::of(found, page.limit(), |one| one.place);
    let items = page.items.into_iter().map(AuditEntry::from).collect();
    Ok(Json(Page { items, next_cursor: page.next_cursor }).into_response())
}

fn accepted(headers: &HeaderMap) -> AuditFormat {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("text/csv") {
        AuditFormat::Csv
    } else if accept.contains("application/x-ndjson") {
        AuditFormat::Ndjson
    } else {
        AuditFormat::Json
    }
}

/// How far an export is.
struct Export {
    db: Db,
    organization: OrganizationId,
    filter: audit::Filter,
    format: AuditFormat,
    after: Option<Place>,
    is_first: bool,
    is_done: bool,
}

/// All events, read and sent in pieces, each in a transaction of its own: however many there are, few are in memory.
fn file(db: Db, organization: OrganizationId, filter: audit::Filter, format: AuditFormat) -> Response {
    let (media_type, name) = match format {
        AuditFormat::Csv => ("text/csv; charset=utf-8", "attachment; filename=\"audit.csv\""),
        _ => ("application/x-ndjson", "attachment; filename=\"audit.ndjson\""),
    };
    let export = Export { db, organization, filter, format, after: None, is_first: true, is_done: false };
    let pieces = stream::try_unfold(export, async |export| {
        export.next().await.map_err(|problem| std::io::Error::other(problem.detail))
    });
    let headers = [(header::CONTENT_TYPE, media_type), (header::CONTENT_DISPOSITION, name)];
    (headers, Body::from_stream(pieces)).into_response()
}

impl Export {
    async fn next(mut self) -> Result<Option<(String, Self)>, Problem> {
        if self.is_done {
            return Ok(None);
        }
        let mut tx = self.db.begin(self.organization).await?;
        let found = audit::audit(&mut tx, self.organization, &self.filter, self.after, CHUNK).await?;
        tx.commit().await?;
        self.is_done = i64::try_from(found.len()).is_ok_and(|count| count < CHUNK);
        self.after = found.last().map(|one| one.place);
        let mut text = String::new();
        if self.is_first && self.format == AuditFormat::Csv {
            text.push_str(&csv::line(COLUMNS.map(|name| json!(name))));
        }
        self.is_first = false;
        for one in found {
            let entry = serde_json::to_value(AuditEntry::from(one));
            let entry = entry.map_err(|error| Problem::internal(&error))?;
            if self.format == AuditFormat::Csv {
                text.push_str(&csv::line(COLUMNS.map(|name| entry[name].clone())));
            } else {
                text.push_str(&entry.to_string());
                text.push('\n');
            }
        }
        Ok(Some((text, self)))
    }
}
