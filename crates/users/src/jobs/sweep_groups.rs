//! Groups whose rule changed: all accounts are looked at, piece by piece, each in a transaction of its own. A stop or a
//! crash loses at most one piece, which comes again; several replicas may run it.

use std::time::Duration;

use kernel::{GroupId, OrganizationId};
use platform::http::Problem;

use crate::App;
use crate::store::group_rules;

/// How often, also when nobody in this process changed a rule: another replica may have stopped amid it.
const EVERY: Duration = Duration::from_secs(10);
/// Groups found in one round at most.
const MOST: i64 = 100;

/// Looks until the process stops.
pub async fn run(app: App) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = app.context.shutdown.cancelled() => return,
            _ = tick.tick() => {}
            () = app.rules_changed.notified() => {}
        }
        if !app.context.db.takes_writes().await {
            continue;
        }
        if let Err(problem) = round(&app).await {
            tracing::warn!(error = problem.detail, "rules of groups are applied later");
        }
    }
}

async fn round(app: &App) -> Result<(), Problem> {
    let mut finder = app.context.db.begin_as_finder().await?;
    let due = sqlx::query!("select organization_id, id from users.user_group where rule_due limit $1", MOST)
        .fetch_all(&mut *finder)
        .await?;
    finder.commit().await?;
    // A piece of each in turn, so that a large organization does not keep the others waiting.
    let mut due: Vec<_> =
        due.into_iter().map(|row| (OrganizationId(row.organization_id), GroupId(row.id))).collect();
    while !due.is_empty() && !app.context.shutdown.is_cancelled() {
        let mut more = Vec::new();
        for which in due {
            match piece(app, which).await {
                Ok(true) => more.push(which),
                Ok(false) => {}
                Err(problem) => {
                    let (organization, group) = which;
                    tracing::warn!(%organization, %group, error = problem.detail, "a group is swept later");
                }
            }
        }
        due = more;
    }
    Ok(())
}

async fn piece(app: &App, which: (OrganizationId, GroupId)) -> Result<bool, Problem> {
    let mut tx = app.context.db.begin(which.0).await?;
    let more = group_rules::sweep(&mut tx, which, app.context.clock.now()).await?;
    tx.commit().await?;
    Ok(more)
}
