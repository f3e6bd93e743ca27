//! `Idempotency-Key`: the same key with the same body replays the first answer for 24 hours.
//!
//! The answer is kept in PostgreSQL in the transaction of its effect: either both are there or neither is.

pub mod prune;

use axum::extract::{FromRef, FromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use kernel::Kind;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;

use crate::auth::Actor;
use crate::db::{OnConstraint as _, Tx};
use crate::http::extract::{json_bytes, parse};
use crate::http::{ETag, Problem};
use crate::internal::InternalToken;

/// How long an answer is replayed.
pub(crate) const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// The longest key.
const LONGEST: usize = 255;

/// A JSON body with the request's idempotency key, if it has one.
#[derive(Debug)]
pub struct Idempotent<T> {
    /// The body, parsed and validated.
    pub body: T,
    key: Option<Key>,
}

/// What identifies a request that may be repeated.
#[derive(Debug, Clone)]
struct Key {
    text: String,
    /// Of method, path and body.
    fingerprint: Vec<u8>,
}

impl<S, T> FromRequest<S> for Idempotent<T>
where
    S: Send + Sync,
    InternalToken: FromRef<S>,
    T: DeserializeOwned + garde::Validate<Context = ()>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let text = key_text(request.headers())?;
        let mut hash = Sha256::new();
        hash.update(format!("{} {}\n", request.method(), request.uri()));
        let bytes = json_bytes(request).await?;
        hash.update(&bytes);
        // Keyed, because a body may hold a password: a stolen table must not be a list to guess against.
        let secret = InternalToken::from_ref(state);
        let keyed = Sha256::new().chain_update(secret.0.expose()).chain_update(hash.finalize());
        let fingerprint = keyed.finalize().to_vec();
        let key = text.map(|text| Key { text, fingerprint });
        Ok(Self { body: parse(&bytes)?, key })
    }
}

fn key_text(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(text) if (1..=LONGEST).contains(&text.len()) => Ok(Some(text.to_owned())),
        _ => Err(Problem::new(
            Kind::Malformed,
            "invalid_idempotency_key",
            "Idempotency-Key is 1 to 255 plain characters.",
        )),
    }
}

/// An answer that can be kept and given again.
#[derive(Debug, Clone)]
pub struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Vec<u8>,
}

impl Answer {
    /// 201 with the place and version of what was created.
    ///
    /// # Errors
    /// 500 when the body cannot be written as JSON.
    pub fn created<T: Serialize>(location: &str, version: i64, body: &T) -> Result<Self, Problem> {
        let mut answer = Self::ok(version, body)?;
        answer.status = StatusCode::CREATED;
        answer.headers.extend(HeaderValue::from_str(location).ok().map(|value| (header::LOCATION, value)));
        Ok(answer)
    }

    /// 200 with the version of what was changed.
    ///
    /// # Errors
    /// 500 when the body cannot be written as JSON.
    pub fn ok<T: Serialize>(version: i64, body: &T) -> Result<Self, Problem> {
        let body = serde_json::to_vec(body).map_err(|error| Problem::internal(&error))?;
        Ok(Self { status: StatusCode::OK, headers: vec![ETag(version).header()], body })
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().extend(self.headers);
        response
    }
}

impl<T> Idempotent<T> {
    /// The first answer, when this is a repetition. To be asked first thing in the transaction of the effect.
    ///
    /// # Errors
    /// 409 while the first request is under way for longer than a second; 422 when the key came with another body.
    pub async fn replay(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Option<Answer>, Problem> {
        let Some(key) = &self.key else { return Ok(None) };
        lock(tx, actor, &key.text).await?;
        let row = sqlx::query(
            // One statement sets the usual patience again and looks: a row of nulls when there is no answer.
            "select fingerprint, status, headers, body, created_at > $4 as fresh
             from set_config('lock_timeout', '10s', true)
             left join idempotency_key on organization_id = $1 and user_id = $2 and key = $3",
        )
        .bind(actor.organization.0)
        .bind(actor.user.0)
        .bind(&key.text)
        .bind((now - KEPT).to_sqlx())
        .fetch_one(&mut **tx)
        .await?;
        let Some(fresh) = row.try_get::<Option<bool>, _>("fresh")? else { return Ok(None) };
        if !fresh {
            self.forget(tx, actor, &key.text).await?;
            return Ok(None);
        }
        if row.try_get::<Vec<u8>, _>("fingerprint")? != key.fingerprint {
            let detail = "This Idempotency-Key was used with another request.";
            return Err(Problem::new(Kind::Invalid, "idempotency_key_reused", detail));
        }
        stored(&row).map(Some)
    }

    async fn forget(&self, tx: &mut Tx, actor: &Actor, key: &str) -> Result<(), Problem> {
        sqlx::query("delete from idempotency_key where organization_id = $1 and user_id = $2 and key = $3")
            .bind(actor.organization.0)
            .bind(actor.user.0)
            .bind(key)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// Keeps the answer. To be called last thing before the commit.
    ///
    /// # Errors
    /// 409 when a request with the same key came first after all.
    pub async fn record(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        answer: &Answer,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let Some(key) = &self.key else { return Ok(()) };
        let headers: Vec<_> = answer
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()))
            .collect();
        sqlx::query(
            "insert into idempotency_key (organization_id, user_id, key, fingerprint, status, headers, body, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(actor.organization.0)
        .bind(actor.user.0)
        .bind(&key.text)
        .bind(&key.fingerprint)
        .bind(i16::try_from(answer.status.as_u16()).unwrap_or(200))
        .bind(sqlx::types::Json(headers))
        .bind(&answer.body)
        .bind(now.to_sqlx())
        .execute(&mut **tx)
        .await
        .on_constraint("idempotency_key_pkey", in_progress)?;
        Ok(())
    }
}

/// Waits for a request with the same key that is under way, for a second at most: most are over by then, and the
/// repetition can be answered instead of refused. In a statement of its own, so that what follows sees its outcome, and has
/// to set the patience of locks again.
async fn lock(tx: &mut Tx, actor: &Actor, key: &str) -> Result<(), Problem> {
    let lock = sqlx::query(
        "select set_config('lock_timeout', '1s', true),
                pg_advisory_xact_lock(hashtextextended($1::text || $2::text || $3, 0))",
    );
    let locked = lock.bind(actor.organization.0).bind(actor.user.0).bind(key).execute(&mut **tx).await;
    locked.map_err(|error| {
        match error.as_database_error().and_then(|database| database.code()).as_deref() {
            Some("55P03") => in_progress(),
            _ => error.into(),
        }
    })?;
    Ok(())
}

fn in_progress() -> Problem {
    Problem::new(
        Kind::Conflict,
        "request_in_progress",
        "The first request with this Idempotency-Key is still under way.",
    )
}

fn stored(row: &sqlx::postgres::PgRow) -> Result<Answer, Problem> {
    let status: i16 = row.try_get("status")?;
    let sqlx::types::Json(headers) = row.try_get::<sqlx::types::Json<Vec<(String, String)>>, _>("headers")?;
    let headers = headers.iter().filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)));
    Ok(Answer {
        status: u16::try_from(status)
            .ok()
            .and_then(|code| StatusCode::from_u16(code).ok())
            .unwrap_or(StatusCode::OK),
        headers: headers.collect(),
        body: row.try_get("body")?,
    })
}
