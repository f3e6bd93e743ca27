//! Lines into accounts: a thousand in one transaction, looked up and made at once, each change told.

use std::collections::HashMap;

use contracts::users::{SessionEnd, UserChanged};
use jiff::Timestamp;
use kernel::{Email, OrganizationId, Role};
use platform::auth::Actor;
use platform::db::Tx;
use platform::events::{self, Origin};
use platform::http::Problem;

use super::groups::Groups;
use super::lines::{Line, invalid, wrong};
use super::{LineReport, Outcome};
use crate::App;
use crate::account::Account;
use crate::giving;
use crate::organization::Organization;
use crate::store::sessions::{Ending, Which};
use crate::store::{account_batches, accounts, api_keys, group_rules, session_starts};

/// Lines of one transaction: their accounts are locked for less than a second, so that nobody waits long to sign in.
pub(super) const CHUNK: usize = 1000;
/// Runs of a transaction at most, when somebody else makes one of its accounts.
const RUNS: u32 = 3;

/// For whom, and by whom.
pub(super) struct Work<'a> {
    pub(super) app: &'a App,
    pub(super) organization: Organization,
    pub(super) origin: Origin,
    pub(super) actor: &'a Actor,
}

impl Work<'_> {
    /// Applies the lines, and says what became of each.
    ///
    /// # Errors
    /// When the database fails; what was applied before stays.
    pub(super) async fn apply(&self, lines: &[Line]) -> Result<Vec<LineReport>, Problem> {
        let mut reports = Vec::with_capacity(lines.len());
        for chunk in lines.chunks(CHUNK) {
            reports.extend(self.runs(chunk).await?);
        }
        Ok(reports)
    }

    async fn runs(&self, chunk: &[Line]) -> Result<Vec<LineReport>, Problem> {
        for _ in 1..RUNS {
            match self.write(chunk).await {
                Err(problem) if problem.transient || problem.code == "email_taken" => {}
                result => return result,
            }
        }
        self.write(chunk).await
    }

    async fn write(&self, chunk: &[Line]) -> Result<Vec<LineReport>, Problem> {
        let organization = self.organization.id;
        let mut tx = self.app.context.db.begin(organization).await?;
        account_batches::lock_all(&mut tx, organization, &emails(chunk)).await?;
        // Read when the accounts are locked: what is told later than a minute after its time is heard by nobody.
        let now = self.app.context.clock.now();
        let mut known = known(&mut tx, organization, chunk).await?;
        let groups = Groups::load(&mut tx, organization, &known).await?;
        let (mut reports, mut new) = (Vec::with_capacity(chunk.len()), Vec::new());
        for line in chunk {
            reports.push(match known.remove(&line.email) {
                Some(account) => self.change(&mut tx, account, line, (&groups, now)).await?,
                None => match self.account(line, &groups, now) {
                    Ok(account) => {
                        let id = Some(account.id);
                        new.push(account);
                        LineReport { line: line.number, outcome: Outcome::Created, id, errors: Vec::new() }
                    }
                    Err(report) => report,
                },
            });
        }
        account_batches::create_all(&mut tx, organization, &new, &self.origin).await?;
        tx.commit().await?;
        Ok(reports)
    }

    /// The account that a line makes, or what it lacks.
    pub(super) fn account(
        &self,
        line: &Line,
        groups: &Groups,
        now: Timestamp,
    ) -> Result<Account, LineReport> {
        let Some(name) = line.change.name.clone() else {
            return Err(invalid(line.number, vec![wrong("name", "required", "A new account has a name.")]));
        };
        let groups = groups.named(line)?.unwrap_or_default();
        let role = line.change.role.unwrap_or(Role::User);
        if let Some(report) = self.refused(line, &[role], now) {
            return Err(report);
        }
        let account = Account::new(&self.organization, line.email.clone(), name, role, now);
        let (account, _) = account.changed(line.change.clone());
        Ok(Account { email_verified: true, groups, ..account })
    }

    /// The report of a line about an account of roles that the caller may not give or touch.
    pub(super) fn refused(&self, line: &Line, roles: &[Role], now: Timestamp) -> Option<LineReport> {
        let problem = giving::check(self.actor, roles, now).err()?;
        Some(invalid(line.number, vec![wrong("role", problem.code, &problem.detail)]))
    }

    async fn change(
        &self,
        tx: &mut Tx,
        before: Account,
        line: &Line,
        (groups, now): (&Groups, Timestamp),
    ) -> Result<LineReport, Problem> {
        let named = match groups.others(&before, line) {
            Ok(named) => named,
            Err(report) => return Ok(report),
        };
        let (mut after, mut fields) = before.changed(line.change.clone());
        let id = Some(before.id);
        if fields.is_empty() && named.is_none() {
            return Ok(LineReport { line: line.number, outcome: Outcome::Unchanged, id, errors: Vec::new() });
        }
        if let Some(report) = self.refused(line, &[before.role, after.role], now) {
            return Ok(report);
        }
        let organization = self.organization.id;
        if before.is_administrator() && !after.is_administrator() {
            match accounts::keep_administrator(tx, organization, before.id).await {
                Err(problem) if problem.code == "last_administrator" => {
                    return Ok(last_administrator(line, &problem));
                }
                kept => kept?,
            }
        }
        if let Some(named) = named {
            after.groups = groups.put(tx, organization, &before, &named).await?;
            group_rules::name_groups(&before, &after, &mut fields);
        }
        // Groups by hand that are groups by rule as well change nothing that anybody hears of.
        if !fields.is_empty() {
            let after = accounts::store(tx, organization, after).await?;
            self.tell(tx, &before, &after, fields, now).await?;
        }
        Ok(LineReport { line: line.number, outcome: Outcome::Updated, id, errors: Vec::new() })
    }

    /// Tells of a change, and ends what an account may no longer have.
    async fn tell(
        &self,
        tx: &mut Tx,
        before: &Account,
        after: &Account,
        fields: Vec<String>,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let organization = self.organization.id;
        let (was, is) = (before.into(), after.into());
        let event = UserChanged { user_id: after.id, before: was, after: is, fields };
        events::append(tx, organization, &self.origin, &event, now).await?;
        if before.role != after.role {
            // A role taken away is gone within seconds, not when the token expires.
            session_starts::renew_tokens(tx, organization, after.id, &*self.app.context.clock).await?;
        }
        if before.active && !after.active {
            let (user, reason, origin) = (after.id, SessionEnd::AccountClosed, &self.origin);
            Ending { organization, user, reason, origin, now }.of(tx, Which::All).await?;
            api_keys::forget(tx, organization, user, now).await?;
        }
        Ok(())
    }
}

/// The accounts that some lines are about, by address.
pub(super) async fn known(
    tx: &mut Tx,
    organization: OrganizationId,
    chunk: &[Line],
) -> Result<HashMap<Email, Account>, sqlx::Error> {
    let found = account_batches::find_all(tx, organization, &emails(chunk)).await?;
    Ok(found.into_iter().map(|account| (account.email.clone(), account)).collect())
}

fn emails(chunk: &[Line]) -> Vec<String> {
    chunk.iter().map(|line| line.email.as_str().to_owned()).collect()
}

/// A line that would leave nobody to administer the organization.
pub(super) fn last_administrator(line: &Line, problem: &Problem) -> LineReport {
    invalid(line.number, vec![wrong("role", problem.code, &problem.detail)])
}
