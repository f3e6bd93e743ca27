//! Letters: asked for with an event, written when they are sent, and redeemed once.

use contracts::users::{Letter, LetterKind, LetterRequested};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{Email, InvitationId, LetterId, OrganizationId, UserId};
use platform::db::Tx;
use platform::events::{self, Origin};
use platform::http::Problem;
use subtle::ConstantTimeEq as _;

use crate::error::Error;
use crate::letter::{has_link, lasts, pause};
use crate::opaque_token::LetterToken;
use crate::store::settings;

/// To whom a letter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressee {
    /// The owner of an account.
    Account(UserId),
    /// Somebody who is invited.
    Invited(InvitationId),
}

/// What a letter is, as kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// To whom.
    pub to: Addressee,
    /// What for.
    pub kind: LetterKind,
    /// Where it goes, when that is not the addressee's address.
    pub email: Option<Email>,
}

const fn word(kind: LetterKind) -> &'static str {
    match kind {
        LetterKind::EmailVerification => "email_verification",
        LetterKind::Invitation => "invitation",
        LetterKind::RegistrationRepeated => "registration_repeated",
        LetterKind::EmailChange => "email_change",
        LetterKind::EmailChangeAsked => "email_change_asked",
        LetterKind::EmailChanged => "email_changed",
    }
}

/// Asks for a letter, unless the same account was sent one of the kind a moment ago. The account is locked.
///
/// # Errors
/// When the database fails.
pub async fn request(
    tx: &mut Tx,
    organization: OrganizationId,
    kept: Kept,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), Problem> {
    let (user, invitation) = match kept.to {
        Addressee::Account(user) => (Some(user), None),
        Addressee::Invited(invitation) => (None, Some(invitation)),
    };
    let id = LetterId::mint();
    // What has run out, of no more use, goes.
    sqlx::query!(
        "delete from users.letter where organization_id = $1 and user_id = $2 and expires_at <= $3",
        organization.0,
        user.map(|user| user.0),
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    let made = sqlx::query!(
        "insert into users.letter (organization_id, id, kind, user_id, invitation_id, expires_at, created_at, email)
         select $1, $2, $3, $4, $5, $6, $7, $9
         where not exists (select from users.letter where organization_id = $1 and user_id = $4 and kind = $3
                           and created_at > $8)",
        organization.0,
        id.0,
        word(kept.kind),
        user.map(|user| user.0),
        invitation.map(|invitation| invitation.0),
        (now + lasts(kept.kind)).to_sqlx(),
        now.to_sqlx(),
        (now - pause(kept.kind)).to_sqlx(),
        kept.email.as_ref().map(Email::as_str),
    )
    .execute(&mut **tx)
    .await?;
    if made.rows_affected() == 1 {
        let event = LetterRequested { letter_id: id, kind: kept.kind, user_id: user };
        events::append(tx, organization, origin, &event, now).await?;
    }
    Ok(())
}

/// Writes a letter: a new token for its link, which makes one of an earlier writing worthless.
///
/// # Errors
/// 404 when it has run out, was redeemed, or its addressee is gone; or when the database fails.
pub async fn write(
    tx: &mut Tx,
    organization: OrganizationId,
    id: LetterId,
    now: Timestamp,
) -> Result<Letter, Problem> {
    let token = LetterToken::mint(organization, id);
    let row = sqlx::query!(
        r#"update users.letter l set hash = $4
           from users.letter o
           left join users.account a on a.organization_id = o.organization_id and a.id = o.user_id and a.removed_at is null
           left join users.invitation i on i.organization_id = o.organization_id and i.id = o.invitation_id
           where l.organization_id = $1 and l.id = $2 and l.expires_at > $3
             and o.organization_id = l.organization_id and o.id = l.id and coalesce(a.email, i.email) is not null
           returning l.kind, l.expires_at, coalesce(l.email, a.email, i.email) as "email!", coalesce(a.name, i.name) as "name!",
                     a.locale as "locale?""#,
        organization.0,
        id.0,
        now.to_sqlx(),
        &token.hash(),
    )
    .fetch_optional(&mut **tx)
    .await?
    .ok_or_else(|| Problem::not_found("letter"))?;
    let kind = serde_json::from_value(row.kind.into()).map_err(|error| Problem::internal(&error))?;
    let settings = settings::load(tx, organization).await?.settings;
    let email = Email::try_from(row.email).map_err(|error| Problem::internal(&error))?;
    Ok(Letter {
        kind,
        email,
        name: row.name,
        locale: row.locale.unwrap_or(settings.locale),
        organization: settings.name,
        branding: settings.branding,
        token: has_link(kind).then(|| token.text()),
        expires_at: row.expires_at.to_jiff(),
    })
}

/// Takes back the letters of a kind to an account: their links open nothing any more.
///
/// # Errors
/// When the database fails.
pub async fn forget(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    kind: LetterKind,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from users.letter where organization_id = $1 and user_id = $2 and kind = $3",
        organization.0,
        user.0,
        word(kind),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes a letter of a kind by the token of its link; nobody can a second time.
///
/// # Errors
/// 422 `invalid_link`, or when the database fails.
pub async fn redeem(
    tx: &mut Tx,
    token: &LetterToken,
    kind: LetterKind,
    now: Timestamp,
) -> Result<Kept, Problem> {
    // As everywhere the account before its letters: who takes letters back has locked the account.
    sqlx::query!(
        "select from users.account where organization_id = $1
           and id = (select user_id from users.letter where organization_id = $1 and id = $2) for no key update",
        token.organization.0,
        token.id.0,
    )
    .fetch_optional(&mut **tx)
    .await?;
    let row = sqlx::query!(
        r#"select user_id as "user_id: UserId", invitation_id as "invitation_id: InvitationId", hash as "hash!", email
           from users.letter
           where organization_id = $1 and id = $2 and kind = $3 and expires_at > $4 and hash is not null for update"#,
        token.organization.0,
        token.id.0,
        word(kind),
        now.to_sqlx(),
    )
    .fetch_optional(&mut **tx)
    .await?
    .ok_or(Error::InvalidLink)?;
    if !bool::from(row.hash.as_slice().ct_eq(&token.hash())) {
        return Err(Error::InvalidLink.into());
    }
    sqlx::query!(
        "delete from users.letter where organization_id = $1 and id = $2",
        token.organization.0,
        token.id.0,
    )
    .execute(&mut **tx)
    .await?;
    let to = match (row.user_id, row.invitation_id) {
        (Some(user), _) => Addressee::Account(user),
        (None, Some(invitation)) => Addressee::Invited(invitation),
        (None, None) => return Err(Error::InvalidLink.into()),
    };
    let email = row.email.map(Email::try_from).transpose().map_err(|error| Problem::internal(&error))?;
    Ok(Kept { to, kind, email })
}
