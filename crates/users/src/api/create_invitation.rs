//! `POST /api/v1/invitations`: an administrator invites somebody to make an account of their own.

use std::collections::BTreeSet;

use axum::extract::State;
use contracts::users::{InvitationCreated, LetterKind};
use garde::Validate;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::role::UsersManage;
use kernel::{Email, GroupId, InvitationId, OrganizationId, Role, UserId};
use platform::auth::Can;
use platform::db::Tx;
use platform::events::{Origin, append};
use platform::http::{FieldError, Problem};
use platform::idempotency::{Answer, Idempotent};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::fields;
use crate::App;
use crate::error::Error;
use crate::letter::lasts;
use crate::store::letters::{self, Addressee, Kept};

/// Whom to invite, and as what.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateInvitation)]
pub struct Request {
    /// Where the invitation goes.
    #[garde(skip)]
    pub email: Email,
    /// How to address the person until they say otherwise: 1 to 200 characters.
    #[garde(custom(fields::name))]
    #[schema(min_length = 1, max_length = 200, example = "Ada Lovelace")]
    pub name: String,
    /// What they are to be.
    #[garde(skip)]
    pub role: Role,
    /// The groups they are to be in: 50 at most.
    #[garde(length(max = 50))]
    #[serde(default)]
    #[schema(max_items = 50)]
    pub groups: BTreeSet<GroupId>,
}

/// An invitation that was not accepted yet.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invitation)]
pub struct InvitationBody {
    /// Its id.
    pub id: InvitationId,
    /// Where it went.
    pub email: Email,
    /// How the person is addressed.
    #[schema(example = "Ada Lovelace")]
    pub name: String,
    /// What they are to be.
    pub role: Role,
    /// The groups they are to be in.
    pub groups: Vec<GroupId>,
    /// Who invited them.
    pub invited_by: UserId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
}

/// Invites; an earlier invitation of the same address is worth nothing from then on.
#[utoipa::path(
    post,
    path = "/api/v1/invitations",
    operation_id = "create_invitation",
    tag = "invitations",
    summary = "Invite somebody by mail",
    request_body = Request,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat a request safely: the first answer is given again for 24 h")),
    responses(
        (status = 201, description = "The invitation, good for seven days", body = InvitationBody),
        (status = 403, description = "permission_required"),
        (status = 409, description = "email_taken, request_in_progress"),
        (status = 422, description = "invalid_input (not_found: a group), idempotency_key_reused")
    ),
    extensions(("x-permission" = json!("users.manage")))
)]
pub async fn create_invitation(
    actor: Can<UsersManage>,
    State(app): State<App>,
    request: Idempotent<Request>,
) -> Result<Answer, Problem> {
    let (now, organization) = (app.context.clock.now(), actor.organization);
    let mut tx = app.context.db.begin(organization).await?;
    if let Some(answer) = request.replay(&mut tx, &actor, now).await? {
        return Ok(answer);
    }
    let body = &request.body;
    check(&mut tx, organization, body).await?;
    let invitation = InvitationBody {
        id: InvitationId::mint(),
        email: body.email.clone(),
        name: body.name.trim().to_owned(),
        role: body.role,
        groups: body.groups.iter().copied().collect(),
        invited_by: actor.user,
        created_at: now,
        expires_at: now + lasts(LetterKind::Invitation),
    };
    store(&mut tx, organization, &invitation).await?;
    let origin = Origin::from(&*actor);
    let event =
        InvitationCreated { invitation_id: invitation.id, role: body.role, groups: body.groups.clone() };
    append(&mut tx, organization, &origin, &event, now).await?;
    let kept = Kept { to: Addressee::Invited(invitation.id), kind: LetterKind::Invitation, email: None };
    letters::request(&mut tx, organization, kept, &origin, now).await?;
    let answer = Answer::created(&format!("/api/v1/invitations/{}", invitation.id), 1, &invitation)?;
    request.record(&mut tx, &actor, &answer, now).await?;
    tx.commit().await?;
    Ok(answer)
}

async fn check(tx: &mut Tx, organization: OrganizationId, body: &Request) -> Result<(), Problem> {
    let groups: Vec<Uuid> = body.groups.iter().map(|group| group.0).collect();
    let row = sqlx::query!(
        r#"select exists (select from users.account
                          where organization_id = $1 and email = $2 and removed_at is null) as "taken!",
                  (select count(*) from users.user_group where organization_id = $1 and id = any($3)) as "known!""#,
        organization.0,
        body.email.as_str(),
        &groups,
    )
    .fetch_one(&mut **tx)
    .await?;
    if row.taken {
        return Err(Error::EmailTaken.into());
    }
    if usize::try_from(row.known).is_ok_and(|known| known == groups.len()) {
        return Ok(());
    }
    let detail = "One of the groups does not exist.".to_owned();
    Err(Problem::invalid(vec![FieldError { pointer: "/groups".into(), code: "not_found".into(), detail }]))
}

async fn store(tx: &mut Tx, organization: OrganizationId, new: &InvitationBody) -> Result<(), sqlx::Error> {
    let groups: Vec<Uuid> = new.groups.iter().map(|group| group.0).collect();
    sqlx::query!(
        "delete from users.invitation where organization_id = $1 and (email = $2 or expires_at <= $3)",
        organization.0,
        new.email.as_str(),
        new.created_at.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "insert into users.invitation (organization_id, id, email, name, role, groups, invited_by, expires_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        organization.0,
        new.id.0,
        new.email.as_str(),
        new.name,
        new.role as Role,
        &groups,
        new.invited_by.0,
        new.expires_at.to_sqlx(),
        new.created_at.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
