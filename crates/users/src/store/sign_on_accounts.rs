//! The account of who signed in at an identity provider: found, linked or made, and given the role and groups that the
//! provider's groups stand for.

use std::collections::BTreeSet;

use contracts::users::{SingleSignOn, UserChanged};
use jiff::Timestamp;
use kernel::{Clock, Email, GroupId, OrganizationId, Role};
use platform::db::Tx;
use platform::events::{self, Origin};
use platform::http::{Correlation, Problem};
use uuid::Uuid;

use super::memberships::{self, By, pairs};
use super::{account_batches, accounts, identities, organizations, session_starts};
use crate::account::{Account, Change};
use crate::settings::admits;
use crate::single_sign_on::mapping;
use crate::single_sign_on::person::{Groups, Person};
use crate::single_sign_on::refusal::Refusal;

/// Who came back from a provider.
pub struct Arrival<'a> {
    /// The organization.
    pub organization: OrganizationId,
    /// How it does single sign-on.
    pub settings: &'a SingleSignOn,
    /// Who it is.
    pub person: &'a Person,
    /// The groups they are in there.
    pub groups: &'a Groups,
    /// The request.
    pub correlation: &'a Correlation,
    /// When.
    pub now: Timestamp,
    /// For what is read when sessions are locked.
    pub clock: &'a dyn Clock,
}

impl Arrival<'_> {
    fn origin(&self, account: &Account) -> Origin {
        Origin { actor: Some(account.id), on_behalf_of: None, correlation: self.correlation.clone() }
    }

    /// The account, locked, as it is from now on.
    ///
    /// # Errors
    /// Why there is none for them, or when the database fails.
    pub async fn admit(&self, tx: &mut Tx) -> Result<Account, Problem> {
        let issuer = &self.settings.issuer;
        let known = identities::find(tx, self.organization, issuer, &self.person.subject).await?;
        let account = match known {
            Some(user) => accounts::lock(tx, self.organization, user).await?,
            None => Some(self.recognize(tx).await?),
        };
        let account = account.filter(|account| account.active).ok_or(Refusal::Inactive)?;
        let account = self.follow_role(tx, account).await?;
        self.follow_groups(tx, account).await
    }

    /// The account of who was never here by this way: one with their address, or a new one.
    async fn recognize(&self, tx: &mut Tx) -> Result<Account, Problem> {
        let domains = &self.settings.email_domains;
        let email = self.person.email.as_ref().ok_or(Refusal::NoAccount)?;
        let is_proven = self.person.proves_email(self.settings.assume_email_verified);
        let account = match accounts::find(tx, self.organization, email).await? {
            Some(user) => {
                let account = accounts::lock(tx, self.organization, user).await?.ok_or(Refusal::NoAccount)?;
                // The provider speaks for the organization's own domains alone; an address that was never verified may
                // be that of somebody who lies in wait for its owner; and who administers says so themselves.
                let is_own = is_proven && !domains.is_empty() && admits(domains, email);
                if !is_own || !account.email_verified || account.role == Role::Admin {
                    return Err(Refusal::NotLinked.into());
                }
                account
            }
            None => self.make(tx, email, is_proven).await?,
        };
        let link = (self.settings.issuer.as_str(), self.person.subject.as_str());
        let origin = self.origin(&account);
        identities::link(tx, self.organization, account.id, link, &origin, self.now).await?;
        Ok(account)
    }

    async fn make(&self, tx: &mut Tx, email: &Email, is_proven: bool) -> Result<Account, Problem> {
        if !self.settings.create_accounts || !admits(&self.settings.email_domains, email) {
            return Err(Refusal::NoAccount.into());
        }
        if !is_proven {
            return Err(Refusal::EmailNotProven.into());
        }
        let defaults = organizations::load(tx, self.organization).await?;
        let name = self.person.name.clone();
        let name = name.unwrap_or_else(|| email.as_str().split('@').next().unwrap_or_default().to_owned());
        let account = Account {
            email_verified: true,
            ..Account::new(&defaults, email.clone(), name, self.settings.default_role, self.now)
        };
        let made = std::slice::from_ref(&account);
        account_batches::create_all(tx, self.organization, made, &self.origin(&account)).await?;
        let made = accounts::load(tx, self.organization, account.id).await?;
        made.ok_or_else(|| Problem::internal(&"an account that was made is gone"))
    }

    /// Gives the role of the groups. The last administrator stays one: a provider that tells no groups any more must not
    /// leave the organization without.
    async fn follow_role(&self, tx: &mut Tx, before: Account) -> Result<Account, Problem> {
        let Some(role) = mapping::role(self.settings, self.groups) else { return Ok(before) };
        let (after, fields) = before.changed(Change { role: Some(role), ..Change::default() });
        if fields.is_empty() {
            return Ok(before);
        }
        if before.is_administrator() && !after.is_administrator() {
            match accounts::keep_administrator(tx, self.organization, before.id).await {
                Err(problem) if problem.code == "last_administrator" => {
                    tracing::warn!(user = %before.id, "the last administrator keeps the role that the provider took away");
                    return Ok(before);
                }
                kept => kept?,
            }
        }
        let origin = self.origin(&before);
        let after = accounts::store(tx, self.organization, after).await?;
        let event =
            UserChanged { user_id: after.id, before: (&before).into(), after: (&after).into(), fields };
        events::append(tx, self.organization, &origin, &event, self.now).await?;
        session_starts::renew_tokens(tx, self.organization, after.id, self.clock).await?;
        Ok(after)
    }

    /// Puts the account into the groups that the provider's stand for, by hand; those of rules are their own affair.
    async fn follow_groups(&self, tx: &mut Tx, account: Account) -> Result<Account, Problem> {
        let (organization, user) = (self.organization, account.id);
        let by_hand = memberships::reasons(tx, organization, By::Hand, &[user.0]).await?;
        let are: BTreeSet<GroupId> = by_hand.iter().map(|(_, group)| *group).collect();
        let wanted = mapping::groups(self.settings, &are, self.groups);
        if wanted == are {
            return Ok(account);
        }
        let wanted = existing(tx, organization, &wanted).await?;
        let due = pairs(user, &wanted);
        memberships::exchange(tx, organization, By::Hand, &by_hand, &due).await?;
        let origin = self.origin(&account);
        memberships::tell(tx, organization, std::slice::from_ref(&account), &origin, self.now).await?;
        let after = accounts::load(tx, organization, user).await?;
        after.ok_or_else(|| Problem::internal(&"an account that is locked is gone"))
    }
}

/// Those of the groups that there still are; locked, so that none goes meanwhile.
async fn existing(
    tx: &mut Tx,
    organization: OrganizationId,
    groups: &BTreeSet<GroupId>,
) -> Result<BTreeSet<GroupId>, sqlx::Error> {
    let ids: Vec<Uuid> = groups.iter().map(|group| group.0).collect();
    let found = sqlx::query_scalar!(
        r#"select id as "id: GroupId" from users.user_group where organization_id = $1 and id = any($2) for key share"#,
        organization.0,
        &ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(found.into_iter().collect())
}
