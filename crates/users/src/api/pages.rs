//! `GET /verify-email`, `/confirm-email`, `/accept-invitation`, `/reset-password`: where the links of mails lead. They take no
//! token: it stands after `#`, and their button sends it to the operation that it is for.

use axum::response::Response;
use http::HeaderMap;
use platform::http::Problem;

use crate::pages::Page;

/// The page that verifies an address.
#[utoipa::path(
    get,
    path = "/verify-email",
    operation_id = "show_verify_email",
    tag = "pages",
    summary = "Show the page that verifies an e-mail address",
    responses((status = 200, description = "A page in English, Portuguese or Spanish", body = String, content_type = "text/html"))
)]
pub async fn show_verify_email(headers: HeaderMap) -> Result<Response, Problem> {
    Page::VerifyEmail.show(&headers)
}

/// The page that confirms another address.
#[utoipa::path(
    get,
    path = "/confirm-email",
    operation_id = "show_confirm_email",
    tag = "pages",
    summary = "Show the page that confirms a new e-mail address",
    responses((status = 200, description = "A page in English, Portuguese or Spanish", body = String, content_type = "text/html"))
)]
pub async fn show_confirm_email(headers: HeaderMap) -> Result<Response, Problem> {
    Page::ConfirmEmail.show(&headers)
}

/// The page that makes the account of an invitation.
#[utoipa::path(
    get,
    path = "/accept-invitation",
    operation_id = "show_accept_invitation",
    tag = "pages",
    summary = "Show the page that accepts an invitation",
    responses((status = 200, description = "A page in English, Portuguese or Spanish", body = String, content_type = "text/html"))
)]
pub async fn show_accept_invitation(headers: HeaderMap) -> Result<Response, Problem> {
    Page::AcceptInvitation.show(&headers)
}

/// The page that sets a new password.
#[utoipa::path(
    get,
    path = "/reset-password",
    operation_id = "show_reset_password",
    tag = "pages",
    summary = "Show the page that sets a new password",
    responses((status = 200, description = "A page in English, Portuguese or Spanish", body = String, content_type = "text/html"))
)]
pub async fn show_reset_password(headers: HeaderMap) -> Result<Response, Problem> {
    Page::ResetPassword.show(&headers)
}
