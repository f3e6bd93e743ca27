//! Sign-ins on their way to an identity provider and back. Each stage has a token that takes it one further, once: the
//! statement that looks for it writes the next one, so of two at once one finds it.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{OrganizationId, SessionId, SignOnId, UserId};
use platform::db::Tx;

use crate::opaque_token::OpaqueToken;
use crate::single_sign_on::{CODE, FLOW, MOST_FLOWS};

/// Takes a sign-in one stage further: a request that was asked for, a `state`, a code.
pub type FlowToken = OpaqueToken<SignOnId>;

/// What a sign-in at the provider is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Purpose {
    /// A new session.
    SignIn,
    /// A fresh proof in a session.
    StepUp,
    /// To be able to sign in so from now on.
    Link,
}

/// What a client wants, and where it is.
#[derive(Debug, Clone)]
pub struct Wish {
    /// What for.
    pub purpose: Purpose,
    /// The provider.
    pub issuer: String,
    /// Where the browser is to be sent in the end; none for an answer to the browser itself.
    pub return_to: Option<String>,
    /// The challenge of the client's verifier; there with `return_to`.
    pub code_challenge: Option<String>,
    /// What the client wants back.
    pub client_state: Option<String>,
    /// Whether the session is to be remembered.
    pub remember: bool,
    /// Whose session it is about, and whether a second factor was shown in it just now; none for a new one.
    pub asker: Option<Asker>,
}

/// Who asks from within a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker {
    /// The account.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// Whether a second factor of ours was shown.
    pub second_factor: bool,
}

/// Who came back from the provider.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The account.
    pub user: UserId,
    /// Who that is to the provider.
    pub subject: String,
    /// Whether two factors were shown.
    pub second_factor: bool,
    /// When they were.
    pub authenticated_at: Timestamp,
}

/// A sign-in that is on its way.
#[derive(Debug, Clone)]
pub struct Flow {
    /// The organization.
    pub organization: OrganizationId,
    /// Its id.
    pub id: SignOnId,
    /// What it is for.
    pub wish: Wish,
    /// When it began.
    pub created_at: Timestamp,
}

/// A row as the database has it.
struct Row {
    purpose: Purpose,
    issuer: String,
    return_to: Option<String>,
    code_challenge: Option<String>,
    client_state: Option<String>,
    remember: bool,
    user_id: Option<UserId>,
    session_id: Option<SessionId>,
    second_factor: bool,
    subject: Option<String>,
    authenticated_at: Option<jiff_sqlx::Timestamp>,
    created_at: jiff_sqlx::Timestamp,
}

impl Row {
    fn flow(self, organization: OrganizationId, id: SignOnId) -> Flow {
        let asker = self.user_id.zip(self.session_id);
        let second_factor = self.second_factor;
        let wish = Wish {
            purpose: self.purpose,
            issuer: self.issuer,
            return_to: self.return_to,
            code_challenge: self.code_challenge,
            client_state: self.client_state,
            remember: self.remember,
            asker: asker.map(|(user, session)| Asker { user, session, second_factor }),
        };
        Flow { organization, id, wish, created_at: self.created_at.to_jiff() }
    }

    fn answered(&self) -> Option<Answered> {
        Some(Answered {
            user: self.user_id?,
            subject: self.subject.clone()?,
            second_factor: self.second_factor,
            authenticated_at: self.authenticated_at?.to_jiff(),
        })
    }
}

/// Remembers a wish; the token is for the browser that follows it. What has run out goes, and of too many the oldest.
///
/// # Errors
/// When the database fails.
pub async fn ask(
    tx: &mut Tx,
    organization: OrganizationId,
    wish: &Wish,
    now: Timestamp,
) -> Result<FlowToken, sqlx::Error> {
    sqlx::query!(
        "delete from users.sign_on_flow where organization_id = $1 and (expires_at <= $2
           or id in (select id from users.sign_on_flow where organization_id = $1 order by id desc offset $3))",
        organization.0,
        now.to_sqlx(),
        MOST_FLOWS - 1,
    )
    .execute(&mut **tx)
    .await?;
    let token = FlowToken::mint(organization, SignOnId::mint());
    sqlx::query!(
        "insert into users.sign_on_flow (organization_id, id, purpose, stage, hash, issuer, return_to, code_challenge,
                                         client_state, remember, user_id, session_id, second_factor, created_at, expires_at)
         values ($1, $2, $3, 'asked', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        organization.0,
        token.id.0,
        wish.purpose as Purpose,
        &token.hash(),
        wish.issuer,
        wish.return_to,
        wish.code_challenge,
        wish.client_state,
        wish.remember,
        wish.asker.map(|asker| asker.user.0),
        wish.asker.map(|asker| asker.session.0),
        wish.asker.is_some_and(|asker| asker.second_factor),
        now.to_sqlx(),
        (now + FLOW).to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(token)
}

