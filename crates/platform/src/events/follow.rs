//! A service that hears its own events: cursor and effect in one transaction, without a request to itself.

use super::consume::{Handle, handle_all};
use super::feed;
use crate::db::Db;
use crate::http::Problem;

/// A reader of a service's own feed.
#[derive(Debug)]
pub struct Follower<H> {
    /// Its name in the service's `consumer` table.
    pub name: &'static str,
    /// Where events, cursor and effects are kept.
    pub db: Db,
    /// What to do.
    pub handler: H,
}

impl<H: Handle> Follower<H> {
    /// Handles one batch of what has happened since; false when there was nothing, or another replica was faster.
    ///
    /// # Errors
    /// When the database or the handler fails: what was not handled comes again.
    pub async fn step(&self) -> Result<bool, Problem> {
        let mut tx = self.db.begin_without_organization().await?;
        let cursor: Option<String> = sqlx::query_scalar(
            "insert into consumer (name) values ($1) on conflict (name) do update set name = excluded.name returning cursor",
        )
        .bind(self.name)
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        let events = feed::after(&self.db, cursor.as_deref()).await?;
        if events.is_empty() {
            return Ok(false);
        }
        match handle_all(&self.db, self.name, &self.handler, cursor, &events).await {
            Err(problem) if problem.code == "feed_moved" => Ok(false),
            result => result.map(|()| true),
        }
    }
}
