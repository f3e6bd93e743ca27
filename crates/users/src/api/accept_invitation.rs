//! `POST /api/v1/auth/accept-invitation`: whoever has the link of an invitation makes the account that it is for.

use std::collections::BTreeSet;

use axum::extract::State;
use contracts::users::{InvitationEnded, LetterKind};
use garde::Validate;
use jiff::Timestamp;
use kernel::role::UsersManage;
use kernel::{Email, GroupId, InvitationId, OrganizationId, Remit, Role};
use platform::config::Secret;
use platform::db::Tx;
use platform::events::{self, Origin};
use platform::http::{Correlation, Json, Problem};
use platform::idempotency::Answer;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{UserBody, fields};
use crate::App;
use crate::account::Account;
use crate::error::Error;
use crate::opaque_token::LetterToken;
use crate::settings::check_password;
use crate::store::letters::{self, Addressee};
use crate::store::{accounts, organizations, settings};

/// The token of a link, and what to sign in with from now on.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AcceptInvitation)]
pub struct Request {
    /// What stands in the link after `token=`.
    #[garde(custom(fields::opaque_token))]
    #[schema(value_type = String, min_length = 1, max_length = 86)]
    pub token: Secret,
    /// At least 15 characters, unless the installation says otherwise; at most 256.
    #[garde(custom(fields::password))]
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 256, example = "correct horse battery staple")]
    pub password: Secret,
    /// How to address the person; as in the invitation when absent.
    #[garde(inner(custom(fields::name)))]
    #[schema(min_length = 1, max_length = 200, example = "Ada Lovelace")]
    pub name: Option<String>,
}

/// What an invitation is for.
struct Invited {
    email: Email,
    name: String,
    role: Role,
    remit: Option<Remit>,
    groups: BTreeSet<GroupId>,
}

/// Accepts an invitation. Its link shows that the address is the person's: it counts as verified.
#[utoipa::path(
    post,
    path = "/api/v1/auth/accept-invitation",
    operation_id = "accept_invitation",
    tag = "auth",
    summary = "Make the account that an invitation is for",
    request_body = Request,
    responses(
        (status = 201, description = "The account", body = UserBody),
        (status = 409, description = "email_taken"),
        (status = 422, description = "invalid_input (password_too_short, password_guessable, password_common, password_weak), invalid_link"),
        (status = 503, description = "hashing_busy")
    )
)]
pub async fn accept_invitation(
    State(app): State<App>,
    correlation: Correlation,
    Json(request): Json<Request>,
) -> Result<Answer, Problem> {
    let now = app.context.clock.now();
    let token = LetterToken::parse(&request.token).ok_or(Error::InvalidLink)?;
    let organization = token.organization;
    // Looked at before the password is hashed, so that guessed tokens cost nothing; redeemed after.
    let invited = look(&app, &token, &request, now).await?;
    let hash = app.passwords.hash(&request.password).await?;
    let mut tx = app.context.db.begin(organization).await?;
    let to = letters::redeem(&mut tx, &token, LetterKind::Invitation, now).await?.to;
    let Addressee::Invited(invitation) = to else { return Err(Error::InvalidLink.into()) };
    demand_inviter(&mut tx, organization, invitation).await?;
    let defaults = organizations::load(&mut tx, organization).await?;
    let account = Account {
        email_verified: true,
        groups: invited.groups,
        remit: invited.remit,
        ..Account::new(&defaults, invited.email, invited.name, invited.role, now)
    };
    let origin = Origin { actor: Some(account.id), on_behalf_of: None, correlation };
    let account = accounts::create(&mut tx, organization, &account, &hash, &origin).await?;
    sqlx::query!(
        "delete from users.invitation where organization_id = $1 and id = $2",
        organization.0,
        invitation.0,
    )
    .execute(&mut *tx)
    .await?;
    let event = InvitationEnded { invitation_id: invitation, user_id: Some(account.id) };
    events::append(&mut tx, organization, &origin, &event, now).await?;
    tx.commit().await?;
    Answer::created(&format!("/api/v1/users/{}", account.id), account.version, &UserBody::from(account))
}

/// The invitation of a token that is right, with a password that will do; nothing is changed.
async fn look(app: &App, token: &LetterToken, request: &Request, now: Timestamp) -> Result<Invited, Problem> {
    let mut tx = app.context.db.begin(token.organization).await?;
    // Rolled back, so that it can be redeemed again.
    let Addressee::Invited(id) = letters::redeem(&mut tx, token, LetterKind::Invitation, now).await?.to
    else {
        return Err(Error::InvalidLink.into());
    };
    demand_inviter(&mut tx, token.organization, id).await?;
    let invited = load(&mut tx, token.organization, id).await?;
    let settings = settings::load(&mut tx, token.organization).await?.settings;
    if !settings.active {
        return Err(Error::InvalidLink.into());
    }
    let name = request.name.clone().unwrap_or(invited.name);
    // What was redeemed above is not, and no connection is held meanwhile.
    drop(tx);
    app.passwords.check("/password", &request.password, &invited.email, &name).await?;
    check_password(&settings, "/password", &request.password)?;
    Ok(Invited { name, ..invited })
}

/// Whoever invited still may: what somebody gave out ends with their own rights.
async fn demand_inviter(
    tx: &mut Tx,
    organization: OrganizationId,
    invitation: InvitationId,
) -> Result<(), Problem> {
    let role = sqlx::query_scalar!(
        r#"select a.role as "role: Role" from users.account a
           where organization_id = $1 and active and removed_at is null
             and id = (select invited_by from users.invitation where organization_id = $1 and id = $2)
           for share of a"#,
        organization.0,
        invitation.0,
    )
    .fetch_optional(&mut **tx)
    .await?;
    match role.is_some_and(Role::may::<UsersManage>) {
        true => Ok(()),
        false => Err(Error::InvalidLink.into()),
    }
}

async fn load(tx: &mut Tx, organization: OrganizationId, id: InvitationId) -> Result<Invited, Problem> {
    let row = sqlx::query!(
        r#"select email, name, role as "role: Role", remit as "remit: sqlx::types::Json<Remit>",
                  array(select g.id from users.user_group g
                        where g.organization_id = i.organization_id and g.id = any(i.groups)) as "groups!"
           from users.invitation i where organization_id = $1 and id = $2"#,
        organization.0,
        id.0,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(Invited {
        email: Email::try_from(row.email).map_err(|error| Problem::internal(&error))?,
        name: row.name,
        role: row.role,
        remit: row.remit.map(|remit| remit.0),
        groups: row.groups.into_iter().map(GroupId).collect(),
    })
}
