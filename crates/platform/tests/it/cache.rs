//! The cache keeps the same promises in memory and in Redis, and one that is down is a miss.

use kernel::EventId;
use platform::cache::Cache;

async fn keeps_its_promises(cache: &Cache) {
    let key = EventId::mint().to_string();
    assert_eq!(cache.get::<String>(&key).await, None);
    cache.put(&key, &"value".to_owned()).await;
    assert_eq!(cache.get::<String>(&key).await.as_deref(), Some("value"));
    assert_eq!(cache.get::<u32>(&key).await, None, "what cannot be read is a miss");
    cache.forget(&key).await;
    assert_eq!(cache.get::<String>(&key).await, None);
    assert!(cache.answers().await);
}

#[tokio::test]
async fn in_memory() {
    keeps_its_promises(&Cache::new(None).unwrap()).await;
}

#[tokio::test]
async fn in_redis_and_shared() {
    let url = testkit::variable("TEST_REDIS_URL");
    let (one, two) = (Cache::new(Some(&url)).unwrap(), Cache::new(Some(&url)).unwrap());
    keeps_its_promises(&one).await;
    one.put("shared", &1).await;
    assert_eq!(two.get::<i32>("shared").await, Some(1));
}

#[tokio::test]
async fn one_that_is_down_is_a_miss() {
    let cache = Cache::new(Some("redis://127.0.0.1:9")).unwrap();
    cache.put("key", &1).await;
    assert_eq!(cache.get::<i32>("key").await, None);
    assert!(!cache.answers().await);
    assert!(Cache::new(Some("http://127.0.0.1")).is_err());
}
