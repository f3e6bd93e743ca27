//! Rules of groups applied: to accounts that are written, at once; to all of them when a rule changed, piece by piece.
//!
//! Nobody is missed between the two. Whoever writes an account reads the rules after its row is locked or inserted; whoever
//! changes a rule waits, before the commit, for all who are inserting (they hold the organization's row by the foreign key);
//! and the sweep, which starts after that commit, waits for all who hold a row.

use std::collections::HashSet;

use contracts::users::{GroupChanged, GroupRule};
use jiff::Timestamp;
use kernel::{GroupId, OrganizationId};
use platform::db::Tx;
use platform::events::{self, Origin};
use platform::http::Problem;
use serde_json::Value;
use uuid::Uuid;

use crate::account::Account;
use crate::error::Error;
use crate::group_rule;
use crate::store::account_batches;
use crate::store::memberships::{self, By, Pair};

/// Groups of one organization with a rule at most: each is looked at for every account that is written.
const MOST: usize = 100;
/// Accounts looked at in one transaction of a sweep at most.
pub const PIECE: i64 = 500;

fn read(rule: Value) -> Result<GroupRule, Problem> {
    serde_json::from_value(rule).map_err(|error| Problem::internal(&error))
}

async fn load(tx: &mut Tx, organization: OrganizationId) -> Result<Vec<(GroupId, GroupRule)>, Problem> {
    let rows = sqlx::query!(
        r#"select id, rule as "rule!" from users.user_group where organization_id = $1 and rule is not null"#,
        organization.0,
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter().map(|row| Ok((GroupId(row.id), read(row.rule)?))).collect()
}

/// Puts accounts that were just written into the groups whose rule they meet, and takes them out of the others; sets their
/// groups. What is to be told is the caller's to tell.
///
/// # Errors
/// When the database fails.
pub async fn settle(
    tx: &mut Tx,
    organization: OrganizationId,
    accounts: &mut [Account],
) -> Result<(), Problem> {
    let rules = load(tx, organization).await?;
    if rules.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = accounts.iter().map(|account| account.id.0).collect();
    let ruled: HashSet<GroupId> = rules.iter().map(|(group, _)| *group).collect();
    let mut are = memberships::reasons(tx, organization, By::Rule, &ids).await?;
    are.retain(|(_, group)| ruled.contains(group));
    let due: HashSet<Pair> = accounts
        .iter()
        .flat_map(|account| rules.iter().map(move |rule| (account, rule)))
        .filter(|(account, (_, rule))| group_rule::has(rule, account))
        .map(|(account, (group, _))| (account.id, *group))
        .collect();
    if are == due {
        return Ok(());
    }
    memberships::exchange(tx, organization, By::Rule, &are, &due).await?;
    let mut groups = memberships::groups_of(tx, organization, &ids).await?;
    for account in accounts {
        account.groups = groups.remove(&account.id).unwrap_or_default();
    }
    Ok(())
}

/// The same for one account, which is given with its groups.
///
/// # Errors
/// When the database fails.
pub async fn settle_one(
    tx: &mut Tx,
    organization: OrganizationId,
    account: &Account,
) -> Result<Account, Problem> {
    let mut accounts = [account.clone()];
    settle(tx, organization, &mut accounts).await?;
    let [account] = accounts;
    Ok(account)
}

/// Names the groups among what changed, if they did.
pub fn name_groups(before: &Account, after: &Account, fields: &mut Vec<String>) {
    if before.groups != after.groups {
        fields.push("groups".to_owned());
    }
}

/// Gives a group another rule, or none, and has all accounts looked at; tells of it. Gives the group's name and how many
/// are in it so far.
///
/// # Errors
/// 404, 409 `too_many_group_rules`, or when the database fails.
pub async fn set(
    tx: &mut Tx,
    (organization, group): (OrganizationId, GroupId),
    rule: Option<GroupRule>,
    origin: &Origin,
    now: Timestamp,
) -> Result<(String, i64), Problem> {
    let kept = sqlx::query!(
        "select name, rule from users.user_group where organization_id = $1 and id = $2 for no key update",
        organization.0,
        group.0,
    )
    .fetch_optional(&mut **tx)
    .await?
    .ok_or_else(|| Problem::not_found("group"))?;
    // Waits for accounts that are being made, and for other changes of rules.
    sqlx::query!("select from users.organization where organization_id = $1 for update", organization.0)
        .fetch_one(&mut **tx)
        .await?;
    let before = kept.rule.map(read).transpose()?;
    let members = sqlx::query_scalar!(
        r#"select count(*) as "count!" from users.membership where organization_id = $1 and group_id = $2"#,
        organization.0,
        group.0,
    )
    .fetch_one(&mut **tx)
    .await?;
    if before == rule {
        return Ok((kept.name, members));
    }
    if rule.is_some() && before.is_none() && load(tx, organization).await?.len() >= MOST {
        return Err(Error::TooManyGroupRules.into());
    }
    sqlx::query!(
        "update users.user_group set rule = $3, rule_due = true, rule_reached = null
         where organization_id = $1 and id = $2",
        organization.0,
        group.0,
        rule.as_ref().map(|rule| serde_json::json!(rule)),
    )
    .execute(&mut **tx)
    .await?;
    let event = GroupChanged { group_id: group, name: Some(kept.name.clone()), rule };
    events::append(tx, organization, origin, &event, now).await?;
    Ok((kept.name, members))
}

/// Looks at the next piece of accounts for a group whose rule changed; gives whether there is more. Another replica that is
/// at it is left to it.
///
/// # Errors
/// When the database fails; then the piece is as before, and comes again.
pub async fn sweep(
    tx: &mut Tx,
    (organization, group): (OrganizationId, GroupId),
    now: Timestamp,
) -> Result<bool, Problem> {
    let state = sqlx::query!(
        "select rule, rule_reached from users.user_group
         where organization_id = $1 and id = $2 and rule_due for no key update skip locked",
        organization.0,
        group.0,
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(state) = state else { return Ok(false) };
    let rule = state.rule.map(read).transpose()?;
    let accounts = account_batches::lock_after(tx, organization, state.rule_reached, PIECE).await?;
    let ids: Vec<Uuid> = accounts.iter().map(|account| account.id.0).collect();
    let mut are = memberships::reasons(tx, organization, By::Rule, &ids).await?;
    are.retain(|(_, other)| *other == group);
    let due: HashSet<Pair> = accounts
        .iter()
        .filter(|account| rule.as_ref().is_some_and(|rule| group_rule::has(rule, account)))
        .map(|account| (account.id, group))
        .collect();
    memberships::exchange(tx, organization, By::Rule, &are, &due).await?;
    memberships::tell(tx, organization, &accounts, &Origin::system(), now).await?;
    let more = i64::try_from(accounts.len()).is_ok_and(|count| count == PIECE);
    sqlx::query!(
        "update users.user_group set rule_due = $3, rule_reached = $4 where organization_id = $1 and id = $2",
        organization.0,
        group.0,
        more,
        ids.last().copied().filter(|_| more),
    )
    .execute(&mut **tx)
    .await?;
    Ok(more)
}
