//! Attempts to prove who one is: counted before they are made, so that many at once are counted as well, and slowed down.
//!
//! Kept in PostgreSQL and not in the cache: the count must hold for all replicas, and outlive a Redis that is emptied.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use kernel::UserId;
use platform::db::{Db, Tx};
use platform::http::Problem;
use sha2::{Digest as _, Sha256};

use crate::error::Error;

/// What may fail how often.
#[derive(Debug, Clone, Copy)]
struct Rule {
    /// Failures in a row that cost nothing.
    free: i32,
    /// Failures from which on each blocks for [`LONGEST`].
    lock: i32,
    /// Failures older than this count no more.
    forgotten: SignedDuration,
}

/// For an account: 5 in a row cost nothing, then 1, 2, 4 and 8 s, from the tenth on a quarter of an hour each, which
/// leaves about a hundred guesses a day.
const ACCOUNT: Rule = Rule { free: 5, lock: 10, forgotten: SignedDuration::from_hours(24) };
/// For an address: many people may share one.
const ADDRESS: Rule = Rule { free: 100, lock: 110, forgotten: SignedDuration::from_hours(1) };
/// The longest that a failure blocks.
pub const LONGEST: SignedDuration = SignedDuration::from_mins(15);

/// What is tried.
#[derive(Debug, Clone)]
pub struct Attempt {
    account: [u8; 32],
    address: Option<[u8; 32]>,
}

/// How it stands with an attempt that may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Failures of the account in a row, this one, should it be one, among them.
    pub failures: i32,
    /// When it was begun.
    pub at: Timestamp,
}

impl Count {
    /// Whether a failure now locks the account, and its owner should hear of it.
    #[must_use]
    pub const fn locks(self) -> bool {
        self.failures > 0 && self.failures % ACCOUNT.lock == 0
    }
}

impl Attempt {
    /// At an account by its name, from an address if that is known.
    #[must_use]
    pub fn by_name(organization: &str, email: &str, client: Option<&str>) -> Self {
        Self { account: key(&["account", organization, email]), address: client.and_then(address) }
    }

    /// At an account that is known already: by who has a token of it, or the first of two factors.
    #[must_use]
    pub fn by_id(user: UserId, client: Option<&str>) -> Self {
        Self { account: key(&["user", &user.to_string()]), address: client.and_then(address) }
    }

    /// At the second factor of an account. Apart from the password, which does not start this count anew: who has stolen
    /// the one is not to guess the other at leisure.
    #[must_use]
    pub fn by_code(user: UserId, client: Option<&str>) -> Self {
        Self { account: key(&["code", &user.to_string()]), address: client.and_then(address) }
    }

    /// Counts it as a failure, until [`Attempt::succeeded`] or [`Attempt::take_back`].
    ///
    /// # Errors
    /// 429 `too_many_attempts` while the account or the address is blocked.
    pub async fn begin(&self, db: &Db, now: Timestamp) -> Result<Count, Problem> {
        let mut tx = db.begin_without_organization().await?;
        let failures = count(&mut tx, &self.account, ACCOUNT, now).await?;
        if let Some(address) = &self.address {
            count(&mut tx, address, ADDRESS, now).await?;
        }
        tx.commit().await?;
        Ok(Count { failures, at: now })
    }

