//! What is asked of the service, one file per operation; and the account and the tokens as clients see them.

pub mod accept_invitation;
pub mod add_member;
pub mod change_email;
pub mod change_password;
pub mod confirm_email;
pub mod create_group;
pub mod create_invitation;
pub mod create_user;
pub mod delete_group;
pub mod delete_user;
pub mod fields;
pub mod get_account;
pub mod get_contact;
pub mod get_key_set;
pub mod get_me;
pub mod get_organization;
pub mod get_read_only;
pub mod get_user;
pub mod import_users;
pub mod list_groups;
pub mod list_invitations;
pub mod list_users;
pub mod login;
pub mod logout;
pub mod operator;
pub mod refresh;
pub mod register;
pub mod remove_member;
pub mod resend_verification;
pub mod revoke_invitation;
pub mod update_me;
pub mod update_organization;
pub mod update_user;
pub mod verify_email;
pub mod write_letter;

use std::collections::BTreeSet;

use http::{HeaderName, HeaderValue, header};
use jiff::Timestamp;
use kernel::{Email, GroupId, Role, UserId};
use platform::http::{Json, Problem};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::App;
use crate::account::Account;
use crate::refresh_token::RefreshToken;
use crate::token::Bearer;

/// An account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserBody {
    /// Its id.
    pub id: UserId,
    /// Where mail goes, and the name to sign in with.
    pub email: Email,
    /// How to address the person.
    #[schema(example = "Ada Lovelace")]
    pub name: String,
    /// Their language (BCP 47).
    #[schema(example = "en-GB")]
    pub locale: String,
    /// Their zone (IANA).
    #[schema(example = "Europe/London")]
    pub time_zone: String,
    /// Their phone number (E.164).
    #[schema(example = "+436641234567")]
    pub phone: Option<String>,
    /// Where a picture of them is.
    #[schema(example = "https://example.edu/ada.png")]
    pub picture_url: Option<String>,
    /// What programs remember for them.
    #[schema(value_type = Object, example = json!({"theme": "dark"}))]
    pub preferences: Value,
    /// What they are.
    pub role: Role,
    /// Whether they may sign in.
    pub active: bool,
    /// Whether the address was shown to be theirs, or an administrator vouches for it.
    pub email_verified: bool,
    /// The groups they are in.
    pub groups: BTreeSet<GroupId>,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl From<Account> for UserBody {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            email: account.email,
            name: account.name,
            locale: account.locale,
            time_zone: account.time_zone,
            phone: account.phone,
            picture_url: account.picture_url,
            preferences: account.preferences,
            role: account.role,
            active: account.active,
            email_verified: account.email_verified,
            groups: account.groups,
            version: account.version,
            created_at: account.created_at,
            updated_at: account.updated_at,
        }
    }
}

/// What a sign-in gives (RFC 6749, section 5.1).
#[derive(Serialize, ToSchema)]
pub struct Tokens {
    /// To be sent as a bearer token.
    pub access_token: String,
    /// `Bearer`.
    #[schema(value_type = String, example = "Bearer")]
    pub token_type: &'static str,
    /// Seconds that the access token is valid.
    #[schema(example = 900)]
    pub expires_in: u32,
    /// For new tokens, once.
    pub refresh_token: String,
}

/// Tokens are for the one who asked, never for a cache on the way.
type TokensAnswer = ([(HeaderName, HeaderValue); 1], Json<Tokens>);

async fn tokens(app: &App, bearer: Bearer, refresh_token: &RefreshToken) -> Result<TokensAnswer, Problem> {
    let minutes = app.config.access_token_minutes;
    let tokens = Tokens {
        access_token: app.signer().await?.mint(bearer, app.context.clock.now(), minutes)?,
        token_type: "Bearer",
        expires_in: minutes * 60,
        refresh_token: refresh_token.text(),
    };
    Ok(([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(tokens)))
}
