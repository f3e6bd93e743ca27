//! Buckets that several gateways share: in Redis, one atomic script for each request, by the clock of the server.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError, Script};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::breaker::Breaker;
use crate::config::{Breaker as Rules, Rate};
use crate::limiter::Taken;

/// No answer from Redis within this time, and the gateway decides by itself.
const TIMEOUT: Duration = Duration::from_millis(50);
/// How long Redis is left alone after it has failed; then one request tries again.
const LEFT_ALONE: Duration = Duration::from_secs(1);
/// No bucket takes longer to fill than this: beyond it the script's whole numbers would no longer be exact.
const LONGEST: f64 = 366.0 * 24.0 * 3600.0 * 1e6;

/// The generic cell rate algorithm: the one number that is kept is when the bucket will be full again, in microseconds
/// since 1970. ARGV: microseconds until one token comes back, and until all do. Gives whether a token was taken, the
/// microseconds to wait if not, and those until the bucket is full.
const TAKE: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local each, all = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = tonumber(redis.call('GET', KEYS[1]) or now)
if full < now then full = now end
local next = full + each
if next - now > all then
    return {0, next - now - all, full - now}
end
redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000))
return {1, 0, next - now}
";

/// Where the shared buckets are.
pub struct Store {
    redis: ConnectionManager,
    script: Script,
    breaker: Breaker,
    /// Whether it was said that Redis is away.
    away: AtomicBool,
}

impl Store {
    /// Redis need not be there: it is asked when there is something to ask.
    ///
    /// # Errors
    /// When the address is not one of Redis.
    pub fn new(url: &str) -> Result<Self, String> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(TIMEOUT))
            .set_number_of_retries(1);
        let manager = || -> Result<ConnectionManager, RedisError> {
            ConnectionManager::new_lazy_with_config(Client::open(url)?, config)
        };
        let rules = Rules { max_errors: 0, timeout: LEFT_ALONE, interval: Duration::ZERO, count_5xx: false };
        Ok(Self {
            redis: manager().map_err(|error| format!("the address of Redis cannot be used: {error}"))?,
            script: Script::new(TAKE),
            breaker: Breaker::new(rules),
            away: AtomicBool::new(false),
        })
    }

    /// Takes a token of a bucket, or tells how long to wait for one; nothing when Redis cannot say.
    pub async fn take(&self, bucket: &str, rate: Rate) -> Option<Result<Taken, Duration>> {
        if !self.breaker.allows(Instant::now()) {
            return None;
        }
        let answer = tokio::time::timeout(TIMEOUT, self.ask(bucket, rate)).await;
        let answer = answer.map_err(|_| "it takes too long".to_owned());
        let answer = answer.and_then(|answer| answer.map_err(|error| error.to_string()));
        self.breaker.note(answer.is_ok(), Instant::now());
        match answer {
            Ok(answer) => {
                if self.away.swap(false, Ordering::AcqRel) {
                    tracing::info!("Redis is back: limits are shared again");
                }
                Some(answer)
            }
            Err(error) => {
                if !self.away.swap(true, Ordering::AcqRel) {
                    tracing::warn!(error, "Redis is away: every gateway limits by itself");
                }
                None
            }
        }
    }

    async fn ask(&self, bucket: &str, rate: Rate) -> Result<Result<Taken, Duration>, RedisError> {
        let each = (1e6 / rate.per_second).clamp(1.0, LONGEST);
        let all = (each * rate.capacity.floor()).min(LONGEST).max(each);
        let mut redis = self.redis.clone();
        let key = key(bucket, rate);
        let mut call = self.script.key(key);
        let (taken, wait, full): (i64, u64, u64) =
            call.arg(format!("{each:.0}")).arg(format!("{all:.0}")).invoke_async(&mut redis).await?;
        if taken == 0 {
            return Ok(Err(Duration::from_micros(wait)));
        }
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "both are below 2^53, and what is full takes longer than what is left"
        )]
        let left = ((all - full as f64) / each).max(0.0) as u64;
        Ok(Ok(Taken { left, full_in: Duration::from_micros(full) }))
    }
}

/// Where a bucket is: by a digest, so that a long header of a client is no long key, and addresses are not laid open. The
/// rate is part of it, because what one rate has written down means nothing to another.
fn key(bucket: &str, rate: Rate) -> String {
    let digest = Sha256::digest(format!("{}/{}\n{bucket}", rate.per_second, rate.capacity));
    digest.iter().take(16).fold("gateway:limit:".to_owned(), |mut key, byte| {
        // Writing to a string cannot fail.
        let _ = write!(key, "{byte:02x}");
        key
    })
}
