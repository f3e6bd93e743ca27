//! Who provisions: an API key shown as the bearer token, `client_id.client_secret`, because providers keep one text for
//! years and know no exchange; or an access token, for those that do.

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{StatusCode, header};
use kernel::role::{GroupsManage, UsersManage};
use kernel::{OrganizationId, Permission as _, UserId};
use platform::auth::Actor;
use platform::config::Secret;
use platform::events::Origin;
use platform::http::Correlation;

use crate::App;
use crate::client_key::parse_client_id;
use crate::scim::Refusal;
use crate::store::api_keys;
use crate::store::settings::{self, Entry};

/// A caller with `users.manage` and `groups.manage`.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// Whose data it works on.
    pub(super) organization: OrganizationId,
    user: UserId,
    correlation: Correlation,
}

impl Caller {
    /// As events name it.
    pub(super) fn origin(&self) -> Origin {
        Origin { actor: Some(self.user), on_behalf_of: None, correlation: self.correlation.clone() }
    }
}

fn unknown() -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, None, "Send an API key, or an access token, as the bearer token.")
}

fn forbidden() -> Refusal {
    let detail = "Provisioning needs the permissions users.manage and groups.manage.";
    Refusal::new(StatusCode::FORBIDDEN, None, detail)
}

impl FromRequestParts<App> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let shown = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (scheme, token) = shown.and_then(|value| value.split_once(' ')).ok_or_else(unknown)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(unknown());
        }
        let key = token
            .trim()
            .split_once('.')
            .and_then(|(client, secret)| Some((parse_client_id(client)?, secret)));
        if let Some((key, secret)) = key {
            let correlation =
                parts.extensions.get::<Correlation>().cloned().unwrap_or_else(Correlation::mint);
            return with_key(app, key, &Secret::from(secret.to_owned()), correlation).await;
        }
        let actor = Actor::from_request_parts(parts, app).await?;
        if !(actor.may::<UsersManage>() && actor.may::<GroupsManage>()) {
            return Err(forbidden());
        }
        Ok(Self { organization: actor.organization, user: actor.user, correlation: actor.correlation })
    }
}

async fn with_key(
    app: &App,
    (organization, key): (OrganizationId, kernel::ApiKeyId),
    secret: &Secret,
    correlation: Correlation,
) -> Result<Caller, Refusal> {
    let mut tx = app.context.db.begin(organization).await?;
    let address = correlation.client.as_deref();
    let now = app.context.clock.now();
    let shown =
        api_keys::take(&mut tx, (organization, key), secret, address, now).await?.ok_or_else(unknown)?;
    let demanded = app.config.demands_verification();
    if settings::entry(&mut tx, organization, shown.user, demanded).await? != Entry::Open {
        return Err(unknown());
    }
    tx.commit().await?;
    let has = |name: &str| shown.scopes.iter().any(|scope| scope == name);
    // As an access token of the key: at most what the key has, and at most what its account may now.
    let may = shown.role.may::<UsersManage>() && shown.role.may::<GroupsManage>();
    if may && has(UsersManage::NAME) && has(GroupsManage::NAME) {
        Ok(Caller { organization, user: shown.user, correlation })
    } else {
        Err(forbidden())
    }
}
