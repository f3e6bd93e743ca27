//! `PUT /api/v1/organization/single-sign-on`: an administrator sets the organization's identity provider.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use contracts::users::SingleSignOn;
use garde::Validate;
use kernel::role::OrganizationManage;
use kernel::{GroupId, OrganizationId, Role};
use platform::auth::{Can, Fresh};
use platform::config::Secret;
use platform::db::Tx;
use platform::events::Origin;
use platform::http::{Json, Problem};
use serde::Deserialize;
use url::Url;
use utoipa::ToSchema;
use uuid::Uuid;

use super::get_single_sign_on::Body;
use super::{fields, sign_on_fields};
use crate::App;
use crate::store::single_sign_on::{self, Kept};

/// The settings. What is absent is as in a new one.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PutSingleSignOn)]
pub struct Request {
    /// The provider's issuer, exactly as it writes it: https.
    #[garde(custom(sign_on_fields::line))]
    #[schema(min_length = 1, max_length = 512, example = "https://login.example.edu/realms/staff")]
    pub issuer: String,
    /// What the provider calls us.
    #[garde(custom(sign_on_fields::line))]
    #[schema(min_length = 1, max_length = 512, example = "reservas")]
    pub client_id: String,
    /// What proves to the provider that we are who we say; needed where there is none yet, and with another issuer or
    /// client id.
    #[garde(inner(custom(sign_on_fields::secret)))]
    #[schema(value_type = Option<String>, format = Password, min_length = 1, max_length = 512)]
    pub client_secret: Option<Secret>,
    /// What is asked for besides `openid`: at most 20.
    #[serde(default = "scopes")]
    #[garde(custom(sign_on_fields::scopes))]
    #[schema(max_items = 20, example = json!(["email", "profile"]))]
    pub scopes: BTreeSet<String>,
    /// The claim with the person's groups: its name, or a JSON pointer to it.
    #[serde(default = "groups_claim")]
    #[garde(custom(sign_on_fields::line))]
    #[schema(min_length = 1, max_length = 512, example = "groups")]
    pub groups_claim: String,
    /// The roles that the provider's groups give, at each sign-in; the highest counts. Empty: roles are given by hand.
    #[serde(default)]
    #[garde(custom(sign_on_fields::mapping))]
    #[schema(example = json!({"booking-desk": "manager"}))]
    pub roles: BTreeMap<String, Role>,
    /// The groups here that the provider's groups stand for, at each sign-in.
    #[serde(default)]
    #[garde(custom(sign_on_fields::mapping))]
    #[schema(value_type = BTreeMap<String, Uuid>)]
    pub groups: BTreeMap<String, GroupId>,
    /// The role of a new account, and of who is in none of the groups that give one: `user` or `manager`.
    #[serde(default = "default_role")]
    #[garde(custom(sign_on_fields::default_role))]
    pub default_role: Role,
    /// Whether an account is made for who has none.
    #[serde(default)]
    #[garde(skip)]
    pub create_accounts: bool,
    /// The organization's own domains, at most 100: an account with a verified address there is linked at the first
    /// sign-in, and new ones are made for no others. Empty: none is linked, and new ones are made for any.
    #[serde(default)]
    #[garde(custom(fields::domains))]
    #[schema(max_items = 100, example = json!(["example.edu"]))]
    pub email_domains: BTreeSet<String>,
    /// Whether an address counts as verified where the provider says nothing of it; only with `email_domains`.
    #[serde(default)]
    #[garde(skip)]
    pub assume_email_verified: bool,
    /// Whether others than administrators may sign in with a password as well.
    #[serde(default = "yes")]
    #[garde(skip)]
    pub password_sign_in: bool,
    /// Where browsers may be sent after a sign-in, at most 20: https, http on loopback (with any port), or an app's own
    /// scheme.
    #[serde(default)]
    #[garde(custom(sign_on_fields::return_to))]
    #[schema(max_items = 20, example = json!(["https://booking.example.edu/signed-in"]))]
    pub return_to: BTreeSet<String>,
    /// Values of `acr` that stand for two factors, besides `mfa` in `amr`: at most 20.
    #[serde(default)]
    #[garde(custom(sign_on_fields::acr))]
    #[schema(max_items = 20)]
    pub multi_factor_acr: BTreeSet<String>,
}

fn scopes() -> BTreeSet<String> {
    ["email", "profile"].map(str::to_owned).into()
}

fn groups_claim() -> String {
    "groups".to_owned()
}

const fn default_role() -> Role {
    Role::User
}

const fn yes() -> bool {
    true
}

