//! What provisioning makes of an account: changed, with all that follows from it, or closed.

use contracts::users::{LetterKind, SessionEnd, UserChanged};
use http::StatusCode;
use jiff::Timestamp;
use kernel::Role;
use platform::db::Tx;
use platform::events;

use super::caller::Caller;
use crate::account::{Account, Change};
use crate::scim::Refusal;
use crate::scim::person::{Provisioned, Wanted};
use crate::store::letters::{self, Addressee, Kept};
use crate::store::memberships::{self, By, Pair};
use crate::store::sessions::{Ending, Which};
use crate::store::{accounts, api_keys, group_rules, passwords, scim_users};

/// Changes an account, which is locked, to what is wanted; the same again changes nothing.
pub(super) async fn change(
    tx: &mut Tx,
    caller: &Caller,
    before: &Provisioned,
    wanted: Wanted,
    now: Timestamp,
) -> Result<Provisioned, Refusal> {
    let (organization, was) = (caller.organization, &before.account);
    let (mut after, mut fields) = was.changed(Change {
        name: Some(wanted.name),
        locale: wanted.locale,
        time_zone: wanted.time_zone,
        active: wanted.active,
        attributes: Some(wanted.attributes),
        ..Change::default()
    });
    if wanted.email != was.email {
        after = readdress(tx, caller, after, wanted.email, now).await?;
        fields.push("email".to_owned());
    }
    let is_known = before.user_name.as_deref() == Some(&wanted.user_name);
    if !is_known || before.external_id != wanted.external_id {
        let other = scim_users::is_taken(tx, organization, &wanted.user_name, Some(was.id)).await?;
        if other {
            return Err(Refusal::taken("There is another user with this userName."));
        }
        let external_id = wanted.external_id.as_deref();
        scim_users::know(tx, organization, was.id, &wanted.user_name, external_id).await?;
        fields.push("external_id".to_owned());
    }
    if fields.is_empty() {
        return Ok(before.clone());
    }
    if after.is_administrator() && !was.is_administrator() {
        let detail = "An administrator is activated here, not by provisioning.";
        return Err(Refusal::new(StatusCode::FORBIDDEN, Some("mutability"), detail));
    }
    if was.is_administrator() && !after.is_administrator() {
        accounts::keep_administrator(tx, organization, was.id).await?;
    }
    after = accounts::store(tx, organization, after).await?;
    if fields.iter().any(|field| field == "email" || field == "attributes") {
        after = group_rules::settle_one(tx, organization, &after).await?;
        group_rules::name_groups(was, &after, &mut fields);
    }
    tell(tx, caller, was, &after, fields, now).await?;
    Ok(Provisioned { account: after, external_id: wanted.external_id, user_name: Some(wanted.user_name) })
}

/// Gives an account the provider's address for it, for which it vouches; links that were mailed to the old one are worth
/// nothing any more, and the old one is told.
async fn readdress(
    tx: &mut Tx,
    caller: &Caller,
    account: Account,
    email: kernel::Email,
    now: Timestamp,
) -> Result<Account, Refusal> {
    if account.role != Role::User {
        // Whoever has the address has the account: by it provisioning would make managers and administrators.
        let detail = "The address of a manager or an administrator is not provisioning's to change.";
        return Err(Refusal::new(StatusCode::FORBIDDEN, Some("mutability"), detail));
    }
    let (organization, user) = (caller.organization, account.id);
    scim_users::readdress(tx, organization, user, &email).await?;
    passwords::forget_resets(tx, organization, user).await?;
    letters::forget(tx, organization, user, LetterKind::EmailVerification).await?;
    letters::forget(tx, organization, user, LetterKind::EmailChange).await?;
    let kind = LetterKind::EmailChanged;
    let kept = Kept { to: Addressee::Account(user), kind, email: Some(account.email.clone()) };
    letters::request(tx, organization, kept, &caller.origin(), now).await?;
    Ok(Account { email, email_verified: true, ..account })
}

/// Closes an account, takes it out of the groups that it is in by hand, and hides it from provisioning.
pub(super) async fn close(
    tx: &mut Tx,
    caller: &Caller,
    before: &Provisioned,
    now: Timestamp,
) -> Result<(), Refusal> {
    let (organization, was) = (caller.organization, &before.account);
    if was.is_administrator() {
        accounts::keep_administrator(tx, organization, was.id).await?;
    }
    let (mut after, mut fields) = was.changed(Change { active: Some(false), ..Change::default() });
    let by_hand: Vec<Pair> =
        memberships::reasons(tx, organization, By::Hand, &[was.id.0]).await?.into_iter().collect();
    memberships::take(tx, organization, By::Hand, &by_hand).await?;
    after.groups =
        memberships::groups_of(tx, organization, &[was.id.0]).await?.remove(&was.id).unwrap_or_default();
    group_rules::name_groups(was, &after, &mut fields);
    fields.push("external_id".to_owned());
    let after = accounts::store(tx, organization, after).await?;
    scim_users::hide(tx, organization, was.id).await?;
    tell(tx, caller, was, &after, fields, now).await
}

/// Tells of a change, and ends the sessions and keys of an account that may no longer have any.
async fn tell(
    tx: &mut Tx,
    caller: &Caller,
    before: &Account,
    after: &Account,
    fields: Vec<String>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let (organization, user, origin) = (caller.organization, after.id, caller.origin());
    let event = UserChanged { user_id: user, before: before.into(), after: after.into(), fields };
    events::append(tx, organization, &origin, &event, now).await?;
    if before.active && !after.active {
        let ending = Ending { organization, user, reason: SessionEnd::AccountClosed, origin: &origin, now };
        ending.of(tx, Which::All).await?;
        api_keys::forget(tx, organization, user, now).await?;
    }
    Ok(())
}
