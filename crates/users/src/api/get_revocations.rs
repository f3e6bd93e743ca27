//! `GET /internal/revocations?since=`: the sessions whose access tokens are worth nothing any more.

use axum::extract::State;
use garde::Validate;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::SessionId;
use platform::auth::revocations::{OVERLAP, Page, Revocation};
use platform::http::{Json, Problem, Query};
use platform::internal::Peer;
use serde::Deserialize;

use crate::App;

/// Revocations of one answer at most.
const BATCH: i64 = 20_000;

/// Since when.
#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    #[garde(skip)]
    since: Timestamp,
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
             (select id, ended_at as at, true as ended from users.session where ended_at >= $1 order by ended_at limit $2)
             union all
             (select id, tokens_from, false from users.session
              where tokens_from >= $1 and ended_at is null order by tokens_from limit $2)
             union all
             (select id, tokens_from, false from users.api_key
              where tokens_from >= $1 and revoked_at is null order by tokens_from limit $2)
             union all
             (select id, revoked_at, true from users.api_key where revoked_at >= $1 order by revoked_at limit $2)
             union all
             (select organization_id, tokens_from, false from users.organization
              where tokens_from >= $1 order by tokens_from limit $2)
           ) revoked order by at, id limit $2"#,
        ask.since.to_sqlx(),
        BATCH,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let items: Vec<_> = rows
        .into_iter()
        .map(|row| Revocation { session: row.id, at: row.at.to_jiff(), ended: row.ended })
        .collect();
    let last = items.last().map_or(ask.since, |item| item.at);
    // A full page of one instant would be asked for for ever.
    let more = items.len() >= usize::try_from(BATCH).unwrap_or(usize::MAX) && last > ask.since;
    // What is being committed right now has a time of a moment ago: that is looked at again.
    let next = if more { last } else { ask.since.max(now - OVERLAP) };
    Ok(Json(Page { items, next, more }))
}
