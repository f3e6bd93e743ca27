//! What is asked of the service, one file per operation; and the account and the tokens as clients see them.

pub mod accept_invitation;
pub mod add_member;
pub mod add_passkey;
pub mod begin_passkey;
pub mod begin_passkey_login;
pub mod begin_step_up;
pub mod change_email;
pub mod change_password;
pub mod confirm_email;
pub mod confirm_totp;
pub mod create_api_key;
pub mod create_group;
pub mod create_invitation;
pub mod create_service_account;
pub mod create_user;
pub mod delete_group;
pub mod delete_group_rule;
pub mod delete_me;
pub mod delete_single_sign_on;
pub mod delete_user;
pub mod disable_second_factor;
pub mod end_other_sessions;
pub mod end_session;
pub mod export_me;
pub mod export_user;
pub mod export_users;
pub mod fields;
pub mod finish_single_sign_on;
pub mod forgot_password;
pub mod get_account;
pub mod get_contact;
pub mod get_key_set;
pub mod get_me;
pub mod get_organization;
pub mod get_read_only;
pub mod get_revocations;
pub mod get_sign_in_policy;
pub mod get_single_sign_on;
pub mod get_user;
pub mod get_users_audit;
pub mod import_users;
pub mod issue_token;
pub mod link_single_sign_on;
pub mod list_api_keys;
pub mod list_groups;
pub mod list_invitations;
pub mod list_passkeys;
pub mod list_sessions;
pub mod list_users;
pub mod login;
pub mod logout;
pub mod make_reset_link;
pub mod operator;
pub mod pages;
pub mod passkey_login;
pub mod proof;
pub mod put_group_rule;
pub mod put_sign_in_policy;
pub mod put_single_sign_on;
pub mod redeem_single_sign_on;
pub mod refresh;
pub mod register;
mod remit;
pub mod remove_member;
pub mod remove_passkey;
pub mod replace_recovery_codes;
pub mod resend_verification;
pub mod reset_password;
pub mod revoke_api_key;
pub mod revoke_invitation;
pub mod scim;
pub mod second_factor_login;
pub mod sign_on;
pub mod sign_on_fields;
pub mod start_single_sign_on;
pub mod start_totp;
pub mod step_up;
pub mod step_up_single_sign_on;
pub mod unlink_single_sign_on;
pub mod update_me;
pub mod update_organization;
pub mod update_user;
pub mod verify_email;
pub mod write_letter;

use std::collections::{BTreeMap, BTreeSet};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use jiff::Timestamp;
use kernel::{Email, GroupId, Remit, Role, UserId};
use platform::http::{Json, Problem};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::App;
use crate::account::Account;
use crate::device;
use crate::opaque_token::RefreshToken;
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
    /// What the organization knows of them: set by administrators and provisioning, looked at by rules of groups.
    #[schema(example = json!({"department": "Physics"}))]
    pub attributes: BTreeMap<String, String>,
    /// What they are.
    pub role: Role,
    /// The places and people that they are limited to, as managers; none for the whole organization.
    pub remit: Option<Remit>,
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
            attributes: account.attributes,
            role: account.role,
            remit: account.remit,
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
    /// For new tokens, once; absent where the one so far stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The permissions that the access token is limited to, separated by spaces; absent where it has all of the role's. A
    /// session that lacks the second factor which the organization demands has `profile.own` alone until it gets one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "profile.own")]
    pub scope: Option<String>,
}

/// Tokens are for the one who asked, never for a cache on the way.
type TokensAnswer = ([(HeaderName, HeaderValue); 1], Json<Tokens>);

/// The tokens of a session, minted at a time that was read before the transaction ended: whoever changes afterwards what
/// the bearer may finds that their tokens are older.
async fn tokens(
    app: &App,
    bearer: Bearer,
    refresh_token: Option<&RefreshToken>,
    now: Timestamp,
) -> Result<TokensAnswer, Problem> {
    let seconds = app.config.access_token_minutes * 60;
    let tokens = Tokens {
        scope: bearer.scope.clone().map(String::from),
        access_token: app.signer().await?.mint(bearer, now, seconds)?,
        token_type: "Bearer",
        expires_in: seconds,
        refresh_token: refresh_token.map(RefreshToken::text),
    };
    Ok(([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(tokens)))
}

/// The `User-Agent` of a request, as it is kept.
fn agent(headers: &HeaderMap) -> Option<String> {
    headers.get(header::USER_AGENT).map(|value| device::plain(&String::from_utf8_lossy(value.as_bytes())))
}
