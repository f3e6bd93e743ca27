//! `PATCH /api/v1/me`: people change what is told of them.

use axum::extract::State;
use contracts::users::UserChanged;
use garde::Validate;
use kernel::role::ProfileOwn;
use platform::auth::Can;
use platform::events::{self, Origin};
use platform::http::{IfMatch, Json, Problem};
use platform::idempotency::Answer;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{UserBody, fields};
use crate::App;
use crate::account::Change;
use crate::store::accounts;

/// What is to change; absent stays. Role, activity and address are not the person's to change here.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateMe)]
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
    /// Their phone number in international form (E.164); null takes it away.
    #[garde(inner(inner(custom(fields::phone))))]
    #[serde(default, deserialize_with = "fields::some")]
    #[schema(value_type = Option<String>, max_length = 16, example = "+436641234567")]
    pub phone: Option<Option<String>>,
    /// Where a picture of them is, by https; null takes it away.
    #[garde(inner(inner(custom(fields::picture_url))))]
    #[serde(default, deserialize_with = "fields::some")]
    #[schema(value_type = Option<String>, max_length = 2048, example = "https://example.edu/ada.png")]
    pub picture_url: Option<Option<String>>,
    /// What programs remember for them, as a whole: an object of 4096 bytes at most.
    #[garde(inner(custom(fields::preferences)))]
    #[schema(value_type = Option<Object>, example = json!({"theme": "dark"}))]
    pub preferences: Option<Value>,
}

/// Changes the caller's profile.
#[utoipa::path(
    patch,
    path = "/api/v1/me",
    operation_id = "update_me",
    tag = "profile",
    summary = "Change one's own profile",
    params(("If-Match" = String, Header, description = "The ETag of the version to change")),
    request_body = Request,
    responses(
        (status = 200, description = "The account after the change", body = UserBody),
        (status = 404, description = "not_found: the account has been removed"),
        (status = 412, description = "stale_version"),
        (status = 422, description = "invalid_input"),
        (status = 428, description = "if_match_required")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn update_me(
    actor: Can<ProfileOwn>,
    State(app): State<App>,
    version: IfMatch,
    Json(request): Json<Request>,
) -> Result<Answer, Problem> {
    let (organization, now) = (actor.organization, app.context.clock.now());
    let mut tx = app.context.db.begin(organization).await?;
    let before = accounts::lock(&mut tx, organization, actor.user).await?;
    let before = before.ok_or_else(|| Problem::not_found("user"))?;
    version.check(before.version)?;
    let change = Change {
        name: request.name,
        locale: request.locale,
        time_zone: request.time_zone,
        phone: request.phone,
        picture_url: request.picture_url,
        preferences: request.preferences,
        ..Change::default()
    };
    let (mut after, fields) = before.changed(change);
    if !fields.is_empty() {
        after = accounts::store(&mut tx, organization, after).await?;
        let event =
            UserChanged { user_id: after.id, before: (&before).into(), after: (&after).into(), fields };
        events::append(&mut tx, organization, &Origin::from(&*actor), &event, now).await?;
    }
    tx.commit().await?;
    Answer::ok(after.version, &UserBody::from(after))
}
