//! The installation's signing key, which the first replica makes.

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::KeyId;
use platform::db::Db;
use platform::http::Problem;

use crate::token::Signer;

/// The signer with the active key, which is made when there is none.
///
/// # Errors
/// When the database fails.
pub async fn load_or_create(db: &Db, now: Timestamp) -> Result<Signer, Problem> {
    if let Some(signer) = load(db).await? {
        return Ok(signer);
    }
    create(db, now).await?;
    // Ours, or that of a replica that was faster.
    load(db).await?.ok_or_else(|| Problem::internal(&"no signing key is active"))
}

async fn load(db: &Db) -> Result<Option<Signer>, Problem> {
    let mut tx = db.begin_without_organization().await?;
    let active = sqlx::query!(r#"select id as "id: KeyId", private_key from users.signing_key where active"#);
    let row = active.fetch_optional(&mut *tx).await?;
    tx.commit().await?;
    Ok(row.map(|row| Signer::new(row.id, &row.private_key)))
}

/// Makes an active key, unless another replica has.
async fn create(db: &Db, now: Timestamp) -> Result<(), Problem> {
    let key = SigningKey::from_bytes(&rand::random());
    let private = key.to_pkcs8_der().map_err(|error| Problem::internal(&error))?;
    let public = key.verifying_key();
    let mut tx = db.begin_without_organization().await?;
    sqlx::query!(
        "insert into users.signing_key (id, private_key, public_key, active, created_at)
         values ($1, $2, $3, true, $4) on conflict (active) where active do nothing",
        KeyId::mint().0,
        private.as_bytes(),
        public.as_bytes(),
        now.to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}
