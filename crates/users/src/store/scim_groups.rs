//! Groups as provisioning looks for them and changes them. Members here are those by hand, and people, not programs.

use std::collections::BTreeSet;

use contracts::users::GroupChanged;
use jiff::Timestamp;
use kernel::{GroupId, OrganizationId, UserId};
use platform::db::{OnConstraint as _, Tx};
use platform::events::{self, Origin};
use platform::http::Problem;
use uuid::Uuid;

use crate::account::Account;
use crate::error::Error;
use crate::scim::group::{Team, Wish};
use crate::store::account_batches;
use crate::store::memberships::{self, By, Pair};

/// Accounts whose groups are changed at once.
const PIECE: usize = 1000;

/// A page of the groups that meet a wish, by id, and how many do in all.
///
/// # Errors
/// When the database fails.
pub async fn list(
    tx: &mut Tx,
    organization: OrganizationId,
    wish: &Wish,
    skip: i64,
    most: i64,
) -> Result<(i64, Vec<Team>), sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id, name, external_id, rule is not null as "has_rule!", created_at, updated_at
           from users.user_group g
           where organization_id = $1 and ($2::text is null or name_key = $2) and ($3::text is null or external_id = $3)
             and ($4::uuid is null or id = $4)
             and ($5::uuid is null or exists (select from users.membership m where m.organization_id = g.organization_id
                                              and m.group_id = g.id and m.user_id = $5 and m.by_hand))
           order by id"#,
        organization.0,
        wish.name,
        wish.external_id,
        wish.id,
        wish.member,
    )
    .fetch_all(&mut **tx)
    .await?;
    // An organization has a thousand at most: the page is cut here, and so the total is known.
    let total = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let (skip, most) = (usize::try_from(skip).unwrap_or(usize::MAX), usize::try_from(most).unwrap_or(0));
    let teams = rows.into_iter().skip(skip).take(most).map(|row| Team {
        id: GroupId(row.id),
        name: row.name,
        external_id: row.external_id,
        has_rule: row.has_rule,
        created_at: row.created_at.to_jiff(),
        updated_at: row.updated_at.to_jiff(),
    });
    Ok((total, teams.collect()))
}

/// A group, locked against other changes of it when it is to be written.
///
/// # Errors
/// When the database fails.
pub async fn load(
    tx: &mut Tx,
    organization: OrganizationId,
    id: Uuid,
    to_write: bool,
) -> Result<Option<Team>, sqlx::Error> {
    if to_write {
        sqlx::query!(
            "select from users.user_group where organization_id = $1 and id = $2 for no key update",
            organization.0,
            id,
        )
        .fetch_optional(&mut **tx)
        .await?;
    }
    let wish = Wish { id: Some(id), ..Wish::default() };
    Ok(list(tx, organization, &wish, 0, 1).await?.1.pop())
}

/// The people who are in a group by hand, with their names: at most so many and one.
///
/// # Errors
/// When the database fails.
pub async fn members(
    tx: &mut Tx,
    organization: OrganizationId,
    group: GroupId,
    most: usize,
) -> Result<Vec<(UserId, String)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select a.id, a.name as "name!" from users.membership m
           join users.account a on a.organization_id = m.organization_id and a.id = m.user_id
           where m.organization_id = $1 and m.group_id = $2 and m.by_hand and a.removed_at is null and not a.service
             and not (a.deprovisioned and not a.active)
           order by a.id limit $3"#,
        organization.0,
        group.0,
        i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1),
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| (UserId(row.id), row.name)).collect())
}

