//! `PATCH /api/v1/users/{id}`: an administrator changes an account.

use std::collections::BTreeMap;

use axum::extract::State;
use contracts::users::{SessionEnd, UserChanged};
use garde::Validate;
use kernel::role::UsersManage;
use kernel::{Clock, Remit, Role, UserId};
use platform::auth::{Actor, Can};
use platform::db::Tx;
use platform::events::{self, Origin};
use platform::http::{IfMatch, Json, Path, Problem};
use platform::idempotency::Answer;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{UserBody, fields, remit};
use crate::App;
use crate::account::{Account, Change};
use crate::giving;
use crate::store::sessions::{Ending, Which};
use crate::store::{accounts, api_keys, group_rules, session_starts};

/// What is to change; absent stays.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateUser)]
pub struct Request {
    /// How to address the person: 1 to 200 characters.
    #[garde(inner(custom(fields::name)))]
    #[schema(min_length = 1, max_length = 200, example = "Ada King")]
    pub name: Option<String>,
    /// Their language (BCP 47).
    #[garde(inner(custom(fields::locale)))]
    #[schema(min_length = 2, max_length = 35, example = "en-GB")]
    pub locale: Option<String>,
    /// Their zone (IANA).
    #[garde(inner(custom(fields::time_zone)))]
    #[schema(min_length = 1, max_length = 64, example = "Europe/London")]
    pub time_zone: Option<String>,
    /// What the organization knows of them, as a whole: at most 20, with names of lower-case letters, digits and `_`.
    #[garde(inner(custom(fields::attributes)))]
    #[schema(example = json!({"department": "Physics"}))]
    pub attributes: Option<BTreeMap<String, String>>,
    /// What they are.
    #[garde(skip)]
    pub role: Option<Role>,
    /// The places and people that they are limited to, as managers; null for the whole organization. Whoever becomes a
    /// manager without one manages the whole organization.
    #[garde(inner(inner(custom(fields::remit))))]
    #[serde(default, deserialize_with = "fields::some")]
    #[schema(value_type = Option<Remit>)]
    pub remit: Option<Option<Remit>>,
    /// Whether they may sign in; false ends their sessions.
    #[garde(skip)]
    pub active: Option<bool>,
}

impl From<Request> for Change {
    fn from(request: Request) -> Self {
        Self {
            name: request.name,
            locale: request.locale,
            time_zone: request.time_zone,
            attributes: request.attributes,
            role: request.role,
            remit: request.remit,
            active: request.active,
            ..Self::default()
        }
    }
}

/// Changes an account.
#[utoipa::path(
    patch,
    path = "/api/v1/users/{id}",
    operation_id = "update_user",
    tag = "users",
    summary = "Change an account",
    params(
        ("id" = UserId, Path, description = "The account"),
        ("If-Match" = String, Header, description = "The ETag of the version to change")
    ),
    request_body = Request,
    responses(
        (status = 200, description = "The account after the change", body = UserBody),
        (status = 403, description = "permission_required; for an account above user, before or after: beyond_own_rights, step_up_required"),
        (status = 404, description = "not_found"),
        (status = 409, description = "last_administrator"),
        (status = 412, description = "stale_version"),
        (status = 422, description = "invalid_input (managers_only, not_found: a group of the remit)"),
        (status = 428, description = "if_match_required")
    ),
    extensions(("x-permission" = json!("users.manage")))
)]
pub async fn update_user(
    actor: Can<UsersManage>,
    State(app): State<App>,
    Path(id): Path<UserId>,
    version: IfMatch,
    Json(request): Json<Request>,
) -> Result<Answer, Problem> {
    let organization = actor.organization;
    let mut tx = app.context.db.begin(organization).await?;
    let before =
        accounts::lock(&mut tx, organization, id).await?.ok_or_else(|| Problem::not_found("user"))?;
    version.check(before.version)?;
    let role = request.role.unwrap_or(before.role);
    remit::check(&mut tx, organization, role, request.remit.iter().flatten().next()).await?;
    let (mut after, mut fields) = before.changed(request.into());
    if !fields.is_empty() {
        giving::check(&actor, &[before.role, after.role], app.context.clock.now())?;
        if before.is_administrator() && !after.is_administrator() {
            accounts::keep_administrator(&mut tx, organization, id).await?;
        }
        after = accounts::store(&mut tx, organization, after).await?;
        if fields.iter().any(|field| field == "attributes") {
            after = group_rules::settle_one(&mut tx, organization, &after).await?;
            group_rules::name_groups(&before, &after, &mut fields);
        }
        tell(&mut tx, &actor, &before, &after, fields, &*app.context.clock).await?;
    }
    tx.commit().await?;
    Answer::ok(after.version, &UserBody::from(after))
}

/// Tells of the change, and ends the sessions of an account that may no longer have any.
async fn tell(
    tx: &mut Tx,
    actor: &Actor,
    before: &Account,
    after: &Account,
    fields: Vec<String>,
    clock: &dyn Clock,
) -> Result<(), sqlx::Error> {
    let (organization, user, origin, now) = (actor.organization, after.id, Origin::from(actor), clock.now());
    let event = UserChanged { user_id: user, before: before.into(), after: after.into(), fields };
    events::append(tx, organization, &origin, &event, now).await?;
    if (before.role, &before.remit) != (after.role, &after.remit) {
        // A role taken away is gone within seconds, not when the token expires.
        session_starts::renew_tokens(tx, organization, user, clock).await?;
    }
    if before.active && !after.active {
        let ending = Ending { organization, user, reason: SessionEnd::AccountClosed, origin: &origin, now };
        ending.of(tx, Which::All).await?;
        api_keys::forget(tx, organization, user, now).await?;
    }
    Ok(())
}
