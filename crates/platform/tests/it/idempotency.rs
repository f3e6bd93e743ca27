//! Idempotency keys under a race: one effect, and nobody is answered twice differently.

use futures_util::future::join_all;
use kernel::Role;
use platform::idempotency::prune::prune;
use serde_json::json;

use crate::notes;

#[tokio::test]
async fn many_at_once_with_one_key_have_one_effect() {
    let app = notes::start().await;
    let ada = app.person(Role::User);
    let calls = (0..16).map(|_| {
        app.call_as(&ada, "POST", "/notes").header("idempotency-key", "k").json(json!({ "text": "a" })).send()
    });
    let replies = join_all(calls).await;
    let bodies: Vec<_> =
        replies.iter().filter(|reply| reply.status == 201).map(testkit::Reply::json).collect();
    assert!(!bodies.is_empty() && bodies.iter().all(|body| body == &bodies[0]));
    for reply in replies.into_iter().filter(|reply| reply.status != 201) {
        reply.problem(409, "request_in_progress");
    }
    assert_eq!(app.events().await.len(), 1);
}

#[tokio::test]
async fn a_key_belongs_to_one_caller() {
    let app = notes::start().await;
    for role in [Role::User, Role::Manager] {
        let call = app.call_as(&app.person(role), "POST", "/notes").header("idempotency-key", "k");
        call.json(json!({ "text": role })).send().await.expect(201);
    }
    let bad = app.call_as(&app.person(Role::User), "POST", "/notes").header("idempotency-key", "");
    bad.json(json!({ "text": "a" })).send().await.problem(400, "invalid_idempotency_key");
    assert_eq!(app.events().await.len(), 2);
}

#[tokio::test]
async fn old_answers_are_forgotten() {
    let app = notes::start().await;
    let ada = app.person(Role::User);
    let take = || {
        app.call_as(&ada, "POST", "/notes").header("idempotency-key", "k").json(json!({ "text": "a" })).send()
    };
    take().await.expect(201);
    let count = async || {
        let count = sqlx::query_scalar::<_, i64>("select count(*) from notes.idempotency_key");
        count.fetch_one(&mut app.owner().await).await.unwrap()
    };
    prune(&app.context.db, &*app.clock).await.unwrap();
    assert_eq!(count().await, 1);
    app.clock.advance(jiff::SignedDuration::from_hours(24));
    prune(&app.context.db, &*app.clock).await.unwrap();
    assert_eq!(count().await, 0);
    app.events().await;
}
