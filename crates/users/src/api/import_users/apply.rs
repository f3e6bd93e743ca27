//! Lines into accounts: a thousand looked up and made at once, each change told.

use std::collections::{BTreeSet, HashMap, HashSet};

use contracts::users::{SessionEnd, UserChanged};
use jiff::Timestamp;
use kernel::{Email, GroupId, Role};
use platform::db::Tx;
use platform::events::{self, Origin};
use platform::http::Problem;
use uuid::Uuid;

use super::lines::{Line, invalid, wrong};
use super::{LineReport, Outcome};
use crate::account::Account;
use crate::organization::Organization;
use crate::store::memberships::{self, By, Pair};
use crate::store::sessions::{Ending, Which};
use crate::store::{account_batches, accounts, api_keys, group_rules, session_starts};

/// Lines looked up and made at once.
const CHUNK: usize = 1000;

/// For whom, by whom, when, and whether for real.
pub(super) struct Work {
    pub(super) organization: Organization,
    pub(super) origin: Origin,
    pub(super) now: Timestamp,
    pub(super) dry_run: bool,
    /// The organization's groups, by their names in lower case.
    pub(super) groups: HashMap<String, GroupId>,
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
            let ids: Vec<Uuid> = known.values().map(|account| account.id.0).collect();
            let by_hand = memberships::reasons(tx, self.organization.id, By::Hand, &ids).await?;
            let mut new = Vec::new();
            for line in chunk {
                reports.push(match known.remove(&line.email) {
                    Some(account) => self.change(tx, account, line, &by_hand).await?,
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
        let groups = match self.groups(&line) {
            Ok(groups) => groups.unwrap_or_default(),
            Err(report) => return report,
        };
        let role = line.change.role.unwrap_or(Role::User);
        let account = Account::new(&self.organization, line.email, name, role, self.now);
        let (account, _) = account.changed(line.change);
        let id = (!self.dry_run).then_some(account.id);
        new.push(Account { email_verified: true, groups, ..account });
        LineReport { line: line.number, outcome: Outcome::Created, id, errors: Vec::new() }
    }

    /// The groups that a line names; none when it names none.
    fn groups(&self, line: &Line) -> Result<Option<BTreeSet<GroupId>>, LineReport> {
        let Some(names) = &line.groups else { return Ok(None) };
        let (mut groups, mut errors) = (BTreeSet::new(), Vec::new());
        for name in names {
            match self.groups.get(&name.to_lowercase()) {
                Some(group) => {
                    groups.insert(*group);
                }
                None => errors.push(wrong("groups", "unknown_group", &format!("There is no group {name}."))),
            }
        }
        if errors.is_empty() { Ok(Some(groups)) } else { Err(invalid(line.number, errors)) }
    }

    /// Has an account in these groups by hand, and in no others; gives all that it is in then.
    async fn regroup(
        &self,
        tx: &mut Tx,
        account: &Account,
        groups: BTreeSet<GroupId>,
        by_hand: &HashSet<Pair>,
    ) -> Result<BTreeSet<GroupId>, Problem> {
        let (user, organization) = (account.id, self.organization.id);
        let is: BTreeSet<GroupId> =
            by_hand.iter().filter(|(of, _)| *of == user).map(|(_, group)| *group).collect();
        if is == groups {
            return Ok(account.groups.clone());
        }
        let pairs =
            |groups: Vec<&GroupId>| -> Vec<Pair> { groups.into_iter().map(|group| (user, *group)).collect() };
        memberships::put(tx, organization, By::Hand, &pairs(groups.difference(&is).collect())).await?;
        memberships::take(tx, organization, By::Hand, &pairs(is.difference(&groups).collect())).await?;
        let mut all = memberships::groups_of(tx, organization, &[user.0]).await?;
        Ok(all.remove(&user).unwrap_or_default())
    }

    async fn change(
        &self,
        tx: &mut Tx,
        before: Account,
        line: Line,
        by_hand: &HashSet<Pair>,
    ) -> Result<LineReport, Problem> {
        let groups = match self.groups(&line) {
            Ok(groups) => groups,
            Err(report) => return Ok(report),
        };
        let (mut after, mut fields) = before.changed(line.change);
        let (id, organization) = (Some(before.id), self.organization.id);
        if before.is_administrator() && !after.is_administrator() {
            match accounts::keep_administrator(tx, organization, before.id).await {
                Err(problem) if problem.code == "last_administrator" => {
                    return Ok(invalid(line.number, vec![wrong("role", problem.code, &problem.detail)]));
                }
                kept => kept?,
            }
        }
        if let Some(groups) = groups {
            after.groups = self.regroup(tx, &before, groups, by_hand).await?;
            group_rules::name_groups(&before, &after, &mut fields);
        }
        if fields.is_empty() {
            return Ok(LineReport { line: line.number, outcome: Outcome::Unchanged, id, errors: Vec::new() });
        }
        // Also in a dry run, which is rolled back: the next line may be about the administrator who is left.
        let after = accounts::store(tx, organization, after).await?;
        self.tell(tx, &before, &after, fields).await?;
        Ok(LineReport { line: line.number, outcome: Outcome::Updated, id, errors: Vec::new() })
    }

    /// Tells of a change, and ends what an account may no longer have.
    async fn tell(
        &self,
        tx: &mut Tx,
        before: &Account,
        after: &Account,
        fields: Vec<String>,
    ) -> Result<(), Problem> {
        let organization = self.organization.id;
        let (was, is) = (before.into(), after.into());
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
        Ok(())
    }
}
