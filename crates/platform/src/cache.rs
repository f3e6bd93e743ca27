//! A cache with two homes: Redis, shared by replicas, or this process's memory. A cache that fails is a miss.

use std::time::Duration;

use moka::future::Cache as Memory;
use redis::AsyncCommands as _;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use serde::{Serialize, de::DeserializeOwned};

/// No answer from Redis within this time is a miss: the truth is in PostgreSQL anyway.
const TIMEOUT: Duration = Duration::from_millis(200);
/// What the memory cache holds at most, in bytes of serialized values.
const MEMORY_BYTES: u64 = 16 * 1024 * 1024;

/// Where values are kept for a while.
#[derive(Clone)]
pub enum Cache {
    /// In this process, bounded; right for a single replica.
    Memory(Memory<String, Vec<u8>>),
    /// Shared by all replicas.
    Redis(ConnectionManager),
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind())
    }
}

/// How long a value may be served after it was put in.
const TTL: Duration = Duration::from_secs(300);

impl Cache {
    /// A cache in Redis when a URL is given, otherwise in memory. Redis may be down: it is asked again later.
    ///
    /// # Errors
    /// When the URL is not one of Redis.
    pub fn new(redis_url: Option<&str>) -> Result<Self, redis::RedisError> {
        let Some(url) = redis_url else {
            let memory = Memory::builder()
                .max_capacity(MEMORY_BYTES)
                .weigher(|key: &String, value: &Vec<u8>| {
                    u32::try_from(key.len() + value.len()).unwrap_or(u32::MAX)
                })
                .time_to_live(TTL)
                .build();
            return Ok(Self::Memory(memory));
        };
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(Duration::from_secs(2)))
            .set_response_timeout(Some(TIMEOUT))
            .set_number_of_retries(1);
        Ok(Self::Redis(ConnectionManager::new_lazy_with_config(redis::Client::open(url)?, config)?))
    }

    /// The kind, for logs and health.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Memory(_) => "memory",
            Self::Redis(_) => "redis",
        }
    }

    /// The value under a key, if it is there and can be read.
    pub async fn get<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        let bytes = match self {
            Self::Memory(memory) => memory.get(key).await,
            Self::Redis(redis) => or_miss(redis.clone().get::<_, Option<Vec<u8>>>(key)).await.flatten(),
        };
        serde_json::from_slice(&bytes?).ok()
    }

    /// Keeps a value for five minutes at most.
    pub async fn put<T: Serialize + Sync>(&self, key: &str, value: &T) {
        let Ok(bytes) = serde_json::to_vec(value) else {
            return;
        };
        match self {
            Self::Memory(memory) => memory.insert(key.to_owned(), bytes).await,
            Self::Redis(redis) => {
                or_miss(redis.clone().set_ex::<_, _, ()>(key, bytes, TTL.as_secs())).await;
            }
        }
    }

    /// Forgets a key.
    pub async fn forget(&self, key: &str) {
        match self {
            Self::Memory(memory) => memory.invalidate(key).await,
            Self::Redis(redis) => {
                or_miss(redis.clone().del::<_, ()>(key)).await;
            }
        }
    }

    /// Whether the cache answers.
    pub async fn answers(&self) -> bool {
        match self {
            Self::Memory(_) => true,
            Self::Redis(redis) => {
                or_miss(redis::cmd("PING").query_async::<String>(&mut redis.clone())).await.is_some()
            }
        }
    }
}

async fn or_miss<T>(call: impl Future<Output = Result<T, redis::RedisError>>) -> Option<T> {
    match tokio::time::timeout(TIMEOUT, call).await {
        Ok(Ok(value)) => Some(value),
        Ok(Err(error)) => {
            tracing::debug!(%error, "the cache failed");
            None
        }
        Err(_) => {
            tracing::debug!("the cache took too long");
            None
        }
    }
}
