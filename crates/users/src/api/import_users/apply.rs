//! Lines into accounts: a thousand looked up and made at once, each change told.

use std::collections::HashMap;

use contracts::users::{SessionEnd, UserChanged};
use jiff::Timestamp;
use kernel::{Email, Role};
use platform::db::Tx;
use platform::events::{self, Origin};
use platform::http::Problem;

use super::lines::{Line, invalid, wrong};
use super::{LineReport, Outcome};
use crate::account::Account;
use crate::organization::Organization;
use crate::store::sessions::{Ending, Which};
use crate::store::{account_batches, accounts, api_keys, session_starts};

/// Lines looked up and made at once.
const CHUNK: usize = 1000;

/// For whom, by whom, when, and whether for real.
pub(super) struct Work {
    pub(super) organization: Organization,
    pub(super) origin: Origin,
    pub(super) now: Timestamp,
    pub(super) dry_run: bool,
}

impl Work {
    /// Applies the lines, and says what became of each.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn apply(&self, tx: &mut Tx, lines: Vec<Line>) -> Result<Vec<LineReport>, Problem> {
        let mut reports = Vec::with_capacity(lines.len());
        let mut lines = lines.into_iter().peekable();
        while lines.peek().is_some() {
            let chunk: Vec<Line> = lines.by_ref().take(CHUNK).collect();
            let emails: Vec<&Email> = chunk.iter().map(|line| &line.email).collect();
            let known = account_batches::find_all(tx, self.organization.id, &emails).await?;
            let mut known: HashMap<Email, Account> =
                known.into_iter().map(|account| (account.email.clone(), account)).collect();
            let mut new = Vec::new();
            for line in chunk {
                reports.push(match known.remove(&line.email) {
                    Some(account) => self.change(tx, account, line).await?,
                    None => self.create(line, &mut new),
                });
            }
            if !self.dry_run {
                account_batches::create_all(tx, self.organization.id, &new, &self.origin).await?;
            }
        }
        Ok(reports)
    }

    fn create(&self, line: Line, new: &mut Vec<Account>) -> LineReport {
        let Some(name) = line.change.name.clone() else {
            return invalid(line.number, vec![wrong("name", "required", "A new account has a name.")]);
        };
        let role = line.change.role.unwrap_or(Role::User);
        let account = Account::new(&self.organization, line.email, name, role, self.now);
        let (account, _) = account.changed(line.change);
        let id = (!self.dry_run).then_some(account.id);
        new.push(Account { email_verified: true, ..account });
        LineReport { line: line.number, outcome: Outcome::Created, id, errors: Vec::new() }
    }

    async fn change(&self, tx: &mut Tx, before: Account, line: Line) -> Result<LineReport, Problem> {
        let (after, fields) = before.changed(line.change);
        let id = Some(before.id);
        if fields.is_empty() {
            return Ok(LineReport { line: line.number, outcome: Outcome::Unchanged, id, errors: Vec::new() });
        }
        let organization = self.organization.id;
        if before.is_administrator() && !after.is_administrator() {
            match accounts::keep_administrator(tx, organization, before.id).await {
                Err(problem) if problem.code == "last_administrator" => {
                    return Ok(invalid(line.number, vec![wrong("role", problem.code, &problem.detail)]));
                }
                kept => kept?,
            }
        }
        // Also in a dry run, which is rolled back: the next line may be about the administrator who is left.
        let after = accounts::store(tx, organization, after).await?;
        let (was, is) = ((&before).into(), (&after).into());
        let event = UserChanged { user_id: after.id, before: was, after: is, fields };
        events::append(tx, organization, &self.origin, &event, self.now).await?;
        let now = self.now;
        if before.role != after.role {
            // A role taken away is gone within seconds, not when the token expires.
            session_starts::renew_tokens(tx, organization, after.id, now).await?;
        }
        if before.active && !after.active {
            let (user, reason, origin) = (after.id, SessionEnd::AccountClosed, &self.origin);
            Ending { organization, user, reason, origin, now }.of(tx, Which::All).await?;
            api_keys::forget(tx, organization, user, now).await?;
        }
        Ok(LineReport { line: line.number, outcome: Outcome::Updated, id, errors: Vec::new() })
    }
}
