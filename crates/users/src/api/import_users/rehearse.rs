//! What an import would do: nothing is written and nobody waits for it.

use platform::http::Problem;

use super::apply::{CHUNK, Work, known, last_administrator};
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
        tx.commit().await?;
        for line in chunk {
            let (was, is) = match known.remove(&line.email) {
                Some(account) => {
                    let (after, _) = account.changed(line.change.clone());
                    (Some(account), after)
                }
                None => match work.account(line, now) {
                    Ok(account) => (None, account),
                    Err(report) => {
                        reports.push(report);
                        continue;
                    }
                },
            };
            let changed = was.as_ref().filter(|was| **was != is);
            if let Some(report) = changed.and_then(|was| work.refused(line, &[was.role, is.role], now)) {
                reports.push(report);
                continue;
            }
            let lost = was.as_ref().is_some_and(Account::is_administrator) && !is.is_administrator();
            if lost && administrators <= 1 {
                reports.push(last_administrator(line, &Error::LastAdministrator.into()));
                continue;
            }
            let gained = is.is_administrator() && !was.as_ref().is_some_and(Account::is_administrator);
            administrators += i64::from(gained) - i64::from(lost);
            reports.push(told(line, was.as_ref(), &is));
        }
    }
    Ok(reports)
}

fn told(line: &Line, was: Option<&Account>, is: &Account) -> LineReport {
    let outcome = match was {
        None => Outcome::Created,
        Some(was) if was == is => Outcome::Unchanged,
        Some(_) => Outcome::Updated,
    };
    LineReport { line: line.number, outcome, id: was.map(|account| account.id), errors: Vec::new() }
}
