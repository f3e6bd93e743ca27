//! What an import would do: nothing is written and nobody waits for it.

use jiff::Timestamp;
use platform::http::Problem;

use super::apply::{CHUNK, Work, known, last_administrator};
use super::groups::Groups;
use super::lines::Line;
use super::{LineReport, Outcome};
use crate::account::Account;
use crate::error::Error;
use crate::store::accounts;

/// What would become of each line.
///
/// # Errors
/// When the database fails.
pub(super) async fn rehearse(work: &Work<'_>, lines: &[Line]) -> Result<Vec<LineReport>, Problem> {
    let (context, organization) = (&work.app.context, work.organization.id);
    let now = context.clock.now();
    let mut tx = context.db.begin(organization).await?;
    let mut administrators = accounts::count_administrators(&mut tx, organization).await?;
    tx.commit().await?;
    let mut reports = Vec::with_capacity(lines.len());
    for chunk in lines.chunks(CHUNK) {
        let mut tx = context.db.begin(organization).await?;
        let mut known = known(&mut tx, organization, chunk).await?;
        let groups = Groups::load(&mut tx, organization, &known).await?;
        tx.commit().await?;
        for line in chunk {
            let was = known.remove(&line.email);
            reports.push(match outcome(work, line, was.as_ref(), &groups, now) {
                Ok((is, changes)) => {
                    let lost = was.as_ref().is_some_and(Account::is_administrator) && !is.is_administrator();
                    let gained =
                        is.is_administrator() && !was.as_ref().is_some_and(Account::is_administrator);
                    if lost && administrators <= 1 {
                        last_administrator(line, &Error::LastAdministrator.into())
                    } else {
                        administrators += i64::from(gained) - i64::from(lost);
                        told(line, was.as_ref(), changes)
                    }
                }
                Err(report) => report,
            });
        }
    }
    Ok(reports)
}

/// The account that a line leaves, and whether that is a change; or why the line is refused.
fn outcome(
    work: &Work<'_>,
    line: &Line,
    was: Option<&Account>,
    groups: &Groups,
    now: Timestamp,
) -> Result<(Account, bool), LineReport> {
    let Some(was) = was else { return Ok((work.account(line, groups, now)?, true)) };
    let regroups = groups.others(was, line)?.is_some();
    let (is, _) = was.changed(line.change.clone());
    let changes = regroups || *was != is;
    match work.refused(line, &[was.role, is.role], now).filter(|_| changes) {
        Some(report) => Err(report),
        None => Ok((is, changes)),
    }
}

fn told(line: &Line, was: Option<&Account>, changes: bool) -> LineReport {
    let outcome = match was {
        None => Outcome::Created,
        Some(_) if changes => Outcome::Updated,
        Some(_) => Outcome::Unchanged,
    };
    LineReport { line: line.number, outcome, id: was.map(|account| account.id), errors: Vec::new() }
}
