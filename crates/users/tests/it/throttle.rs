//! Guessing is slowed down, by account and by address, and who owns the account hears of it.

use jiff::SignedDuration;
use serde_json::json;

use crate::{PASSWORD, Users};

const WRONG: &str = "wrong horse battery staple";

/// One guess; the seconds to wait when it was not let through.
async fn guess(users: &Users, email: &str, address: Option<&str>) -> Option<u64> {
    let mut call = users.login("default", email, WRONG).header("x-correlation-id", "same");
    if let Some(address) = address {
        call = call.header("x-forwarded-for", address);
    }
    let reply = call.send().await;
    if reply.status == 401 {
        reply.problem(401, "invalid_credentials");
        return None;
    }
    let seconds = reply.header("retry-after").parse().unwrap();
    reply.problem(429, "too_many_attempts");
    Some(seconds)
}

/// Guesses as often as it is let, and tells the waits on the way to ten failures.
async fn guess_until_locked(users: &Users, email: &str) -> Vec<u64> {
    let (mut failures, mut waits) = (0, Vec::new());
    while failures < 10 {
        match guess(users, email, None).await {
            None => failures += 1,
            Some(seconds) => {
                waits.push(seconds);
                users.clock.advance(SignedDuration::from_secs(i64::try_from(seconds).unwrap()));
            }
        }
    }
    waits
}

/// The first event, which is written beside the answer.
pub(crate) async fn told(users: &Users) -> platform::events::Envelope {
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(10));
    loop {
        tick.tick().await;
        if let Some(event) = users.events().await.pop() {
            return event;
        }
    }
}

#[tokio::test]
async fn an_account_is_slowed_down_then_locked_and_its_owner_told() {
    let users = Users::start().await;
    // Each a second more than the pause: the answer is rounded up.
    assert_eq!(guess_until_locked(&users, "admin@example.com").await, [2, 3, 5, 9]);
    let event = told(&users).await;
    assert_eq!(event.kind, "reservas.user.locked.v1");
    assert_eq!((&event.data["user_id"], &event.data["failures"]), (&json!(users.first.user_id), &json!(10)));
    assert_eq!(guess(&users, "admin@example.com", None).await, Some(901));
    // The right password opens nothing either, or guessing would go on behind the lock.
    let right = users.login("default", "admin@example.com", PASSWORD).send().await;
    right.problem(429, "too_many_attempts");
    users.clock.advance(SignedDuration::from_mins(15));
    users.admin().await;
    assert_eq!(guess(&users, "admin@example.com", None).await, None, "who signed in starts anew");
}

#[tokio::test]
async fn nothing_tells_an_account_from_none() {
    let users = Users::start().await;
    let none = guess_until_locked(&users, "nobody@example.com").await;
    let nowhere = users.login("nowhere", "admin@example.com", WRONG).send().await;
    nowhere.problem(401, "invalid_credentials");
    assert_eq!(none, guess_until_locked(&users, "admin@example.com").await);
    assert_eq!(told(&users).await.kind, "reservas.user.locked.v1");
    let answer = async |email| {
        let call = users.login("default", email, WRONG).header("x-correlation-id", "same");
        call.send().await.problem(429, "too_many_attempts").to_string()
    };
    assert_eq!(answer("nobody@example.com").await, answer("admin@example.com").await);
}

#[tokio::test]
async fn guesses_at_once_are_counted_as_well() {
    let users = Users::start().await;
    let guesses: Vec<_> =
        (0..30).map(|_| tokio::spawn(users.login("default", "nobody@example.com", WRONG).send())).collect();
    let mut made = 0;
    for guess in guesses {
        made += u32::from(guess.await.unwrap().status == 401);
    }
    assert_eq!(made, 6, "the sixth blocks those behind it");
}

#[tokio::test]
async fn an_address_that_tries_many_accounts_is_slowed_down() {
    let users = Users::start().await;
    for number in 0..101 {
        let email = format!("nobody{number}@example.com");
        assert_eq!(guess(&users, &email, Some("192.0.2.7, 10.0.0.1")).await, None, "{number}");
    }
    assert!(guess(&users, "another@example.com", Some("192.0.2.7")).await.is_some());
    assert!(guess(&users, "another@example.com", Some("::ffff:192.0.2.7")).await.is_some());
    assert_eq!(guess(&users, "another@example.com", Some("192.0.2.8")).await, None);
}

#[tokio::test]
async fn what_is_old_is_forgotten() {
    let users = Users::start().await;
    for _ in 0..6 {
        guess(&users, "nobody@example.com", None).await;
    }
    users.clock.advance(SignedDuration::from_hours(25));
    users::store::throttle::prune(&users.context.db, users.now()).await.unwrap();
    let left: i64 = sqlx::query_scalar("select count(*) from users.throttle")
        .fetch_one(&mut users.owner().await)
        .await
        .unwrap();
    assert_eq!(left, 0);
}
