//! `DELETE /api/v1/delegations/{id}`: one decides for oneself again.

use axum::extract::State;
use http::StatusCode;
use kernel::DelegationId;
use kernel::role::BookingsOwn;
use platform::auth::Can;
use platform::http::{Path, Problem};

use crate::App;

/// Ends a delegation that the caller gave; what was decided stays.
#[utoipa::path(
    delete,
    path = "/api/v1/delegations/{id}",
    operation_id = "end_delegation",
    tag = "approvals",
    summary = "End a delegation",
    params(("id" = DelegationId, Path, description = "The delegation")),
    responses((status = 204, description = "Ended"), (status = 404, description = "not_found")),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn end_delegation(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Path(id): Path<DelegationId>,
) -> Result<StatusCode, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let ended = sqlx::query!(
        "delete from bookings.delegation where organization_id = $1 and id = $2 and user_id = $3",
        actor.organization.0,
        id.0,
        actor.user.0,
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    if ended.rows_affected() == 0 {
        return Err(Problem::not_found("delegation"));
    }
    Ok(StatusCode::NO_CONTENT)
}
