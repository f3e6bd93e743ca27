//! The installation's signing keys, which follow one another: the first replica makes the first.

use std::sync::{Arc, PoisonError, RwLock};

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use kernel::KeyId;
use platform::auth::revocations::KEPT;
use platform::db::Tx;
use platform::http::Problem;
use platform::sealing::{Keyring, Place};
use platform::service::Context;

use crate::token::Signer;

/// How long a new key stands in the key set before it signs: longer than any verifier keeps a set.
pub const LEAD: SignedDuration = SignedDuration::from_mins(20);
/// The column of the private keys.
const PRIVATE_KEY: &str = "users.signing_key.private_key";
/// The first byte of a key that is not sealed (PKCS #8: a sequence of DER).
const PLAIN: u8 = 0x30;
/// How long a replica signs by what it last read of the keys; shorter than [`LEAD`], and so short that a key that was
/// withdrawn at once signs nothing for longer than verifiers take to hear of it.
const READ_AGAIN: SignedDuration = SignedDuration::from_secs(1);

/// The keys as a replica last read them.
#[derive(Debug, Clone, Default)]
pub struct Signers {
    known: Arc<RwLock<Option<Known>>>,
}

#[derive(Debug, Clone)]
struct Known {
    read_at: Timestamp,
    /// By when they begin to sign, the latest first.
    keys: Vec<(Timestamp, Signer)>,
}

impl Signers {
    /// The signer whose turn it is; the keys are read when that was long ago, and the first is made when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn current(&self, context: &Context, now: Timestamp) -> Result<Signer, Problem> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        let known = match known.filter(|known| now.duration_since(known.read_at).abs() < READ_AGAIN) {
            Some(known) => known,
            None => {
                let known = Known { read_at: now, keys: load_or_create(context, now).await? };
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known.clone());
                known
            }
        };
        let turn = known.keys.into_iter().find(|(from, _)| *from <= now);
        turn.map(|(_, signer)| signer).ok_or_else(|| Problem::internal(&"no signing key's time has come"))
    }
}

/// The keys that sign now or later, the latest first; the first one is made when there is none.
///
/// # Errors
/// When the database fails, or a key cannot be opened.
pub async fn load_or_create(context: &Context, now: Timestamp) -> Result<Vec<(Timestamp, Signer)>, Problem> {
    let keyring = &context.keyring;
    let mut tx = context.db.begin_without_organization().await?;
    let mut keys = load(&mut tx, keyring, now).await?;
    if keys.is_empty() {
        lock(&mut tx).await?;
        // Ours, or that of a replica that was faster.
        keys = load(&mut tx, keyring, now).await?;
        if keys.is_empty() {
            create(&mut tx, keyring, now, now).await?;
            keys = load(&mut tx, keyring, now).await?;
        }
    }
    tx.commit().await?;
    Ok(keys)
}

/// Makes a key that signs after [`LEAD`], or at once; tells when. The keys so far end when nothing that they signed can
/// be valid any more; at once, when they are not to be trusted: then everybody has to refresh.
///
/// # Errors
/// When the database fails.
pub async fn rotate(context: &Context, now: Timestamp, at_once: bool) -> Result<Timestamp, Problem> {
    let from = if at_once { now } else { now + LEAD };
    let mut tx = context.db.begin_without_organization().await?;
    lock(&mut tx).await?;
    let end = if at_once { now } else { from + KEPT };
    sqlx::query!(
        "update users.signing_key set expires_at = $1 where expires_at is null or expires_at > $1",
        end.to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    create(&mut tx, &context.keyring, from, now).await?;
    tx.commit().await?;
    Ok(from)
}

/// Seals the keys that the first sealing key has not sealed; how many there were.
///
/// # Errors
/// When one cannot be opened, or the database fails.
pub async fn seal(context: &Context) -> Result<usize, Problem> {
    let (keyring, mark) = (&context.keyring, context.keyring.mark()?);
    let mut tx = context.db.begin_without_organization().await?;
    lock(&mut tx).await?;
    let rows = sqlx::query!(r#"select id as "id: KeyId", private_key from users.signing_key"#);
    let rows = rows.fetch_all(&mut *tx).await?;
    let others: Vec<_> = rows.into_iter().filter(|row| !row.private_key.starts_with(&mark)).collect();
    for row in &others {
        let sealed = if row.private_key.first() == Some(&PLAIN) {
            keyring.seal(&place(row.id), &row.private_key)?
        } else {
            keyring.seal(&place(row.id), keyring.open(&place(row.id), &row.private_key)?.expose())?
        };
        sqlx::query!("update users.signing_key set private_key = $2 where id = $1", row.id.0, sealed)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(others.len())
}

/// Where a private key stands.
const fn place(id: KeyId) -> Place {
    Place { column: PRIVATE_KEY, organization: None, row: id.0 }
}

/// One at a time in the installation.
async fn lock(tx: &mut Tx) -> Result<(), sqlx::Error> {
    sqlx::query!("select pg_advisory_xact_lock(hashtext('reservas.users.signing_key'))::text")
        .fetch_one(&mut **tx)
        .await?;
    Ok(())
}

async fn load(tx: &mut Tx, keyring: &Keyring, now: Timestamp) -> Result<Vec<(Timestamp, Signer)>, Problem> {
    let rows = sqlx::query!(
        r#"select id as "id: KeyId", private_key, signs_from from users.signing_key
           where expires_at is null or expires_at > $1 order by signs_from desc, id desc"#,
        now.to_sqlx(),
    )
    .fetch_all(&mut **tx)
    .await?;
    let keys = rows.iter().map(|row| {
        let key = keyring.open(&place(row.id), &row.private_key)?;
        Ok((row.signs_from.to_jiff(), Signer::new(row.id, key.expose())))
    });
    keys.collect()
}

async fn create(tx: &mut Tx, keyring: &Keyring, from: Timestamp, now: Timestamp) -> Result<(), Problem> {
    let key = SigningKey::from_bytes(&rand::random());
    let private = key.to_pkcs8_der().map_err(|error| Problem::internal(&error))?;
    let public = key.verifying_key();
    let id = KeyId::mint();
    sqlx::query!(
        "insert into users.signing_key (id, private_key, public_key, signs_from, created_at)
         values ($1, $2, $3, $4, $5)",
        id.0,
        keyring.seal(&place(id), private.as_bytes())?,
        public.as_bytes(),
        from.to_sqlx(),
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
