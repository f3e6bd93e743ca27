//! Memberships: by hand, by rule, or both; and what others hear when somebody's groups are others.

use std::collections::{BTreeSet, HashMap, HashSet};

use contracts::users::UserChanged;
use jiff::Timestamp;
use kernel::{GroupId, OrganizationId, UserId};
use platform::db::{OnConstraint as _, Tx};
use platform::events::{self, Origin};
use platform::http::Problem;
use uuid::Uuid;

use crate::account::Account;

/// Why somebody is in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Somebody put them there.
    Hand,
    /// The group's rule has them.
    Rule,
}

/// Somebody in a group.
pub type Pair = (UserId, GroupId);

fn columns(pairs: &[Pair]) -> (Vec<Uuid>, Vec<Uuid>) {
    pairs.iter().map(|(user, group)| (user.0, group.0)).unzip()
}

/// Puts people into groups for a reason; no harm when they are there. The accounts are locked.
///
/// # Errors
/// 404 when a group is not there, or when the database fails.
pub async fn put(tx: &mut Tx, organization: OrganizationId, by: By, pairs: &[Pair]) -> Result<(), Problem> {
    if pairs.is_empty() {
        return Ok(());
    }
    let (users, groups) = columns(pairs);
    sqlx::query!(
        "insert into users.membership as m (organization_id, user_id, group_id, by_hand, by_rule)
         select $1, user_id, group_id, $4::bool, not $4::bool from unnest($2::uuid[], $3::uuid[]) as t (user_id, group_id)
         on conflict on constraint membership_pkey do update
         set by_hand = m.by_hand or excluded.by_hand, by_rule = m.by_rule or excluded.by_rule",
        organization.0,
        &users,
        &groups,
        by == By::Hand,
    )
    .execute(&mut **tx)
    .await
    .on_constraint("membership_group", || Problem::not_found("group"))?;
    Ok(())
}

/// Takes a reason away, and with the last one the membership; gives how many had it. The accounts are locked.
///
/// # Errors
/// When the database fails.
pub async fn take(
    tx: &mut Tx,
    organization: OrganizationId,
    by: By,
    pairs: &[Pair],
) -> Result<u64, sqlx::Error> {
    if pairs.is_empty() {
        return Ok(0);
    }
    let (users, groups) = columns(pairs);
    let ended = sqlx::query!(
        "delete from users.membership m using unnest($2::uuid[], $3::uuid[]) as t (user_id, group_id)
         where m.organization_id = $1 and m.user_id = t.user_id and m.group_id = t.group_id
           and case when $4 then not m.by_rule else not m.by_hand end",
        organization.0,
        &users,
        &groups,
        by == By::Hand,
    )
    .execute(&mut **tx)
    .await?;
    let kept = sqlx::query!(
        "update users.membership m set by_hand = not $4::bool, by_rule = $4
         from unnest($2::uuid[], $3::uuid[]) as t (user_id, group_id)
         where m.organization_id = $1 and m.user_id = t.user_id and m.group_id = t.group_id and m.by_hand and m.by_rule",
        organization.0,
        &users,
        &groups,
        by == By::Hand,
    )
    .execute(&mut **tx)
    .await?;
    Ok(ended.rows_affected() + kept.rows_affected())
}

/// Whether all of some groups exist.
///
/// # Errors
/// When the database fails.
pub async fn are_groups(
    tx: &mut Tx,
    organization: OrganizationId,
    groups: &BTreeSet<GroupId>,
) -> Result<bool, sqlx::Error> {
    let ids: Vec<Uuid> = groups.iter().map(|group| group.0).collect();
    let known = sqlx::query_scalar!(
        r#"select count(*) as "count!" from users.user_group where organization_id = $1 and id = any($2)"#,
        organization.0,
        &ids,
    );
    Ok(usize::try_from(known.fetch_one(&mut **tx).await?).is_ok_and(|known| known == ids.len()))
}

