//! `POST /api/v1/auth/register`: someone makes an account of their own.

use axum::extract::State;
use contracts::users::LetterKind;
use garde::Validate;
use kernel::{Email, OrganizationId, Role, UserId};
use platform::config::Secret;
use platform::events::Origin;
use platform::http::{Correlation, Json, Problem};
use platform::idempotency::Answer;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{UserBody, fields};
use crate::App;
use crate::account::Account;
use crate::error::Error;
use crate::naming::Naming;
use crate::settings::{admits, check_password};
use crate::store::letters::{self, Addressee, Kept};
use crate::store::{accounts, organizations, settings};

/// Who registers, and where.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Register)]
pub struct Request {
    /// Where mail goes, and the name to sign in with.
    #[garde(skip)]
    pub email: Email,
    /// At least 15 characters, unless the installation says otherwise; at most 256.
    #[garde(custom(fields::password))]
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 256, example = "correct horse battery staple")]
    pub password: Secret,
    /// How to address the person: 1 to 200 characters.
    #[garde(custom(fields::name))]
    #[schema(min_length = 1, max_length = 200, example = "Ada Lovelace")]
    pub name: String,
    /// The slug of the organization; when absent, `X-Organization` or the host name says which, or there is only one.
    #[garde(length(chars, min = 1, max = 63))]
    #[schema(min_length = 1, max_length = 63, example = "default")]
    pub organization: Option<String>,
}

/// Registers.
#[utoipa::path(
    post,
    path = "/api/v1/auth/register",
    operation_id = "register",
    tag = "auth",
    summary = "Make an account of one's own",
    request_body = Request,
    responses(
        (status = 201, description = "The account; the answer is the same where the address has one already, whose owner is told by mail", body = UserBody),
        (status = 403, description = "registration_closed"),
        (status = 422, description = "invalid_input (password_too_short, password_guessable, password_common, password_weak, domain_not_admitted)"),
        (status = 503, description = "hashing_busy")
    )
)]
pub async fn register(
    State(app): State<App>,
    correlation: Correlation,
    naming: Naming,
    Json(request): Json<Request>,
) -> Result<Answer, Problem> {
    let found = organizations::find(&app.context.db, request.organization.as_deref(), &naming).await?;
    let organization = found.filter(|found| found.self_registration).ok_or(Error::RegistrationClosed)?.id;
    app.passwords.check("/password", &request.password, &request.email, &request.name).await?;
    obey(&app, organization, &request).await?;
    // No connection is held meanwhile.
    let hash = app.passwords.hash(&request.password).await?;
    let account = match make(&app, organization, &request, &hash, &correlation).await {
        // Somebody else was faster with the same address: now it is taken.
        Err(problem) if problem.code == "email_taken" => {
            make(&app, organization, &request, &hash, &correlation).await?
        }
        made => made?,
    };
    Answer::created(&format!("/api/v1/users/{}", account.id), account.version, &UserBody::from(account))
}

/// Makes the account, and has its address verified. Where the address has an account already, that one's owner is told
/// by mail, and the caller sees an account that nobody will ever find.
async fn make(
    app: &App,
    organization: OrganizationId,
    request: &Request,
    hash: &str,
    correlation: &Correlation,
) -> Result<Account, Problem> {
    let now = app.context.clock.now();
    let mut tx = app.context.db.begin(organization).await?;
    let defaults = organizations::load(&mut tx, organization).await?;
    let account = Account::new(&defaults, request.email.clone(), request.name.clone(), Role::User, now);
    let letter = match accounts::find(&mut tx, organization, &request.email).await? {
        Some(owner) => {
            accounts::lock(&mut tx, organization, owner).await?;
            Kept { to: Addressee::Account(owner), kind: LetterKind::RegistrationRepeated, email: None }
        }
        None => {
            let origin = origin(Some(account.id), correlation);
            accounts::create(&mut tx, organization, &account, hash, &origin).await?;
            Kept { to: Addressee::Account(account.id), kind: LetterKind::EmailVerification, email: None }
        }
    };
    letters::request(&mut tx, organization, letter, &origin(None, correlation), now).await?;
    tx.commit().await?;
    Ok(account)
}

fn origin(actor: Option<UserId>, correlation: &Correlation) -> Origin {
    Origin { actor, on_behalf_of: None, correlation: correlation.clone() }
}

/// Refuses an address or a password that the organization does not admit. Which addresses it has shows in neither.
async fn obey(app: &App, organization: OrganizationId, request: &Request) -> Result<(), Problem> {
    let mut tx = app.context.db.begin(organization).await?;
    let settings = settings::load(&mut tx, organization).await?.settings;
    tx.commit().await?;
    if !admits(&settings.email_domains, &request.email) {
        let detail = "The organization admits addresses of other domains only.";
        return Err(Problem::invalid_field("/email", "domain_not_admitted", detail));
    }
    check_password(&settings, "/password", &request.password)
}
