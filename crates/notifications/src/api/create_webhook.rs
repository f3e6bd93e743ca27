//! `POST /api/v1/webhooks`: somebody else is told what happens, from now on.

use axum::extract::State;
use garde::Validate;
use http::StatusCode;
use jiff_sqlx::ToSqlx as _;
use kernel::WebhookId;
use kernel::role::NotificationsManage;
use platform::auth::Can;
use platform::http::{Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::App;
use crate::error::Error;
use crate::store::sealed::webhook_secret;
use crate::store::webhooks::{WebhookWithSecret, find};
use crate::webhooks::{MOST, TYPES, signature};

/// The webhook to make.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateWebhook)]
pub struct Request {
    /// Where requests go: `https://`, to an address of the public internet. 2,000 characters at most.
    #[garde(length(max = 2000))]
    #[schema(max_length = 2000, example = "https://hooks.example.com/reservas")]
    pub url: String,
    /// Types of events; empty or absent: all of bookings.
    #[garde(length(max = 50))]
    #[serde(default)]
    #[schema(example = json!(["reservas.booking.confirmed.v1"]))]
    pub types: Vec<String>,
    /// Whether the events of one booking are told one after the other; false when absent.
    #[garde(skip)]
    #[serde(default)]
    pub is_ordered: bool,
}

/// Makes a webhook. Its secret is in this answer and in no other.
///
/// # Errors
/// When requests may not go there, or there are 50 already.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks",
    operation_id = "create_webhook",
    tag = "webhooks",
    summary = "Make a webhook",
    request_body = Request,
    responses(
        (status = 201, description = "The webhook with its secret", body = WebhookWithSecret),
        (status = 403, description = "permission_required"),
        (status = 409, description = "too_many_webhooks"),
        (status = 422, description = "invalid_input")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn create_webhook(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
    Json(request): Json<Request>,
) -> Result<(StatusCode, Json<WebhookWithSecret>), Problem> {
    check_url(&app, &request.url)?;
    check_types(&request.types)?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from notifications.webhook where organization_id = $1"#,
        actor.organization.0,
    );
    if count.fetch_one(&mut *tx).await? >= MOST {
        return Err(Error::TooManyWebhooks.into());
    }
    let (id, secret) = (WebhookId::mint(), signature::mint());
    let sealed = app.context.keyring.seal(&webhook_secret(actor.organization, id), &secret)?;
    sqlx::query!(
        "insert into notifications.webhook (organization_id, id, url, types, is_ordered, secret, created_by, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        actor.organization.0,
        id.0,
        request.url,
        &request.types,
        request.is_ordered,
        sealed,
        actor.user.0,
        app.context.clock.now().to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    let webhook = find(&mut tx, actor.organization, id).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(WebhookWithSecret { webhook, secret: signature::show(&secret) })))
}

/// 422 for a URL to which no request may go.
///
/// # Errors
/// When it is one.
pub fn check_url(app: &App, url: &str) -> Result<(), Problem> {
    app.webhooks.guard().check(url).map_err(|detail| Problem::invalid_field("/url", "url", detail))?;
    Ok(())
}

/// 422 for a type of event that there is not.
///
/// # Errors
/// When there is one among them.
pub fn check_types(types: &[String]) -> Result<(), Problem> {
    match types.iter().position(|kind| !TYPES.contains(&kind.as_str())) {
        Some(index) => {
            let detail = format!("There are {}.", TYPES.join(", "));
            Err(Problem::invalid_field(&format!("/types/{index}"), "unknown", detail))
        }
        None => Ok(()),
    }
}
