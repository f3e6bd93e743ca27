//! Telephone numbers as they are kept.

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use kernel::{OrganizationId, UserId};
use platform::db::Tx;
use platform::http::Problem;
use serde::Serialize;
use subtle::ConstantTimeEq as _;
use utoipa::ToSchema;

use crate::error::Error;
use crate::phone::{Number, digest};

/// How long a code counts.
const LIFE: SignedDuration = SignedDuration::from_mins(10);
/// Wrong codes after which another has to be sent.
const MOST_WRONG: i32 = 5;
/// Codes sent to one person, or to one number, in an hour at most.
const MOST_CODES: i32 = 3;
/// Codes sent in one organization in an hour at most: each costs its operator money.
const MOST_CODES_OF_ALL: i64 = 100;

/// Where short messages to the caller go.
#[derive(Debug, Serialize, ToSchema)]
pub struct Phone {
    /// The number (E.164).
    #[schema(value_type = String, example = "+351912345678")]
    pub number: Number,
    /// Whether the code that was sent to it has come back. Until then nothing else is sent to it.
    pub is_verified: bool,
}

type Whose = (OrganizationId, UserId);

/// A person's number.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, (organization, user): Whose) -> Result<Option<Phone>, Problem> {
    let row = sqlx::query!(
        r#"select number as "number!", verified_at from notifications.phone
           where organization_id = $1 and user_id = $2 and number is not null"#,
        organization.0,
        user.0,
    );
    let Some(row) = row.fetch_optional(&mut **tx).await? else { return Ok(None) };
    let number = row.number.parse().map_err(|error| Problem::internal(&error))?;
    Ok(Some(Phone { number, is_verified: row.verified_at.is_some() }))
}

/// Keeps a number that has yet to be proved, and the digest of the code that is sent to it.
///
/// # Errors
/// 409 after too many codes.
pub async fn keep(
    tx: &mut Tx,
    (organization, user): Whose,
    number: &Number,
    code: &str,
    now: Timestamp,
) -> Result<(), Problem> {
    let an_hour_ago = (now - SignedDuration::from_hours(1)).to_sqlx();
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", format!("{organization}.codes"))
        .execute(&mut **tx)
        .await?;
    let sent = sqlx::query!(
        r#"select coalesce(sum(codes), 0) as "of_all!", coalesce(sum(codes) filter (where user_id = $2), 0) as "own!",
                  coalesce(sum(codes) filter (where number = $4), 0) as "of_it!"
           from notifications.phone where organization_id = $1 and codes_since > $3"#,
        organization.0,
        user.0,
        an_hour_ago as _,
        number.as_str(),
    );
    let sent = sent.fetch_one(&mut **tx).await?;
    if sent.own.max(sent.of_it) >= MOST_CODES.into() || sent.of_all >= MOST_CODES_OF_ALL {
        return Err(Error::TooManyCodes.into());
    }
    let digest = digest(organization, user, code);
    sqlx::query!(
        "insert into notifications.phone (organization_id, user_id, number, code_digest, code_expires_at, codes, codes_since)
         values ($1, $2, $3, $4, $5, 1, $6)
         on conflict (organization_id, user_id) do update
         set number = excluded.number, verified_at = null, code_digest = excluded.code_digest,
             code_expires_at = excluded.code_expires_at, wrong_codes = 0,
             codes = case when phone.codes_since > $7 then phone.codes + 1 else 1 end,
             codes_since = case when phone.codes_since > $7 then phone.codes_since else excluded.codes_since end",
        organization.0,
        user.0,
        number.as_str(),
        digest.as_slice(),
        (now + LIFE).to_sqlx() as _,
        now.to_sqlx() as _,
        an_hour_ago as _,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whether a code is the one that was sent; then the number is proved. A wrong one is counted: commit in any case.
///
/// # Errors
/// When the database fails.
pub async fn verify(
    tx: &mut Tx,
    (organization, user): Whose,
    code: &str,
    now: Timestamp,
) -> Result<bool, Problem> {
    let kept = sqlx::query!(
        r#"select code_digest as "digest!" from notifications.phone
           where organization_id = $1 and user_id = $2 and code_expires_at > $3 and wrong_codes < $4 for update"#,
        organization.0,
        user.0,
        now.to_sqlx() as _,
        MOST_WRONG,
    );
    let Some(kept) = kept.fetch_optional(&mut **tx).await? else { return Ok(false) };
    let given = digest(organization, user, code);
    let is_right = bool::from(kept.digest.ct_eq(&given));
    sqlx::query!(
        "update notifications.phone
         set verified_at = case when $3 then $4::timestamptz end, wrong_codes = wrong_codes + case when $3 then 0 else 1 end,
             code_digest = case when $3 then null else code_digest end,
             code_expires_at = case when $3 then null else code_expires_at end
         where organization_id = $1 and user_id = $2",
        organization.0,
        user.0,
        is_right,
        now.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await?;
    Ok(is_right)
}

/// Lets a person have no number; false when they had none. What was sent to them in the last hour still counts.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, (organization, user): Whose) -> Result<bool, Problem> {
    let removed = sqlx::query!(
        "update notifications.phone
         set number = null, verified_at = null, code_digest = null, code_expires_at = null
         where organization_id = $1 and user_id = $2 and number is not null",
        organization.0,
        user.0,
    );
    Ok(removed.execute(&mut **tx).await?.rows_affected() > 0)
}