/// One person in some groups.
#[must_use]
pub fn pairs(user: UserId, groups: &BTreeSet<GroupId>) -> HashSet<Pair> {
    groups.iter().map(|group| (user, *group)).collect()
}

/// Has those in groups for a reason that are to be, who `are` in some for it. The accounts are locked.
///
/// # Errors
/// As [`put`].
pub async fn exchange(
    tx: &mut Tx,
    organization: OrganizationId,
    by: By,
    are: &HashSet<Pair>,
    due: &HashSet<Pair>,
) -> Result<(), Problem> {
    let put_in: Vec<Pair> = due.difference(are).copied().collect();
    let take_out: Vec<Pair> = are.difference(due).copied().collect();
    put(tx, organization, by, &put_in).await?;
    take(tx, organization, by, &take_out).await?;
    Ok(())
}

/// Who of some people is in which group for a reason.
///
/// # Errors
/// When the database fails.
pub async fn reasons(
    tx: &mut Tx,
    organization: OrganizationId,
    by: By,
    users: &[Uuid],
) -> Result<HashSet<Pair>, sqlx::Error> {
    let rows = sqlx::query!(
        "select user_id, group_id from users.membership
         where organization_id = $1 and user_id = any($2) and case when $3 then by_hand else by_rule end",
        organization.0,
        users,
        by == By::Hand,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| (UserId(row.user_id), GroupId(row.group_id))).collect())
}

/// The groups of an organization by their names in lower case; none is removed before the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn group_keys(
    tx: &mut Tx,
    organization: OrganizationId,
) -> Result<HashMap<String, GroupId>, sqlx::Error> {
    let rows = sqlx::query!(
        "select name_key, id from users.user_group where organization_id = $1 order by id for key share",
        organization.0,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.name_key, GroupId(row.id))).collect())
}

/// The groups of people; who is in none is left out.
///
/// # Errors
/// When the database fails.
pub async fn groups_of(
    tx: &mut Tx,
    organization: OrganizationId,
    users: &[Uuid],
) -> Result<HashMap<UserId, BTreeSet<GroupId>>, sqlx::Error> {
    let rows = sqlx::query!(
        "select user_id, group_id from users.membership where organization_id = $1 and user_id = any($2)",
        organization.0,
        users,
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut groups: HashMap<UserId, BTreeSet<GroupId>> = HashMap::new();
    for row in rows {
        groups.entry(UserId(row.user_id)).or_default().insert(GroupId(row.group_id));
    }
    Ok(groups)
}

/// Gives those accounts whose groups are others than before their next version, and tells of each.
///
/// # Errors
/// When the database fails.
pub async fn tell(
    tx: &mut Tx,
    organization: OrganizationId,
    before: &[Account],
    origin: &Origin,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = before.iter().map(|account| account.id.0).collect();
    let mut groups = groups_of(tx, organization, &ids).await?;
    let others: Vec<(&Account, BTreeSet<GroupId>)> = before
        .iter()
        .map(|account| (account, groups.remove(&account.id).unwrap_or_default()))
        .filter(|(account, groups)| account.groups != *groups)
        .collect();
    let ids: Vec<Uuid> = others.iter().map(|(account, _)| account.id.0).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query!(
        "update users.account set version = version + 1 where organization_id = $1 and id = any($2)
         returning id, version",
        organization.0,
        &ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    let versions: HashMap<Uuid, i64> = rows.into_iter().map(|row| (row.id, row.version)).collect();
    for (before, groups) in others {
        let version = versions.get(&before.id.0).copied().unwrap_or(before.version);
        let after = Account { groups, version, ..before.clone() };
        let fields = vec!["groups".to_owned()];
        let event = UserChanged { user_id: after.id, before: before.into(), after: (&after).into(), fields };
        events::append(tx, organization, origin, &event, now).await?;
    }
    Ok(())
}
