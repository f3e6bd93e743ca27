//! Something happened to an account that its owner should know of, or asked for.

use contracts::users::{PasswordResetRequested, SecondFactorChanged, UserChanged, UserLocked};
use kernel::UserId;
use platform::db::Tx;
use platform::events::Envelope;
use platform::http::Problem;

use crate::App;
use crate::account::AccountFacts;
use crate::message::Kind;
use crate::store::{About, Telling, tell};

/// Tells whoever asked for a new password.
///
/// # Errors
/// When the database fails.
pub async fn password_reset_requested(
    app: &App,
    tx: &mut Tx,
    event: &Envelope,
    told: &PasswordResetRequested,
) -> Result<(), Problem> {
    let facts = AccountFacts::PasswordResetRequested { reset_id: told.reset_id };
    tell_owner(app, tx, event, told.user_id, Kind::PasswordResetRequested, facts).await
}

/// Tells the owner of another password; what else changed they need no mail for.
///
/// # Errors
/// When the database fails.
pub async fn user_changed(
    app: &App,
    tx: &mut Tx,
    event: &Envelope,
    told: &UserChanged,
) -> Result<(), Problem> {
    if !told.fields.iter().any(|field| field == "password") {
        return Ok(());
    }
    tell_owner(app, tx, event, told.user_id, Kind::PasswordChanged, AccountFacts::PasswordChanged).await
}

/// Tells the owner of a lock.
///
/// # Errors
/// When the database fails.
pub async fn user_locked(app: &App, tx: &mut Tx, event: &Envelope, told: &UserLocked) -> Result<(), Problem> {
    let facts = AccountFacts::AccountLocked { until: told.until, failures: told.failures };
    tell_owner(app, tx, event, told.user_id, Kind::AccountLocked, facts).await
}

/// Tells the owner of what happened to their second factor.
///
/// # Errors
/// When the database fails.
pub async fn second_factor_changed(
    app: &App,
    tx: &mut Tx,
    event: &Envelope,
    told: &SecondFactorChanged,
) -> Result<(), Problem> {
    let facts = AccountFacts::SecondFactorChanged { change: told.change };
    tell_owner(app, tx, event, told.user_id, Kind::SecondFactorChanged, facts).await
}

async fn tell_owner(
    app: &App,
    tx: &mut Tx,
    event: &Envelope,
    user: UserId,
    kind: Kind,
    facts: AccountFacts,
) -> Result<(), Problem> {
    let telling = Telling {
        organization: event.organizationid,
        event: event.id,
        correlation_id: event.correlationid.clone(),
        user,
        kind,
        about: About::Account(facts),
    };
    tell(app, tx, &telling).await
}
