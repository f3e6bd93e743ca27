//! Where PostgreSQL's time went, statement by statement.

use sqlx::{Executor as _, Row as _};

use crate::Outcome;
use crate::stage::Stage;

/// Statements shown.
const SHOWN: i32 = 14;

/// Forgets what was counted so far.
pub async fn reset(stage: &Stage) -> Outcome {
    if stage.tuning.statements {
        stage.owner().await?.execute("select pg_stat_statements_reset()").await?;
    }
    Ok(())
}

/// The statements that took the most time since then, if that is counted.
pub async fn read(stage: &Stage) -> Outcome<Option<String>> {
    if !stage.tuning.statements {
        return Ok(None);
    }
    // What differs by a literal only is one statement.
    let rows = sqlx::query(
        "select format('%s calls %s ms in all %s ms each %s',
                       lpad(sum(calls)::text, 8), lpad(round(sum(total_exec_time))::text, 8),
                       lpad(round((sum(total_exec_time) / sum(calls))::numeric, 3)::text, 9), text)
         from (select *, left(regexp_replace(regexp_replace(query, $q$'[^']*'$q$, '?', 'g'), '\\s+', ' ', 'g'), 110) as text
               from pg_stat_statements where calls > 0) each
         group by text order by sum(total_exec_time) desc limit $1",
    );
    let rows = rows.bind(SHOWN).fetch_all(&mut stage.owner().await?).await?;
    let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    Ok(Some(lines.join("\n")))
}
