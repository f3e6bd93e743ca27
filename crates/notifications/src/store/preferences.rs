//! Preferences as they are kept.

use jiff::civil::Time;
use kernel::{OrganizationId, UserId};
use platform::db::Tx;
use platform::http::Problem;
use rand::RngCore as _;

use crate::message::Kind;
use crate::preferences::token::{Key, Token};
use crate::preferences::{Channel, Choice, Preference, QuietHours, Rule, settle};
use crate::store::erasure::is_forgotten;

/// An organization's rules.
///
/// # Errors
/// When the database fails.
pub async fn rules(tx: &mut Tx, organization: OrganizationId) -> Result<Vec<Rule>, Problem> {
    let rules = sqlx::query_as!(
        Rule,
        r#"select kind as "kind: Kind", channel as "channel: Channel", is_wanted, is_fixed
           from notifications.preference_rule where organization_id = $1"#,
        organization.0,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rules)
}

/// What holds for a person.
///
/// # Errors
/// When the database fails.
pub async fn of(tx: &mut Tx, organization: OrganizationId, user: UserId) -> Result<Vec<Preference>, Problem> {
    let choices = sqlx::query_as!(
        Choice,
        r#"select kind as "kind: Kind", channel as "channel: Channel", is_wanted from notifications.preference
           where organization_id = $1 and user_id = $2"#,
        organization.0,
        user.0,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(settle(&rules(tx, organization).await?, &choices))
}

/// By which ways a person wants to be told of a kind; what cannot be chosen is mailed and pushed.
///
/// # Errors
/// When the database fails.
pub async fn wanted(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    kind: Kind,
) -> Result<Vec<Channel>, Problem> {
    let preferences = of(tx, organization, user).await?;
    let is_wanted = |channel: &Channel| {
        let chosen = preferences.iter().find(|one| (one.kind, one.channel) == (kind, *channel));
        chosen.map_or(*channel != Channel::Sms, |preference| preference.is_wanted)
    };
    Ok(Channel::ALL.into_iter().filter(is_wanted).collect())
}

/// Keeps a person's choice.
///
/// # Errors
/// When the database fails.
pub async fn choose(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    choice: Choice,
) -> Result<(), Problem> {
    sqlx::query!(
        "insert into notifications.preference (organization_id, user_id, kind, channel, is_wanted)
         values ($1, $2, $3, $4, $5)
         on conflict (organization_id, user_id, kind, channel) do update set is_wanted = excluded.is_wanted",
        organization.0,
        user.0,
        choice.kind as Kind,
        choice.channel as Channel,
        choice.is_wanted,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A person's quiet hours.
///
/// # Errors
/// When the database fails.
pub async fn quiet_hours(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
) -> Result<Option<QuietHours>, Problem> {
    let row = sqlx::query!(
        "select from_minute, until_minute from notifications.quiet_hours where organization_id = $1 and user_id = $2",
        organization.0,
        user.0,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.and_then(|row| Some(QuietHours { from: time(row.from_minute)?, until: time(row.until_minute)? })))
}

/// Keeps a person's quiet hours, or forgets them.
///
/// # Errors
/// When the database fails.
pub async fn keep_quiet(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    quiet: Option<QuietHours>,
) -> Result<(), Problem> {
    sqlx::query!(
        "delete from notifications.quiet_hours where organization_id = $1 and user_id = $2",
        organization.0,
        user.0,
    )
    .execute(&mut **tx)
    .await?;
    if let Some(quiet) = quiet {
        sqlx::query!(
            "insert into notifications.quiet_hours (organization_id, user_id, from_minute, until_minute)
             values ($1, $2, $3, $4)
             on conflict (organization_id, user_id) do update
             set from_minute = excluded.from_minute, until_minute = excluded.until_minute",
            organization.0,
            user.0,
            minute(quiet.from),
            minute(quiet.until),
        )
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// The token of the link in a person's mails of a kind. Its key is made with the first of them.
///
/// # Errors
/// When the database fails.
pub async fn token(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    kind: Kind,
) -> Result<Token, Problem> {
    let mut key = Key::default();
    rand::rng().fill_bytes(&mut key);
    let kept = sqlx::query_scalar!(
        r#"with made as (
             insert into notifications.unsubscribe_key (organization_id, user_id, key)
             select $1, $2, $3
             where not exists (select from notifications.unsubscribe_key where organization_id = $1 and user_id = $2)
             on conflict (organization_id, user_id) do update set key = unsubscribe_key.key
             returning key
         )
         select key as "key!" from made
         union all
         select key from notifications.unsubscribe_key where organization_id = $1 and user_id = $2
         limit 1"#,
        organization.0,
        user.0,
        key.as_slice(),
    )
    .fetch_one(&mut **tx)
    .await?;
    let key = Key::try_from(kept.as_slice()).map_err(|error| Problem::internal(&error))?;
    Ok(Token { organization, user, kind, key })
}

/// Whether a token is that of one of the mails of a person who was not removed.
///
/// # Errors
/// When the database fails.
pub async fn is_real(tx: &mut Tx, token: &Token) -> Result<bool, Problem> {
    if is_forgotten(tx, token.organization, token.user).await? {
        return Ok(false);
    }
    // Keys of 128 bits by chance are found by no timing of this comparison.
    let found = sqlx::query_scalar!(
        r#"select exists (select from notifications.unsubscribe_key
                          where organization_id = $1 and user_id = $2 and key = $3) as "found!""#,
        token.organization.0,
        token.user.0,
        token.key.as_slice(),
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(found)
}

fn time(minute: i16) -> Option<Time> {
    let hour = i8::try_from(minute / 60).ok()?;
    Time::new(hour, i8::try_from(minute % 60).ok()?, 0, 0).ok()
}

fn minute(time: Time) -> i16 {
    i16::from(time.hour()) * 60 + i16::from(time.minute())
}
