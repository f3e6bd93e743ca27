//! `POST /api/v1/auth/passkey/options`: what a browser needs to ask for a passkey; and the form of all such answers.

use axum::extract::State;
use http::{HeaderName, HeaderValue, header};
use platform::http::{Json, Problem};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::App;
use crate::passkey::{Begun, Purpose};

/// What a browser needs to ask an authenticator.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PasskeyOptions)]
pub struct Body {
    /// To be sent back with the answer, within five minutes; it works once.
    #[schema(max_length = 1024)]
    pub ceremony: String,
    /// For `PublicKeyCredential.parseRequestOptionsFromJSON`, or `parseCreationOptionsFromJSON` where a passkey is made.
    #[schema(value_type = Object, example = json!({"rpId": "localhost", "userVerification": "required", "challenge": "AAAAAAAAAAAAAAAAAAAAAA", "timeout": 300_000}))]
    pub options: Value,
}

/// Options are for the one who asked, never for a cache on the way.
pub(super) type Options = ([(HeaderName, HeaderValue); 1], Json<Body>);

/// The answer with options.
pub(super) fn options(begun: Begun) -> Options {
    let never = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    ([never], Json(Body { ceremony: begun.ceremony, options: begun.options }))
}

/// Begins to sign in with a passkey alone. Whoever asks is told the same, for nobody has said yet who they are.
#[utoipa::path(
    post,
    path = "/api/v1/auth/passkey/options",
    operation_id = "begin_passkey_login",
    tag = "auth",
    summary = "Begin to sign in with a passkey",
    responses(
        (status = 200, description = "What the browser is to be given", body = Body),
        (status = 409, description = "passkeys_unavailable")
    )
)]
pub async fn begin_passkey_login(State(app): State<App>) -> Result<Options, Problem> {
    let (keyring, now) = (&app.context.keyring, app.context.clock.now());
    Ok(options(app.relying_party()?.begin_assertion(keyring, Purpose::SignIn, now)?))
}
