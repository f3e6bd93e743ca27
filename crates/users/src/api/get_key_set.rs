//! `GET /.well-known/jwks.json`: the keys with which access tokens are verified.

use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderName, HeaderValue, header};
use jiff_sqlx::ToSqlx as _;
use platform::auth::{Jwk, KeySet};
use platform::http::{Json, Problem};

use crate::App;

/// Five minutes: as long as our own verifiers go without asking again.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// The keys in use, the signing one first; the one that will sign next stands here before it does.
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    operation_id = "get_key_set",
    tag = "auth",
    summary = "Read the keys that verify access tokens",
    responses((status = 200, description = "A JSON Web Key Set (RFC 7517)", body = KeySet))
)]
pub async fn get_key_set(
    State(app): State<App>,
) -> Result<([(HeaderName, HeaderValue); 1], Json<KeySet>), Problem> {
    let mut tx = app.context.db.begin_without_organization().await?;
    let rows = sqlx::query!(
        "select id, public_key from users.signing_key where expires_at is null or expires_at > $1
         order by signs_from <= $1 desc, signs_from desc, id desc",
        app.context.clock.now().to_sqlx(),
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let keys = rows.iter().map(|row| Jwk {
        kty: "OKP".into(),
        crv: "Ed25519".into(),
        x: URL_SAFE_NO_PAD.encode(&row.public_key),
        kid: row.id.to_string(),
        alg: "EdDSA".into(),
        usage: "sig".into(),
    });
    Ok(([(header::CACHE_CONTROL, CACHE)], Json(KeySet { keys: keys.collect() })))
}
