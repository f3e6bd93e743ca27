//! `POST /api/v1/api-keys`: a key with which a program gets access tokens.

use axum::extract::State;
use garde::Validate;
use http::{HeaderName, HeaderValue, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use kernel::role::{ProfileOwn, UsersManage};
use kernel::{ApiKeyId, Kind, UserId};
use platform::auth::{Can, Fresh};
use platform::events::Origin;
use platform::http::{Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fields;
use crate::App;
use crate::client_key::{self, client_id};
use crate::error::Error;
use crate::store::{accounts, api_keys};

/// Days that a key works when nothing is said.
const DAYS: i64 = 90;

/// The key that is wanted.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateApiKey)]
pub struct Request {
    /// What people call it: 1 to 200 characters.
    #[garde(custom(fields::name))]
    #[schema(min_length = 1, max_length = 200, example = "Door displays")]
    pub name: String,
    /// The names of the permissions that it has: none that the caller does not have.
    #[garde(length(min = 1, max = 50))]
    #[schema(min_items = 1, max_items = 50, example = json!(["catalogue.read", "bookings.own"]))]
    pub scopes: Vec<String>,
    /// Whose rights it has at most; the caller when absent, another account for those who may manage users.
    #[garde(skip)]
    pub user_id: Option<UserId>,
    /// Days that it works: 1 to 366, 90 when absent.
    #[garde(range(min = 1, max = 366))]
    #[schema(minimum = 1, maximum = 366, default = 90)]
    pub days: Option<i64>,
}

/// A key that was made. Its secret is shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NewApiKey)]
pub struct Body {
    /// Its id.
    pub id: ApiKeyId,
    /// What the token endpoint takes as `client_id`.
    pub client_id: String,
    /// What the token endpoint takes as `client_secret`. Nobody can look it up later.
    #[schema(example = "reservas_key_qO4pPvmTtuQXNwBlmzzqQZPbNrJ2rW3vP0uVbCk6xrk")]
    pub client_secret: String,
    /// Until when it works.
    pub expires_at: Timestamp,
}

type Created = (StatusCode, [(HeaderName, HeaderValue); 1], Json<Body>);

/// Makes a key. Not repeatable by an idempotency key: the answer is kept nowhere, as it has the secret.
#[utoipa::path(
    post,
    path = "/api/v1/api-keys",
    operation_id = "create_api_key",
    tag = "api keys",
    summary = "Make an API key",
    request_body = Request,
    responses(
        (status = 201, description = "The key, with its secret, which is shown this once", body = Body),
        (status = 403, description = "permission_required, step_up_required, beyond_own_rights"),
        (status = 404, description = "not_found: there is no such account"),
        (status = 409, description = "too_many_api_keys"),
        (status = 422, description = "invalid_input (unknown_scope)")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn create_api_key(
    actor: Can<ProfileOwn>,
    State(app): State<App>,
    _: Fresh,
    Json(request): Json<Request>,
) -> Result<Created, Problem> {
    if let Some(name) = client_key::unknown(&request.scopes) {
        let detail = format!("There is no permission {name}.");
        return Err(Problem::invalid_field("/scopes", "unknown_scope", detail));
    }
    let user = request.user_id.unwrap_or(actor.user);
    if user != actor.user && !actor.may::<UsersManage>() {
        let detail = "Keys of others need the permission users.manage.";
        return Err(Problem::new(Kind::Forbidden, "permission_required", detail));
    }
    let (now, organization) = (app.context.clock.now(), actor.organization);
    let mut tx = app.context.db.begin(organization).await?;
    let account = accounts::lock(&mut tx, organization, user).await?.filter(|account| account.active);
    let account = account.ok_or_else(|| Problem::not_found("user"))?;
    if !client_key::may_give(&actor, account.role, &request.scopes) {
        return Err(Error::BeyondOwnRights.into());
    }
    let expires_at = now + SignedDuration::from_hours(24 * request.days.unwrap_or(DAYS));
    let new =
        api_keys::New { id: ApiKeyId::mint(), user, name: request.name, scopes: request.scopes, expires_at };
    let secret = client_key::secret();
    let origin = Origin::from(&*actor);
    api_keys::create(&mut tx, organization, &new, &secret, (&origin, actor.user), now).await?;
    tx.commit().await?;
    let body = Body {
        id: new.id,
        client_id: client_id(organization, new.id),
        client_secret: secret.expose().to_owned(),
        expires_at,
    };
    let never = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok((StatusCode::CREATED, [never], Json(body)))
}
