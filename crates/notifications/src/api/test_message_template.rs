//! `POST /api/v1/message-templates/{id}/test`: a mail to the caller, as it would look.

use std::time::Duration;

use axum::extract::State;
use kernel::DeliveryId;
use kernel::role::NotificationsManage;
use platform::auth::Can;
use platform::http::{Json, Path, Problem};
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use crate::App;
use crate::delivery::Outcome;
use crate::mail::{self, Head};
use crate::peers;
use crate::store::templates as stored;
use crate::templates::Values;
use crate::templates::name::{Name, render};

/// How long the mail server may take; a call has 30 s in all.
const LIMIT: Duration = Duration::from_secs(15);

/// How the mail fared.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestMail {
    /// Whether the mail server took it.
    pub is_sent: bool,
    /// The mail server's words.
    #[schema(example = "250 queued")]
    pub answer: String,
}

/// Sends the message for a made-up booking to the caller, once.
///
/// # Errors
/// When there is no such template, or the user service does not answer.
#[utoipa::path(
    post,
    path = "/api/v1/message-templates/{id}/test",
    operation_id = "test_message_template",
    tag = "message templates",
    summary = "Send a mail to myself, to see what it looks like",
    params(("id" = String, Path, description = "The message and the language", example = "booking_confirmed.pt")),
    responses(
        (status = 200, description = "How the mail fared", body = TestMail),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found"),
        (status = 503, description = "service_unavailable")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn test_message_template(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
    Path(id): Path<String>,
) -> Result<Json<TestMail>, Problem> {
    let name: Name = id.parse()?;
    let delivery = DeliveryId::mint();
    let correlation_id = delivery.to_string();
    let contact = peers::contact(&app, actor.organization, actor.user, &correlation_id).await;
    let contact = contact
        .map_err(|_| Problem::unavailable("service_unavailable", "The user service does not answer.", 5))?
        .ok_or_else(|| Problem::not_found("account"))?;
    let values = Values::sample(name.kind, name.language).map_err(|error| Problem::internal(&error))?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    let theirs = stored::find(&mut tx, actor.organization, name).await?;
    tx.commit().await?;
    let rendered = render(theirs, name, &values).map_err(|error| Problem::internal(&error))?;
    let head = Head {
        organization: actor.organization,
        delivery,
        subject: &rendered.subject,
        correlation_id: &correlation_id,
        email: &contact.email,
        name: &contact.name,
    };
    let mail = mail::write_page(&head, &rendered, &app.sender, app.context.clock.now())
        .map_err(|error| Problem::invalid_field("/html", "template", error))?;
    let outcome = match timeout(LIMIT, app.providers.send(&mail)).await {
        Ok(tries) => tries.into_iter().last().map_or(Outcome::Resting, |last| last.outcome),
        Err(_) => Outcome::Unsure("the mail server did not answer in time".into()),
    };
    let is_sent = matches!(outcome, Outcome::Sent(_));
    Ok(Json(TestMail { is_sent, answer: outcome.answer().to_owned() }))
}
