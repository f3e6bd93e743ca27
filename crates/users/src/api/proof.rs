//! Proofs of who the caller is: counted before they are looked at, and the owner told when guessing locks the account.

use contracts::users::UserLocked;
use jiff::Timestamp;
use kernel::{OrganizationId, UserId};
use platform::auth::Actor;
use platform::config::Secret;
use platform::db::Tx;
use platform::events::{self, Origin};
use platform::http::{Correlation, Problem};

use crate::App;
use crate::error::Error;
use crate::store::second_factor::{self, Totp};
use crate::store::throttle::{self, Attempt, Count};
use crate::store::{accounts, passwords};

/// Checks the caller's own password; the hash that it was checked with, for [`demand_still`].
///
/// # Errors
/// 403 `wrong_password`, 429 `too_many_attempts`, 503 `hashing_busy`, or when the database fails.
pub async fn password(app: &App, actor: &Actor, password: &Secret) -> Result<String, Problem> {
    let (db, now) = (&app.context.db, app.context.clock.now());
    let attempt = Attempt::by_id(actor.user, actor.correlation.client.as_deref());
    let count = attempt.begin(db, now).await?;
    let loaded = passwords::load(db, actor.organization, actor.user).await.map_err(Problem::from);
    let hash = attempt.unless_failed(db, count, loaded).await?;
    // No connection is held meanwhile.
    let verified = app.passwords.verify(password, hash.clone()).await;
    let is_right = attempt.unless_failed(db, count, verified).await?;
    let Some(hash) = hash.filter(|_| is_right) else {
        tell_of_lock(app, actor.organization, actor.user, count, &actor.correlation);
        return Err(Error::WrongPassword.into());
    };
    attempt.succeeded(db).await?;
    Ok(hash)
}

/// Makes sure that the password is still the one that was checked. The account is locked: what changes the password came
/// before, and the proof is out of date, or it waits.
///
/// # Errors
/// 403 `wrong_password`, or when the database fails.
pub async fn demand_still(tx: &mut Tx, actor: &Actor, hash: &str) -> Result<(), Problem> {
    match passwords::is_still(tx, actor.organization, actor.user, hash).await? {
        true => Ok(()),
        false => Err(Error::WrongPassword.into()),
    }
}

/// Takes a code of the caller's app, or a recovery code.
///
/// # Errors
/// 401 `invalid_code`, or when the database fails or the secret cannot be opened.
pub async fn code(
    app: &App,
    tx: &mut Tx,
    (organization, user): (OrganizationId, UserId),
    code: &str,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), Problem> {
    let (keyring, confirmed) = (&app.context.keyring, (Totp::Confirmed, code));
    let is_right = second_factor::take_code(tx, keyring, organization, user, confirmed, now).await?
        || second_factor::take_recovery_code(tx, organization, user, code, origin, now).await?;
    if is_right { Ok(()) } else { Err(Error::InvalidCode.into()) }
}

/// Ends an attempt at a code, begun by [`Attempt::by_code`]: a wrong one stays counted, and the owner hears of a lock;
/// a right one starts anew; whatever else went wrong says nothing of the code, and is not counted.
///
/// # Errors
/// What came of it, or when the database fails.
pub async fn settle<T>(
    app: &App,
    (attempt, count): (&Attempt, Count),
    (organization, user): (OrganizationId, UserId),
    correlation: &Correlation,
    outcome: Result<T, Problem>,
) -> Result<T, Problem> {
    match &outcome {
        Ok(_) => attempt.succeeded(&app.context.db).await?,
        Err(problem) if problem.code == "invalid_code" => {
            tell_of_lock(app, organization, user, count, correlation);
        }
        Err(_) => attempt.take_back(&app.context.db, count).await?,
    }
    outcome
}

/// Tells the owner of a lock, beside the answer: how long that takes must not show that there is an owner.
pub fn tell_of_lock(
    app: &App,
    organization: OrganizationId,
    user: UserId,
    count: Count,
    correlation: &Correlation,
) {
    if !count.locks() {
        return;
    }
    let (db, now) = (app.context.db.clone(), app.context.clock.now());
    let origin = Origin { actor: None, on_behalf_of: None, correlation: correlation.clone() };
    let event = UserLocked { user_id: user, until: now + throttle::LONGEST, failures: count.failures };
    tokio::spawn(async move {
        let told = async {
            let mut tx = db.begin(organization).await?;
            // As every event of an account: under its lock, one after the other.
            if accounts::lock(&mut tx, organization, user).await?.is_some() {
                events::append(&mut tx, organization, &origin, &event, now).await?;
            }
            tx.commit().await
        };
        if let Err(error) = told.await {
            tracing::error!(%error, "a lock was not told");
        }
    });
}
