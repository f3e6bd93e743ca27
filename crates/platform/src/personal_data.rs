//! What a service holds about a person, read out for them: named parts, and the events that they caused.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{FromRef, State};
use axum::routing::get;
use futures_util::TryStreamExt as _;
use kernel::{OrganizationId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sqlx::AssertSqlSafe;
use sqlx::types::Json as Stored;

use crate::db::Db;
use crate::http::{Json, Path, Problem};
use crate::internal::{InternalToken, Peer};

/// Bytes of JSON that a service tells of one person at most: more is not read into memory.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The events that a person caused, and those of their account, with the address that they came from themselves.
const EVENTS: Part = Part {
    name: "events",
    statement: "select id, type, stream, stream_id, actor_id, on_behalf_of, correlation_id, occurred_at, data,
                       case when actor_id = $2 then client end as client
                from event where organization_id = $1 and actor_id = $2
                union all
                select id, type, stream, stream_id, actor_id, on_behalf_of, correlation_id, occurred_at, data, null
                from event where organization_id = $1 and stream_id = $2 and actor_id is distinct from $2
                order by occurred_at, id",
};

/// A part of what is held: its name, and the statement that reads it. `$1` is the organization, `$2` the person. Columns
/// are named one by one, so that no secret comes along with a column that is added later.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Its name in the document.
    pub name: &'static str,
    /// What reads it.
    pub statement: &'static str,
}

/// What one service holds about a person.
#[derive(Debug, Serialize, Deserialize)]
pub struct PersonalData {
    /// The rows of each part; none when it is more than [`MAX_BYTES`].
    pub parts: Option<BTreeMap<String, Vec<Box<RawValue>>>>,
}

/// Reads the parts, and the events, in one transaction.
///
/// # Errors
/// When the database fails.
pub async fn collect(
    db: &Db,
    organization: OrganizationId,
    user: UserId,
    parts: &[Part],
) -> Result<PersonalData, Problem> {
    let mut tx = db.begin(organization).await?;
    let mut found = BTreeMap::new();
    let mut bytes = 0;
    for part in parts.iter().chain([&EVENTS]) {
        let statement = format!("select to_jsonb(part) from ({}) part", part.statement);
        let query = sqlx::query_scalar::<_, Stored<Box<RawValue>>>(AssertSqlSafe(statement));
        let mut rows = query.bind(organization.0).bind(user.0).fetch(&mut *tx);
        let mut read = Vec::new();
        while let Some(Stored(row)) = rows.try_next().await? {
            bytes += row.get().len();
            if bytes > MAX_BYTES {
                return Ok(PersonalData { parts: None });
            }
            read.push(row);
        }
        found.insert(part.name.to_owned(), read);
    }
    tx.commit().await?;
    Ok(PersonalData { parts: Some(found) })
}

/// What the route works with.
#[derive(Clone)]
struct Asked {
    db: Db,
    token: InternalToken,
    parts: &'static [Part],
}

impl FromRef<Asked> for InternalToken {
    fn from_ref(asked: &Asked) -> Self {
        asked.token.clone()
    }
}

/// The path at which a service tells what it holds.
#[must_use]
pub fn path(organization: &str, user: &str) -> String {
    format!("/internal/organizations/{organization}/users/{user}/personal-data")
}

/// The route at which a service tells the others what it holds.
pub fn routes(db: Db, token: InternalToken, parts: &'static [Part]) -> Router {
    let path = path("{organization_id}", "{user_id}");
    Router::new().route(&path, get(tell)).with_state(Asked { db, token, parts })
}

async fn tell(
    _: Peer,
    State(asked): State<Asked>,
    Path((organization, user)): Path<(OrganizationId, UserId)>,
) -> Result<Json<PersonalData>, Problem> {
    collect(&asked.db, organization, user, asked.parts).await.map(Json)
}
