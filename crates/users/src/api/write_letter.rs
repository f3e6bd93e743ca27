//! `POST /internal/organizations/{organization_id}/letters/{letter_id}/write`: a mail about an account, at the moment when it
//! is sent. The token of its link exists in this answer and in the mail alone.

use axum::extract::State;
use contracts::users::Letter;
use kernel::{LetterId, OrganizationId};
use platform::http::{Json, Path, Problem};
use platform::internal::Peer;

use crate::App;
use crate::store::letters;

/// The letter.
///
/// # Errors
/// 404 when it has run out or was redeemed, or its addressee is gone.
pub async fn write_letter(
    _: Peer,
    State(app): State<App>,
    Path((organization, letter)): Path<(OrganizationId, LetterId)>,
) -> Result<Json<Letter>, Problem> {
    let mut tx = app.context.db.begin(organization).await?;
    let written = letters::write(&mut tx, organization, letter, app.context.clock.now()).await?;
    tx.commit().await?;
    Ok(Json(written))
}
