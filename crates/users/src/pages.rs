//! The pages that links in mails lead to: small, with all that they need in them, in the reader's language.
//!
//! The token stands after `#`, so that no server sees it before somebody presses the button: what scans mails and opens
//! their links uses none up.

pub mod words;

use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use platform::http::Problem;
use sha2::{Digest as _, Sha256};

use words::Language;

const STYLE: &str = include_str!("pages/page.css");
const SCRIPT: &str = include_str!("pages/page.js");

/// A page that a mail's link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Verifies an address.
    VerifyEmail,
    /// Confirms another address.
    ConfirmEmail,
    /// Makes the account of an invitation.
    AcceptInvitation,
    /// Sets a new password.
    ResetPassword,
}

impl Page {
    /// The operation that its button asks.
    const fn operation(self) -> &'static str {
        match self {
            Self::VerifyEmail => "/api/v1/auth/verify-email",
            Self::ConfirmEmail => "/api/v1/auth/confirm-email",
            Self::AcceptInvitation => "/api/v1/auth/accept-invitation",
            Self::ResetPassword => "/api/v1/auth/reset-password",
        }
    }

    /// The member of its request that takes a new password, if one does.
    const fn password(self) -> Option<&'static str> {
        match self {
            Self::VerifyEmail | Self::ConfirmEmail => None,
            Self::AcceptInvitation => Some("password"),
            Self::ResetPassword => Some("new_password"),
        }
    }

    /// The page for whoever sends these headers.
    ///
    /// # Errors
    /// 500 when a header cannot be written.
    pub fn show(self, headers: &HeaderMap) -> Result<Response, Problem> {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let language = Language::of(accepted.unwrap_or_default());
        let policy = HeaderValue::from_str(&policy()).map_err(|error| Problem::internal(&error))?;
        let headers: [(HeaderName, HeaderValue); 7] = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag())),
            (header::CONTENT_SECURITY_POLICY, policy),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (header::VARY, HeaderValue::from_static("Accept-Language")),
        ];
        Ok((headers, self.html(language)).into_response())
    }

    fn html(self, language: Language) -> String {
        let (page, common) = (words::of(self, language), words::common(language));
        let field = self.password().map_or_else(String::new, |name| {
            format!(
                "<label for=\"password\">{}</label>\n<input id=\"password\" name=\"{name}\" type=\"password\" \
                 autocomplete=\"new-password\" required maxlength=\"256\">\n",
                common.password
            )
        });
        // Every word is ours, and none has a sign that HTML would read.
        format!(
            "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"robots\" content=\"noindex\">\n<style>{STYLE}</style>\n</head>\n<body>\n\
             <main data-done=\"{}\" data-missing=\"{}\" data-invalid=\"{}\" data-failed=\"{}\">\n<h1>{title}</h1>\n\
             <form data-post=\"{}\">\n<p>{}</p>\n{field}<button type=\"submit\">{}</button>\n</form>\n\
             <p role=\"status\"></p>\n<noscript><p>{}</p></noscript>\n</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
            language.tag(),
            page.done,
            common.missing,
            common.invalid,
            common.failed,
            self.operation(),
            page.intro,
            page.button,
            common.script,
            title = page.title,
        )
    }
}

/// Nothing but our own script and style, and calls of our own API (Content Security Policy, level 3).
fn policy() -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
}
