//! `POST /api/v1/me/passkeys`: a passkey that an authenticator has made.

use axum::extract::State;
use contracts::users::SecondFactorChange;
use garde::Validate;
use http::{HeaderName, HeaderValue, StatusCode, header};
use jiff::Timestamp;
use kernel::PasskeyId;
use kernel::role::ProfileOwn;
use platform::auth::{Can, Fresh};
use platform::config::Secret;
use platform::events::Origin;
use platform::http::{Json, Problem};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::fields;
use crate::App;
use crate::error::Error;
use crate::passkey::{self, Purpose};
use crate::store::{accounts, passkeys, second_factor, session_starts};

/// What the authenticator answered.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AddPasskey)]
pub struct Request {
    /// What its owner calls it.
    #[garde(custom(fields::passkey_name))]
    #[schema(min_length = 1, max_length = 100, example = "Phone")]
    pub name: String,
    /// The ceremony of the options.
    #[garde(custom(fields::ceremony))]
    #[schema(value_type = String, min_length = 1, max_length = 1024)]
    pub ceremony: Secret,
    /// The answer, as `PublicKeyCredential.toJSON()` gives it.
    #[garde(skip)]
    #[schema(value_type = Object)]
    pub credential: Value,
}

/// A passkey.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Passkey)]
pub struct Body {
    /// Its id.
    pub id: PasskeyId,
    /// What its owner calls it.
    #[schema(example = "Phone")]
    pub name: String,
    /// Whether it is backed up, as those are that a person's devices share.
    pub synced: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// A passkey that was made, and what else is shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NewPasskey)]
pub struct New {
    /// The passkey.
    #[serde(flatten)]
    pub passkey: Body,
    /// Codes on paper, for when it is lost; only where it is the account's first second factor. Each works once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = json!(["ABCD-EFGH-JKLM-NPQR"]))]
    pub recovery_codes: Option<Vec<String>>,
}

type Answer = (StatusCode, [(HeaderName, HeaderValue); 1], Json<New>);

/// Adds a passkey. From now on it signs in alone, and a sign-in with the password asks for a second factor.
#[utoipa::path(
    post,
    path = "/api/v1/me/passkeys",
    operation_id = "add_passkey",
    tag = "profile",
    summary = "Add a passkey",
    request_body = Request,
    responses(
        (status = 201, description = "Added; refresh for tokens that count as two factors", body = New),
        (status = 401, description = "invalid_passkey, session_ended"),
        (status = 403, description = "step_up_required"),
        (status = 404, description = "not_found: the account has been removed"),
        (status = 409, description = "passkey_taken, too_many_passkeys, passkeys_unavailable"),
        (status = 422, description = "invalid_input")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn add_passkey(
    actor: Can<ProfileOwn>,
    State(app): State<App>,
    _: Fresh,
    Json(request): Json<Request>,
) -> Result<Answer, Problem> {
    let (organization, user, now) = (actor.organization, actor.user, app.context.clock.now());
    let (keyring, purpose) = (&app.context.keyring, Purpose::Register(organization, actor.session));
    let party = app.relying_party()?;
    let ceremony = request.ceremony.expose();
    let made = party.finish_registration(keyring, purpose, ceremony, &request.credential, now)?;
    let mut tx = app.context.db.begin(organization).await?;
    accounts::lock(&mut tx, organization, user).await?.ok_or_else(|| Problem::not_found("user"))?;
    if passkeys::known(&mut tx, organization, user).await?.len() >= passkeys::MOST {
        return Err(Error::TooManyPasskeys.into());
    }
    let is_first = !second_factor::is_enabled(&mut tx, organization, user).await?;
    let id = passkeys::keep(&mut tx, organization, user, &request.name, &made, now).await?;
    let recovery_codes = match is_first {
        true => Some(second_factor::replace_recovery_codes(&mut tx, organization, user).await?),
        false => None,
    };
    let proved = session_starts::prove(&mut tx, organization, actor.session, true, now).await?;
    proved.ok_or(Error::SessionOver)?;
    let (change, origin) = (SecondFactorChange::PasskeyAdded, Origin::from(&*actor));
    second_factor::tell(&mut tx, organization, user, change, &origin, now).await?;
    tx.commit().await?;
    let synced = passkey::is_synced(&made.kept.state);
    let passkey = Body { id, name: request.name, synced, created_at: now, last_used_at: None };
    let never = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok((StatusCode::CREATED, [never], Json(New { passkey, recovery_codes })))
}