    /// It was none: the account starts anew, the address has one less.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn succeeded(&self, db: &Db) -> Result<(), Problem> {
        let mut tx = db.begin_without_organization().await?;
        self.forget(&mut tx).await?;
        if let Some(address) = &self.address {
            let less = sqlx::query!(
                "update users.throttle set failures = greatest(failures - 1, 0), blocked_until = null where key = $1",
                address,
            );
            less.execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Nothing was looked at, or nothing that says whether it was right: it never was. What it blocked is free again, unless
    /// another one blocks by now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_back(&self, db: &Db, count: Count) -> Result<(), Problem> {
        let keys: Vec<Vec<u8>> =
            [Some(self.account), self.address].iter().flatten().map(|key| key.to_vec()).collect();
        let mut tx = db.begin_without_organization().await?;
        sqlx::query!(
            "update users.throttle
             set failures = greatest(failures - 1, 0),
                 blocked_until = case when last_at = $2 then null else blocked_until end
             where key = any($1)",
            &keys,
            count.at.to_sqlx(),
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// What a step gave; where it failed, the attempt is taken back.
    ///
    /// # Errors
    /// The step's own, or when the database fails.
    pub async fn unless_failed<T>(
        &self,
        db: &Db,
        count: Count,
        step: Result<T, Problem>,
    ) -> Result<T, Problem> {
        if step.is_err() {
            self.take_back(db, count).await?;
        }
        step
    }

    /// The account starts anew.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget(&self, tx: &mut Tx) -> Result<(), sqlx::Error> {
        sqlx::query!("delete from users.throttle where key = $1", &self.account).execute(&mut **tx).await?;
        Ok(())
    }
}

/// Counts one more; the failures in a row.
async fn count(tx: &mut Tx, key: &[u8; 32], rule: Rule, now: Timestamp) -> Result<i32, Problem> {
    let (now_sql, longest) = (now.to_sqlx(), LONGEST.as_secs() as f64);
    let failures = sqlx::query_scalar!(
        r#"insert into users.throttle as t (key, failures, last_at) values ($1, 1, $2)
           on conflict (key) do update set
             failures = case when t.last_at < $3 then 1 else t.failures + 1 end,
             blocked_until = case
               when t.last_at < $3 or t.failures + 1 <= $4 then null
               when t.failures + 1 >= $5 then excluded.last_at + make_interval(secs => $6)
               else excluded.last_at + make_interval(secs => least($6, power(2, t.failures - $4)))
             end,
             last_at = excluded.last_at
           where t.blocked_until is null or t.blocked_until <= excluded.last_at
           returning failures"#,
        key,
        now_sql as _,
        (now - rule.forgotten).to_sqlx(),
        rule.free,
        rule.lock,
        longest,
    )
    .fetch_optional(&mut **tx)
    .await?;
    if let Some(failures) = failures {
        return Ok(failures);
    }
    let until = sqlx::query_scalar!("select blocked_until from users.throttle where key = $1", key);
    let until = until.fetch_optional(&mut **tx).await?.flatten().map_or(now, |until| until.to_jiff());
    let seconds = u32::try_from(until.duration_since(now).as_secs()).unwrap_or(0).saturating_add(1);
    let mut problem = Problem::from(Error::TooManyAttempts);
    problem.retry_after = Some(seconds);
    Err(problem)
}

/// Forgets what counts no more.
///
/// # Errors
/// When the database fails.
pub async fn prune(db: &Db, now: Timestamp) -> Result<(), Problem> {
    let mut tx = db.begin_without_organization().await?;
    sqlx::query!("delete from users.throttle where last_at < $1", (now - ACCOUNT.forgotten).to_sqlx())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

/// The key of an address: of IPv6 the network, which one customer has whole (RFC 6177).
fn address(client: &str) -> Option<[u8; 32]> {
    let network = match client.parse::<IpAddr>().ok()?.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
    };
    Some(key(&["address", &network]))
}

fn key(parts: &[&str]) -> [u8; 32] {
    let hash = parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part).chain_update([0]));
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        assert_eq!(address("2001:db8:1:2::1"), address("2001:db8:1:2:ffff::"));
        assert_ne!(address("2001:db8:1:2::1"), address("2001:db8:1:3::1"));
        assert_eq!(address("192.0.2.1"), address("::ffff:192.0.2.1"));
        assert_ne!(address("192.0.2.1"), address("192.0.2.2"));
        assert_eq!(address("unknown"), None);
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(key(&["a", "bc"]), key(&["ab", "c"]));
    }

    #[test]
    fn every_tenth_failure_locks() {
        let locking: Vec<_> =
            (0..=20).filter(|&failures| Count { failures, at: Timestamp::UNIX_EPOCH }.locks()).collect();
        assert_eq!(locking, [10, 20]);
    }
}
