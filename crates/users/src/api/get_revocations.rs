//! `GET /internal/revocations?since=`: the sessions whose access tokens are worth nothing any more.

use axum::extract::State;
use garde::Validate;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{KeyId, SessionId};
use platform::auth::revocations::{KEPT, OVERLAP, Page, Revocation};
use platform::http::{Json, Problem, Query};
use platform::internal::Peer;
use serde::Deserialize;
use uuid::Uuid;

use crate::App;

/// Revocations of one answer at most.
const BATCH: i64 = 20_000;

/// Since when.
#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    #[garde(skip)]
    since: Timestamp,
    /// Of those of that very time, what comes after this one.
    #[garde(skip)]
    after: Option<SessionId>,
}

/// Ended sessions, sessions whose tokens have to be exchanged, revoked API keys and disabled organizations, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn get_revocations(
    _: Peer,
    State(app): State<App>,
    Query(ask): Query<Ask>,
) -> Result<Json<Page>, Problem> {
    let now = app.context.clock.now();
    let mut tx = app.context.db.begin_as_finder().await?;
    let rows = sqlx::query!(
        r#"select id as "id!: SessionId", at as "at!", ended as "ended!" from (
             (select id, ended_at as at, true as ended from users.session
              where (ended_at, id) > ($1, $3) order by ended_at, id limit $2)
             union all
             (select id, tokens_from, false from users.session
              where (tokens_from, id) > ($1, $3) and ended_at is null order by tokens_from, id limit $2)
             union all
             (select id, tokens_from, false from users.api_key
              where (tokens_from, id) > ($1, $3) and revoked_at is null order by tokens_from, id limit $2)
             union all
             (select id, revoked_at, true from users.api_key
              where (revoked_at, id) > ($1, $3) order by revoked_at, id limit $2)
             union all
             (select organization_id, tokens_from, false from users.organization
              where (tokens_from, organization_id) > ($1, $3) order by tokens_from, organization_id limit $2)
           ) revoked order by at, id limit $2"#,
        ask.since.to_sqlx(),
        BATCH,
        ask.after.map_or(Uuid::nil(), |id| id.0),
    )
    .fetch_all(&mut *tx)
    .await?;
    let retired_keys = sqlx::query_scalar!(
        r#"select id as "id: KeyId" from users.signing_key where expires_at > $1 and expires_at <= $2"#,
        (now - KEPT).to_sqlx(),
        now.to_sqlx(),
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let items: Vec<_> = rows
        .into_iter()
        .map(|row| Revocation { session: row.id, at: row.at.to_jiff(), ended: row.ended })
        .collect();
    let is_full = items.len() >= usize::try_from(BATCH).unwrap_or(usize::MAX);
    let (next, after) = match items.last().filter(|_| is_full) {
        Some(last) => (last.at, Some(last.session)),
        // What is being committed right now has a time of a moment ago: that is looked at again.
        None => (ask.since.max(now - OVERLAP), None),
    };
    Ok(Json(Page { items, next, after, more: is_full, retired_keys: retired_keys.into_iter().collect() }))
}
