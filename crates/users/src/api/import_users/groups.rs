//! The groups that lines name, and who is in which of them by hand.

use std::collections::{BTreeSet, HashMap, HashSet};

use kernel::{Email, GroupId, OrganizationId};
use platform::db::Tx;
use platform::http::Problem;
use uuid::Uuid;

use super::LineReport;
use super::lines::{Line, invalid, wrong};
use crate::account::Account;
use crate::store::memberships::{self, By, Pair, pairs};

/// The groups of an organization, and those that some accounts are in by hand.
pub(super) struct Groups {
    /// By their names in lower case.
    by_name: HashMap<String, GroupId>,
    by_hand: HashSet<Pair>,
}

impl Groups {
    /// None of the groups goes before the transaction ends.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn load(
        tx: &mut Tx,
        organization: OrganizationId,
        known: &HashMap<Email, Account>,
    ) -> Result<Self, sqlx::Error> {
        let ids: Vec<Uuid> = known.values().map(|account| account.id.0).collect();
        let by_name = memberships::group_keys(tx, organization).await?;
        let by_hand = memberships::reasons(tx, organization, By::Hand, &ids).await?;
        Ok(Self { by_name, by_hand })
    }

    /// The groups that a line names; none when it leaves them as they are.
    pub(super) fn named(&self, line: &Line) -> Result<Option<BTreeSet<GroupId>>, LineReport> {
        let Some(names) = &line.groups else { return Ok(None) };
        let (mut groups, mut errors) = (BTreeSet::new(), Vec::new());
        for name in names {
            match self.by_name.get(&name.to_lowercase()) {
                Some(group) => {
                    groups.insert(*group);
                }
                None => errors.push(wrong("groups", "unknown_group", &format!("There is no group {name}."))),
            }
        }
        if errors.is_empty() { Ok(Some(groups)) } else { Err(invalid(line.number, errors)) }
    }

    /// The same, when they are others than the account is in by hand.
    pub(super) fn others(
        &self,
        account: &Account,
        line: &Line,
    ) -> Result<Option<BTreeSet<GroupId>>, LineReport> {
        Ok(self.named(line)?.filter(|named| *named != self.of(account)))
    }

    /// Has an account in these groups by hand, and in no others; gives all that it is in then.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn put(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
        account: &Account,
        named: &BTreeSet<GroupId>,
    ) -> Result<BTreeSet<GroupId>, Problem> {
        let user = account.id;
        let (are, due) = (pairs(user, &self.of(account)), pairs(user, named));
        memberships::exchange(tx, organization, By::Hand, &are, &due).await?;
        let mut all = memberships::groups_of(tx, organization, &[user.0]).await?;
        Ok(all.remove(&user).unwrap_or_default())
    }

    fn of(&self, account: &Account) -> BTreeSet<GroupId> {
        self.by_hand.iter().filter(|(of, _)| *of == account.id).map(|(_, group)| *group).collect()
    }
}