/// Makes a group with nobody in it, and tells of it.
///
/// # Errors
/// 409 `name_taken` or `too_many_groups` (more than `most` of them), or when the database fails.
pub async fn create(
    tx: &mut Tx,
    organization: OrganizationId,
    (name, external_id): (&str, Option<&str>),
    most: i64,
    origin: &Origin,
    now: Timestamp,
) -> Result<GroupId, Problem> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from users.user_group where organization_id = $1"#,
        organization.0,
    );
    if count.fetch_one(&mut **tx).await? >= most {
        return Err(Error::TooManyGroups.into());
    }
    let id = GroupId::mint();
    sqlx::query!(
        "insert into users.user_group (organization_id, id, name, name_key, external_id) values ($1, $2, $3, $4, $5)",
        organization.0,
        id.0,
        name,
        name.to_lowercase(),
        external_id,
    )
    .execute(&mut **tx)
    .await
    .on_constraint("user_group_name", || Error::GroupNameTaken)?;
    let event = GroupChanged { group_id: id, name: Some(name.to_owned()), rule: None };
    events::append(tx, organization, origin, &event, now).await?;
    Ok(id)
}

/// Gives a group another name or external id, and tells of another name.
///
/// # Errors
/// 409 `name_taken`, or when the database fails.
pub async fn rename(
    tx: &mut Tx,
    organization: OrganizationId,
    before: &Team,
    (name, external_id): (&str, Option<&str>),
    origin: &Origin,
    now: Timestamp,
) -> Result<(), Problem> {
    if before.name == name && before.external_id.as_deref() == external_id {
        return Ok(());
    }
    let rule = sqlx::query_scalar!(
        "update users.user_group set name = $3, name_key = $4, external_id = $5
         where organization_id = $1 and id = $2 returning rule",
        organization.0,
        before.id.0,
        name,
        name.to_lowercase(),
        external_id,
    )
    .fetch_one(&mut **tx)
    .await
    .on_constraint("user_group_name", || Error::GroupNameTaken)?;
    if before.name != name {
        let rule = rule.map(serde_json::from_value).transpose();
        let rule = rule.map_err(|error| Problem::internal(&error))?;
        let event = GroupChanged { group_id: before.id, name: Some(name.to_owned()), rule };
        events::append(tx, organization, origin, &event, now).await?;
    }
    Ok(())
}

/// Removes a group that nobody is in any more, and tells of it.
///
/// # Errors
/// 409 `group_not_empty`, or when the database fails.
pub async fn remove(
    tx: &mut Tx,
    organization: OrganizationId,
    group: GroupId,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), Problem> {
    sqlx::query!(
        "delete from users.user_group where organization_id = $1 and id = $2",
        organization.0,
        group.0,
    )
    .execute(&mut **tx)
    .await
    .on_constraint("membership_group", || Error::GroupNotEmpty)?;
    let event = GroupChanged { group_id: group, name: None, rule: None };
    events::append(tx, organization, origin, &event, now).await?;
    Ok(())
}

/// Puts people into a group by hand and takes others out, and tells of each whose groups are others by it. Gives the first
/// of those to come in who is not there; then nothing is to be kept.
///
/// # Errors
/// When the database fails.
pub async fn change_members(
    tx: &mut Tx,
    (organization, group): (OrganizationId, GroupId),
    (put, take): (&BTreeSet<UserId>, &BTreeSet<UserId>),
    origin: &Origin,
    now: Timestamp,
) -> Result<Option<UserId>, Problem> {
    let all: Vec<UserId> = put.union(take).copied().collect();
    for piece in all.chunks(PIECE) {
        let ids: Vec<Uuid> = piece.iter().map(|user| user.0).collect();
        let accounts: Vec<Account> = account_batches::lock_by_id(tx, organization, &ids).await?;
        let there: BTreeSet<UserId> = accounts.iter().map(|account| account.id).collect();
        if let Some(missing) = piece.iter().find(|user| put.contains(user) && !there.contains(user)) {
            return Ok(Some(*missing));
        }
        let pairs = |users: &BTreeSet<UserId>| -> Vec<Pair> {
            there.intersection(users).map(|user| (*user, group)).collect()
        };
        memberships::put(tx, organization, By::Hand, &pairs(put)).await?;
        memberships::take(tx, organization, By::Hand, &pairs(take)).await?;
        memberships::tell(tx, organization, &accounts, origin, now).await?;
    }
    Ok(None)
}
