//! `POST /api/v1/me/second-factor/totp`: a secret for an app that makes codes.

use axum::extract::State;
use http::{HeaderName, HeaderValue, header};
use jiff_sqlx::ToSqlx as _;
use kernel::role::ProfileOwn;
use platform::auth::{Can, Fresh};
use platform::http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::error::Error;
use crate::second_factor;
use crate::store::{accounts, organizations, sealed, second_factor as store};

/// What the app is told. It is shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TotpSecret)]
pub struct Body {
    /// The secret (base32), for apps that take it by hand.
    #[schema(example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    pub secret: String,
    /// The same as a URL, to be shown as a QR code.
    #[schema(
        example = "otpauth://totp/Reservas%20Default:ada%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Reservas%20Default"
    )]
    pub url: String,
}

/// Makes a secret. Signing in takes no code until the first one has been sent to `…/confirm`.
#[utoipa::path(
    post,
    path = "/api/v1/me/second-factor/totp",
    operation_id = "start_totp",
    tag = "profile",
    summary = "Begin to set up a second factor",
    responses(
        (status = 200, description = "The secret, shown this once", body = Body),
        (status = 403, description = "step_up_required"),
        (status = 404, description = "not_found: the account has been removed"),
        (status = 409, description = "second_factor_enabled")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub async fn start_totp(
    actor: Can<ProfileOwn>,
    State(app): State<App>,
    _: Fresh,
) -> Result<([(HeaderName, HeaderValue); 1], Json<Body>), Problem> {
    let (organization, user) = (actor.organization, actor.user);
    let mut tx = app.context.db.begin(organization).await?;
    let account = accounts::lock(&mut tx, organization, user).await?;
    let account = account.ok_or_else(|| Problem::not_found("user"))?;
    if store::has_app(&mut tx, organization, user).await? {
        return Err(Error::SecondFactorEnabled.into());
    }
    let name = organizations::load(&mut tx, organization).await?.name;
    let secret = second_factor::secret();
    let sealed = app.context.keyring.seal(&sealed::totp(organization, user), &secret)?;
    sqlx::query!(
        "insert into users.totp (organization_id, user_id, secret, created_at) values ($1, $2, $3, $4)
         on conflict (organization_id, user_id) do update
         set secret = excluded.secret, created_at = excluded.created_at, last_step = 0",
        organization.0,
        user.0,
        sealed,
        app.context.clock.now().to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    let url = second_factor::url(&secret, &name, &account.email)?;
    let secret = second_factor::totp(&secret)?.secret().to_base32();
    let never = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(([never], Json(Body { secret, url })))
}
