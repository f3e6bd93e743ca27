//! `POST /api/v1/auth/confirm-email`: the owner of a new address confirms it, and the account has it from then on.

use axum::extract::State;
use contracts::users::{LetterKind, UserChanged};
use http::StatusCode;
use platform::db::OnConstraint as _;
use platform::events::{self, Origin};
use platform::http::{Correlation, Json, Problem};

use super::verify_email::Request;
use crate::App;
use crate::account::Account;
use crate::error::Error;
use crate::opaque_token::LetterToken;
use crate::store::letters::{self, Addressee, Kept};
use crate::store::{accounts, group_rules, passwords};

/// Changes the address, which is verified by that, and tells the old one.
#[utoipa::path(
    post,
    path = "/api/v1/auth/confirm-email",
    operation_id = "confirm_email",
    tag = "auth",
    summary = "Confirm a new e-mail address",
    request_body = Request,
    responses(
        (status = 204, description = "The account has the new address; the old one was told"),
        (status = 409, description = "email_taken"),
        (status = 422, description = "invalid_input, invalid_link")
    )
)]
pub async fn confirm_email(
    State(app): State<App>,
    correlation: Correlation,
    Json(request): Json<Request>,
) -> Result<StatusCode, Problem> {
    let now = app.context.clock.now();
    let token = LetterToken::parse(&request.token).ok_or(Error::InvalidLink)?;
    let organization = token.organization;
    let mut tx = app.context.db.begin(organization).await?;
    let redeemed = letters::redeem(&mut tx, &token, LetterKind::EmailChange, now).await?;
    let (Addressee::Account(user), Some(email)) = (redeemed.to, redeemed.email) else {
        return Err(Error::InvalidLink.into());
    };
    let before = accounts::lock(&mut tx, organization, user).await?.ok_or(Error::InvalidLink)?;
    let version = sqlx::query_scalar!(
        "update users.account set email = $3, email_verified = true, version = version + 1
         where organization_id = $1 and id = $2 returning version",
        organization.0,
        user.0,
        email.as_str(),
    )
    .fetch_one(&mut *tx)
    .await
    .on_constraint("account_email", || Error::EmailTaken)?;
    let after = Account { version, email, email_verified: true, ..before.clone() };
    let after = group_rules::settle_one(&mut tx, organization, &after).await?;
    let mut fields = vec!["email".to_owned()];
    group_rules::name_groups(&before, &after, &mut fields);
    let (was, is) = ((&before).into(), (&after).into());
    let event = UserChanged { user_id: user, before: was, after: is, fields };
    let origin = Origin { actor: Some(user), on_behalf_of: None, correlation };
    events::append(&mut tx, organization, &origin, &event, now).await?;
    // Who has the old mailbox gets in no more.
    passwords::forget_resets(&mut tx, organization, user).await?;
    // A link that was to verify the old address would verify the new one.
    letters::forget(&mut tx, organization, user, LetterKind::EmailVerification).await?;
    let to = Addressee::Account(user);
    let kept = Kept { to, kind: LetterKind::EmailChanged, email: Some(before.email) };
    letters::request(&mut tx, organization, kept, &origin, now).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
