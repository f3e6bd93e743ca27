//! `POST /api/v1/auth/verify-email`: whoever has the link that was mailed shows that the address is theirs.

use axum::extract::State;
use contracts::users::{LetterKind, UserChanged};
use garde::Validate;
use http::StatusCode;
use platform::config::Secret;
use platform::events::{self, Origin};
use platform::http::{Correlation, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::fields;
use crate::App;
use crate::account::Account;
use crate::error::Error;
use crate::opaque_token::LetterToken;
use crate::store::letters::{self, Addressee};
use crate::store::throttle::Attempt;
use crate::store::{accounts, group_rules};

/// The token of a link.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VerifyEmail)]
pub struct Request {
    /// What stands in the link after `token=`.
    #[garde(custom(fields::opaque_token))]
    #[schema(value_type = String, min_length = 1, max_length = 86)]
    pub token: Secret,
}

/// Verifies an address.
#[utoipa::path(
    post,
    path = "/api/v1/auth/verify-email",
    operation_id = "verify_email",
    tag = "auth",
    summary = "Show that an e-mail address is one's own",
    request_body = Request,
    responses(
        (status = 204, description = "The address is verified"),
        (status = 422, description = "invalid_input, invalid_link")
    )
)]
pub async fn verify_email(
    State(app): State<App>,
    correlation: Correlation,
    Json(request): Json<Request>,
) -> Result<StatusCode, Problem> {
    let now = app.context.clock.now();
    let token = LetterToken::parse(&request.token).ok_or(Error::InvalidLink)?;
    let organization = token.organization;
    let mut tx = app.context.db.begin(organization).await?;
    let to = letters::redeem(&mut tx, &token, LetterKind::EmailVerification, now).await?.to;
    let Addressee::Account(user) = to else { return Err(Error::InvalidLink.into()) };
    let before = accounts::lock(&mut tx, organization, user).await?.ok_or(Error::InvalidLink)?;
    if !before.email_verified {
        let version = sqlx::query_scalar!(
            "update users.account set email_verified = true, version = version + 1
             where organization_id = $1 and id = $2 returning version",
            organization.0,
            user.0,
        )
        .fetch_one(&mut *tx)
        .await?;
        let after = Account { version, email_verified: true, ..before.clone() };
        // An address counts for the rules of groups once it is verified.
        let after = group_rules::settle_one(&mut tx, organization, &after).await?;
        let mut fields = vec!["email_verified".to_owned()];
        group_rules::name_groups(&before, &after, &mut fields);
        let event = UserChanged { user_id: user, before: (&before).into(), after: (&after).into(), fields };
        let origin = Origin { actor: Some(user), on_behalf_of: None, correlation };
        events::append(&mut tx, organization, &origin, &event, now).await?;
        // Who tried to sign in before, with the right password and in vain, need not wait for it.
        Attempt::by_name(&organization.to_string(), before.email.as_str(), None).forget(&mut tx).await?;
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
