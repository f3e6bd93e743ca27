//! `DELETE /api/v1/invitations/{id}`: an invitation is taken back, and its link opens nothing.

use axum::extract::State;
use contracts::users::InvitationEnded;
use http::StatusCode;
use kernel::InvitationId;
use kernel::role::UsersManage;
use platform::auth::Can;
use platform::events::{Origin, append};
use platform::http::{Path, Problem};

use crate::App;

/// Revokes an invitation.
#[utoipa::path(
    delete,
    path = "/api/v1/invitations/{id}",
    operation_id = "revoke_invitation",
    tag = "invitations",
    summary = "Take an invitation back",
    params(("id" = InvitationId, Path, description = "The invitation")),
    responses(
        (status = 204, description = "Taken back"),
        (status = 403, description = "permission_required"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("users.manage")))
)]
pub async fn revoke_invitation(
    actor: Can<UsersManage>,
    State(app): State<App>,
    Path(id): Path<InvitationId>,
) -> Result<StatusCode, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let removed = sqlx::query!(
        "delete from users.invitation where organization_id = $1 and id = $2",
        actor.organization.0,
        id.0,
    )
    .execute(&mut *tx)
    .await?;
    if removed.rows_affected() == 0 {
        return Err(Problem::not_found("invitation"));
    }
    let event = InvitationEnded { invitation_id: id, user_id: None };
    append(&mut tx, actor.organization, &Origin::from(&*actor), &event, app.context.clock.now()).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