impl Request {
    fn split(self) -> (SingleSignOn, Option<Secret>) {
        let settings = SingleSignOn {
            issuer: self.issuer,
            client_id: self.client_id,
            scopes: self.scopes,
            groups_claim: self.groups_claim,
            roles: self.roles,
            groups: self.groups,
            default_role: self.default_role,
            create_accounts: self.create_accounts,
            email_domains: self.email_domains,
            assume_email_verified: self.assume_email_verified,
            password_sign_in: self.password_sign_in,
            return_to: self.return_to,
            multi_factor_acr: self.multi_factor_acr,
        };
        (settings, self.client_secret)
    }
}

/// Sets the provider, after asking it for its description and its keys.
#[utoipa::path(
    put,
    path = "/api/v1/organization/single-sign-on",
    operation_id = "put_single_sign_on",
    tag = "organization",
    summary = "Set how people sign in through the identity provider",
    request_body = Request,
    responses(
        (status = 200, description = "The settings", body = Body),
        (status = 403, description = "permission_required, step_up_required"),
        (status = 422, description = "invalid_input (provider_unusable: with what the provider said; required; not_found; no_way_back)")
    ),
    extensions(("x-permission" = json!("organization.manage")))
)]
pub async fn put_single_sign_on(
    actor: Can<OrganizationManage>,
    State(app): State<App>,
    _: Fresh,
    Json(request): Json<Request>,
) -> Result<Json<Body>, Problem> {
    let (organization, now) = (actor.organization, app.context.clock.now());
    let (settings, secret) = request.split();
    check_issuer(&settings.issuer)?;
    if settings.assume_email_verified && settings.email_domains.is_empty() {
        let detail = "A provider that verifies no addresses can only be trusted for domains that are yours.";
        return Err(Problem::invalid_field("/email_domains", "required", detail));
    }
    // No connection to the database is held meanwhile.
    app.providers
        .find_anew(&settings.issuer)
        .await
        .map_err(|failure| Problem::invalid_field("/issuer", "provider_unusable", failure.to_string()))?;
    let mut tx = app.context.db.begin(organization).await?;
    let before = single_sign_on::lock(&mut tx, &app.context.keyring, organization).await?;
    let secret = secret.or_else(|| kept_secret(before.as_ref(), &settings)).ok_or_else(|| {
        let detail =
            "The secret is needed here: one is never shown to another provider than it was given for.";
        Problem::invalid_field("/client_secret", "required", detail)
    })?;
    check_groups(&mut tx, organization, &settings).await?;
    if !settings.password_sign_in
        && !single_sign_on::administrator_has_password(&mut tx, organization).await?
    {
        let detail = "No administrator has a password: with a provider that fails nobody could sign in.";
        return Err(Problem::invalid_field("/password_sign_in", "no_way_back", detail));
    }
    let after = Kept { settings, secret };
    single_sign_on::store(
        &mut tx,
        &app.context.keyring,
        organization,
        before,
        &after,
        &Origin::from(&*actor),
        now,
    )
    .await?;
    tx.commit().await?;
    Ok(Json(Body { settings: after.settings, redirect_uri: app.redirect_uri(organization) }))
}

/// The secret so far, where it is still for the same provider and client.
fn kept_secret(before: Option<&Kept>, after: &SingleSignOn) -> Option<Secret> {
    let same =
        |kept: &&Kept| kept.settings.issuer == after.issuer && kept.settings.client_id == after.client_id;
    before.filter(same).map(|kept| kept.secret.clone())
}

/// An issuer is an address without query and fragment (OpenID Connect Core, section 2). Where it may lead is checked when
/// it is asked.
fn check_issuer(issuer: &str) -> Result<(), Problem> {
    let url = Url::parse(issuer).ok().filter(|url| url.query().is_none() && url.fragment().is_none());
    if url.is_some_and(|url| url.has_host()) {
        return Ok(());
    }
    let detail = "An issuer is an address without query and fragment, as https://login.example.edu.";
    Err(Problem::invalid_field("/issuer", "invalid_value", detail))
}

async fn check_groups(
    tx: &mut Tx,
    organization: OrganizationId,
    settings: &SingleSignOn,
) -> Result<(), Problem> {
    let ids: Vec<Uuid> = settings.groups.values().map(|group| group.0).collect();
    let missing = sqlx::query_scalar!(
        r#"select id as "id!" from unnest($2::uuid[]) as t (id)
           where not exists (select from users.user_group g where g.organization_id = $1 and g.id = t.id)"#,
        organization.0,
        &ids,
    )
    .fetch_optional(&mut **tx)
    .await?;
    match missing {
        None => Ok(()),
        Some(id) => Err(Problem::invalid_field("/groups", "not_found", format!("There is no group {id}."))),
    }
}