/// A browser follows a wish to the provider: the new token is the `state`.
///
/// # Errors
/// When the database fails.
pub async fn send(
    tx: &mut Tx,
    asked: &FlowToken,
    browser: &[u8; 32],
    now: Timestamp,
) -> Result<Option<(FlowToken, Flow)>, sqlx::Error> {
    let state = FlowToken::mint(asked.organization, asked.id);
    let row = sqlx::query_as!(
        Row,
        r#"update users.sign_on_flow set stage = 'sent', hash = $4, browser_hash = $5
           where organization_id = $1 and id = $2 and hash = $3 and stage = 'asked' and expires_at > $6
           returning purpose as "purpose: Purpose", issuer, return_to, code_challenge, client_state, remember,
                     user_id as "user_id: UserId", session_id as "session_id: SessionId", second_factor, subject,
                     authenticated_at, created_at"#,
        asked.organization.0,
        asked.id.0,
        &asked.hash(),
        &state.hash(),
        browser,
        now.to_sqlx(),
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|row| (state, row.flow(asked.organization, asked.id))))
}

/// A browser comes back with a `state`, and with what it was given along with it.
///
/// # Errors
/// When the database fails.
pub async fn receive(
    tx: &mut Tx,
    state: &FlowToken,
    browser: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Flow>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"update users.sign_on_flow set stage = 'returned'
           where organization_id = $1 and id = $2 and hash = $3 and browser_hash = $4 and stage = 'sent' and expires_at > $5
           returning purpose as "purpose: Purpose", issuer, return_to, code_challenge, client_state, remember,
                     user_id as "user_id: UserId", session_id as "session_id: SessionId", second_factor, subject,
                     authenticated_at, created_at"#,
        state.organization.0,
        state.id.0,
        &state.hash(),
        browser,
        now.to_sqlx(),
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|row| row.flow(state.organization, state.id)))
}

/// It is known who came back; the code is for the client, which exchanges it.
///
/// # Errors
/// When the database fails.
pub async fn answer(
    tx: &mut Tx,
    flow: &Flow,
    answered: &Answered,
    now: Timestamp,
) -> Result<Option<FlowToken>, sqlx::Error> {
    let code = FlowToken::mint(flow.organization, flow.id);
    let updated = sqlx::query!(
        "update users.sign_on_flow
         set stage = 'answered', hash = $3, browser_hash = null, user_id = $4, subject = $5, second_factor = $6,
             authenticated_at = $7, expires_at = $8
         where organization_id = $1 and id = $2 and stage = 'returned'",
        flow.organization.0,
        flow.id.0,
        &code.hash(),
        answered.user.0,
        answered.subject,
        answered.second_factor,
        answered.authenticated_at.to_sqlx(),
        (now + CODE).to_sqlx(),
    );
    Ok((updated.execute(&mut **tx).await?.rows_affected() == 1).then_some(code))
}

/// It is over, whatever came of it.
///
/// # Errors
/// When the database fails.
pub async fn end(tx: &mut Tx, flow: &Flow) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from users.sign_on_flow where organization_id = $1 and id = $2",
        flow.organization.0,
        flow.id.0,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A client exchanges a code with the verifier of its challenge.
///
/// # Errors
/// When the database fails.
pub async fn redeem(
    tx: &mut Tx,
    code: &FlowToken,
    challenge: &str,
    now: Timestamp,
) -> Result<Option<(Flow, Answered)>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"delete from users.sign_on_flow
           where organization_id = $1 and id = $2 and hash = $3 and code_challenge = $4 and stage = 'answered'
             and expires_at > $5
           returning purpose as "purpose: Purpose", issuer, return_to, code_challenge, client_state, remember,
                     user_id as "user_id: UserId", session_id as "session_id: SessionId", second_factor, subject,
                     authenticated_at, created_at"#,
        code.organization.0,
        code.id.0,
        &code.hash(),
        challenge,
        now.to_sqlx(),
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let answered = row.answered();
    Ok(answered.map(|answered| (row.flow(code.organization, code.id), answered)))
}

/// Whether the session of who asks goes on.
///
/// # Errors
/// When the database fails.
pub async fn session_goes_on(
    tx: &mut Tx,
    organization: OrganizationId,
    asker: Asker,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from users.session
           where organization_id = $1 and id = $2 and user_id = $3 and ended_at is null and expires_at > $4
             and idle_until > $4) as "goes_on!""#,
        organization.0,
        asker.session.0,
        asker.user.0,
        now.to_sqlx(),
    )
    .fetch_one(&mut **tx)
    .await
}
