//! Credit, taken and given back in the transaction that changes the booking: two requests at once cannot both spend the
//! last of it.

use std::collections::{BTreeMap, BTreeSet};

use contracts::bookings::CreditGranted;
use jiff_sqlx::ToSqlx as _;
use kernel::{Money, OrganizationId, UserId};
use platform::db::Tx;
use platform::events;
use platform::http::Problem;
use serde_json::json;
use uuid::Uuid;

use super::write::{Act, Change};
use crate::credit::{Entry, entries};
use crate::error::Error;
use crate::policy::Broken;

/// Takes what changes cost, and gives back what they no longer do.
///
/// # Errors
/// 422 `policy_violated` with the rule `credit` when somebody has not enough; otherwise when the database fails.
pub(super) async fn settle(tx: &mut Tx, act: &Act, changes: &[Change]) -> Result<(), Problem> {
    let entries = of(changes);
    if let Some(broken) = overdrawn(tx, act, &entries).await? {
        let none = || json!([]);
        return Err(
            Error::PolicyViolated { broken: vec![broken], conflicts: none(), alternatives: none() }.into()
        );
    }
    let actor = act.origin.actor.map(|user| user.0);
    for Entry { user_id, booking_id, money } in entries {
        sqlx::query!(
            "insert into bookings.credit_entry (organization_id, user_id, kind, amount, currency, booking_id,
                                                created_by, created_at)
             values ($1, $2, case when $3::bigint < 0 then 'charge' else 'refund' end, $3, $4, $5, $6, $7)",
            act.organization.0,
            user_id.0,
            money.amount,
            money.currency.to_string(),
            booking_id.0,
            actor,
            act.now.to_sqlx(),
        )
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

fn of(changes: &[Change]) -> Vec<Entry> {
    changes.iter().flat_map(|change| entries(change.before.as_ref(), &change.after)).collect()
}

/// The rule that changes would break because somebody has not enough credit.
///
/// # Errors
/// When the database fails.
pub async fn short(tx: &mut Tx, act: &Act, changes: &[Change]) -> Result<Option<Broken>, Problem> {
    overdrawn(tx, act, &of(changes)).await
}

async fn overdrawn(tx: &mut Tx, act: &Act, entries: &[Entry]) -> Result<Option<Broken>, Problem> {
    let mut sums: BTreeMap<(UserId, String), i64> = BTreeMap::new();
    for entry in entries {
        let sum = sums.entry((entry.user_id, entry.money.currency.to_string())).or_default();
        *sum = sum.saturating_add(entry.money.amount);
    }
    sums.retain(|_, sum| *sum < 0);
    let users: BTreeSet<UserId> = sums.keys().map(|(user, _)| *user).collect();
    for user in users {
        lock(tx, user).await?;
    }
    for ((user, currency), sum) in sums {
        let has = balance(tx, act, user, &currency).await?;
        if has.saturating_add(sum) < 0 {
            let detail =
                format!("It costs {} {currency} (minor units) of credit, and there are {has}.", -sum);
            return Ok(Some(Broken { rule: "credit", detail, resource_id: None }));
        }
    }
    Ok(None)
}

/// Whoever else spends of the same credit waits; those who only give back need not.
pub(super) async fn lock(tx: &mut Tx, user: UserId) -> Result<(), Problem> {
    // Ids are random: two that share the 64 bits wait for each other, and that is all.
    let key = i64::from_ne_bytes(user.0.as_u64_pair().1.to_ne_bytes());
    sqlx::query!("select pg_advisory_xact_lock($1)", key).execute(&mut **tx).await?;
    Ok(())
}

/// What somebody can spend. A hold that has run out has nothing of it any more, though nobody may have ended it yet: it
/// takes nobody's time either.
async fn balance(tx: &mut Tx, act: &Act, user: UserId, currency: &str) -> Result<i64, Problem> {
    let sum = sqlx::query_scalar!(
        r#"select (coalesce((select sum(amount) from bookings.credit_entry
                             where organization_id = $1 and user_id = $2 and currency = $3), 0)
                   + coalesce((select sum(price) from bookings.booking
                               where organization_id = $1 and user_id = $2 and currency = $3 and status = 'held'
                                 and expires_at <= $4 and terms->>'pay_with' = 'credit'), 0))::bigint as "sum!""#,
        act.organization.0,
        user.0,
        currency,
        act.now.to_sqlx(),
    );
    Ok(sum.fetch_one(&mut **tx).await?)
}

/// Gives somebody credit, and tells of it; gives the entry's number.
///
/// # Errors
/// When the database fails.
pub async fn grant(
    tx: &mut Tx,
    act: &Act,
    user_id: UserId,
    money: &Money,
    reason: Option<&str>,
) -> Result<i64, Problem> {
    let id = sqlx::query_scalar!(
        "insert into bookings.credit_entry (organization_id, user_id, kind, amount, currency, reason, created_by, created_at)
         values ($1, $2, 'grant', $3, $4, $5, $6, $7) returning id",
        act.organization.0,
        user_id.0,
        money.amount,
        money.currency.to_string(),
        reason,
        act.origin.actor.map(|user| user.0),
        act.now.to_sqlx(),
    );
    let entry_id = id.fetch_one(&mut **tx).await?;
    let event = CreditGranted { user_id, entry_id, money: money.clone() };
    events::append(tx, act.organization, &act.origin, &event, act.now).await?;
    Ok(entry_id)
}

/// What somebody has, in each currency that they ever had.
///
/// # Errors
/// When the database fails.
pub async fn balances(tx: &mut Tx, organization: OrganizationId, user: Uuid) -> Result<Vec<Money>, Problem> {
    let rows = sqlx::query!(
        r#"select currency, sum(amount)::bigint as "amount!" from bookings.credit_entry
           where organization_id = $1 and user_id = $2 group by currency order by currency"#,
        organization.0,
        user,
    );
    let money = |amount, currency: String| {
        let currency =
            currency.try_into().map_err(|error: kernel::money::MoneyError| Problem::internal(&error))?;
        Ok(Money { amount, currency })
    };
    rows.fetch_all(&mut **tx).await?.into_iter().map(|row| money(row.amount, row.currency)).collect()
}
