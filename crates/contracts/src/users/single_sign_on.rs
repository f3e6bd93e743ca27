//! Single sign-on: what an organization sets about its identity provider, and which accounts are linked to it.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Event, GroupId, OrganizationId, Role, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// How the people of an organization sign in through its identity provider (OpenID Connect). The secret stands apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SingleSignOn {
    /// The provider's issuer, exactly as it writes it.
    #[schema(example = "https://login.example.edu/realms/staff")]
    pub issuer: String,
    /// What the provider calls us.
    #[schema(example = "reservas")]
    pub client_id: String,
    /// What is asked for besides `openid`.
    #[schema(example = json!(["email", "profile"]))]
    pub scopes: BTreeSet<String>,
    /// The claim with the person's groups: its name, or a JSON pointer to it.
    #[schema(example = "groups")]
    pub groups_claim: String,
    /// The roles that the provider's groups give; the highest counts. Empty: roles are given by hand.
    pub roles: BTreeMap<String, Role>,
    /// The groups here that the provider's groups stand for; of others nobody is put in or taken out.
    #[schema(value_type = BTreeMap<String, Uuid>)]
    pub groups: BTreeMap<String, GroupId>,
    /// The role of a new account, and of who is in none of the groups that give one.
    pub default_role: Role,
    /// Whether an account is made for who has none.
    pub create_accounts: bool,
    /// The organization's own domains: an account with an address there is linked, and new ones are made for no others.
    #[schema(example = json!(["example.edu"]))]
    pub email_domains: BTreeSet<String>,
    /// Whether an address counts as verified where the provider says nothing of it.
    pub assume_email_verified: bool,
    /// Whether others than administrators may sign in with a password as well.
    pub password_sign_in: bool,
    /// Where browsers may be sent after a sign-in.
    #[schema(example = json!(["https://booking.example.edu/signed-in"]))]
    pub return_to: BTreeSet<String>,
    /// Values of `acr` that stand for two factors, besides `mfa` in `amr`.
    pub multi_factor_acr: BTreeSet<String>,
}

/// Single sign-on was set up, changed or turned off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SingleSignOnChanged {
    /// The organization.
    pub organization_id: OrganizationId,
    /// How it was; none when there was none.
    pub before: Option<SingleSignOn>,
    /// How it is; none when there is none any more.
    pub after: Option<SingleSignOn>,
    /// Whether the client's secret is another.
    pub secret_changed: bool,
}
event!(
    SingleSignOnChanged,
    "reservas.organization.single_sign_on_changed.v1",
    "organization",
    organization_id
);

/// An account can be signed in to through an identity provider from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityLinked {
    /// The account.
    pub user_id: UserId,
    /// The provider.
    pub issuer: String,
}
event!(IdentityLinked, "reservas.user.identity_linked.v1", "user", user_id);

/// An account cannot be signed in to through identity providers any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityUnlinked {
    /// The account.
    pub user_id: UserId,
}
event!(IdentityUnlinked, "reservas.user.identity_unlinked.v1", "user", user_id);
