//! `POST /api/v1/invitations`: an administrator invites somebody to make an account of their own.

use std::collections::BTreeSet;

use axum::extract::State;
use contracts::users::{InvitationCreated, LetterKind};
use garde::Validate;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::role::UsersManage;
use kernel::{Email, GroupId, InvitationId, OrganizationId, Remit, Role, UserId};
use platform::auth::Can;
use platform::db::Tx;
use platform::events::{Origin, append};
use platform::http::Problem;
use platform::idempotency::{Answer, Idempotent};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{fields, remit};
use crate::App;
use crate::error::Error;
use crate::giving;
use crate::letter::lasts;
use crate::store::letters::{self, Addressee, Kept};
use crate::store::{accounts, memberships};

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
    /// The places and people that they are to be limited to, as managers; absent for the whole organization.
    #[garde(inner(custom(fields::remit)))]
    pub remit: Option<Remit>,
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
    /// The places and people that they are to be limited to, as managers; none for the whole organization.
    pub remit: Option<Remit>,
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
        (status = 403, description = "permission_required; for a role above user: beyond_own_rights, step_up_required"),
        (status = 409, description = "email_taken, request_in_progress"),
        (status = 422, description = "invalid_input (not_found: a group, managers_only), idempotency_key_reused")
    ),
    extensions(("x-permission" = json!("users.manage")))
)]
pub async fn create_invitation(
    actor: Can<UsersManage>,
    State(app): State<App>,
    request: Idempotent<Request>,
) -> Result<Answer, Problem> {
    let (now, organization) = (app.context.clock.now(), actor.organization);
    giving::check(&actor, &[request.body.role], now)?;
    let mut tx = app.context.db.begin(organization).await?;
    if let Some(answer) = request.replay(&mut tx, &actor, now).await? {
        return Ok(answer);
    }
    let body = &request.body;
    check(&mut tx, organization, body).await?;
    remit::check(&mut tx, organization, body.role, body.remit.as_ref()).await?;
    let invitation = InvitationBody {
        id: InvitationId::mint(),
        email: body.email.clone(),
        name: body.name.trim().to_owned(),
        role: body.role,
        remit: body.remit.clone(),
        groups: body.groups.iter().copied().collect(),
        invited_by: actor.user,
        created_at: now,
        expires_at: now + lasts(LetterKind::Invitation),
    };
    store(&mut tx, organization, &invitation).await?;
    let origin = Origin::from(&*actor);
    let event = InvitationCreated {
        invitation_id: invitation.id,
        role: body.role,
        remit: body.remit.clone(),
        groups: body.groups.clone(),
    };
    append(&mut tx, organization, &origin, &event, now).await?;
    let kept = Kept { to: Addressee::Invited(invitation.id), kind: LetterKind::Invitation, email: None };
    letters::request(&mut tx, organization, kept, &origin, now).await?;
    let answer = Answer::created(&format!("/api/v1/invitations/{}", invitation.id), 1, &invitation)?;
    request.record(&mut tx, &actor, &answer, now).await?;
    tx.commit().await?;
    Ok(answer)
}

async fn check(tx: &mut Tx, organization: OrganizationId, body: &Request) -> Result<(), Problem> {
    if accounts::find(tx, organization, &body.email).await?.is_some() {
        return Err(Error::EmailTaken.into());
    }
    if memberships::are_groups(tx, organization, &body.groups).await? {
        return Ok(());
    }
    Err(Problem::invalid_field("/groups", "not_found", "One of the groups does not exist."))
}

async fn store(tx: &mut Tx, organization: OrganizationId, new: &InvitationBody) -> Result<(), sqlx::Error> {
    let groups: Vec<Uuid> = new.groups.iter().map(|group| group.0).collect();
    // One of two at the same time comes after the other, and takes its place.
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended('reservas.users.invitation' || $1::text || $2, 0))::text",
        organization.0.to_string(),
        new.email.as_str(),
    )
    .fetch_one(&mut **tx)
    .await?;
    sqlx::query!(
        "delete from users.invitation where organization_id = $1 and (email = $2 or expires_at <= $3)",
        organization.0,
        new.email.as_str(),
        new.created_at.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "insert into users.invitation (organization_id, id, email, name, role, groups, invited_by, expires_at, created_at, remit)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        organization.0,
        new.id.0,
        new.email.as_str(),
        new.name,
        new.role as Role,
        &groups,
        new.invited_by.0,
        new.expires_at.to_sqlx(),
        new.created_at.to_sqlx(),
        new.remit.as_ref().map(Json) as Option<Json<&Remit>>,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
