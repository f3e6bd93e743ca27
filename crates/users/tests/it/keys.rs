//! Signing keys follow one another without an outage.

use jiff::SignedDuration;
use platform::auth::KeySet;
use users::store::signing_keys::{LEAD, rotate};

use crate::sessions::elsewhere;
use crate::{PASSWORD, Users};

async fn key_ids(users: &Users) -> Vec<String> {
    let set = users.call("GET", "/.well-known/jwks.json").send().await.expect(200).json();
    let set: KeySet = serde_json::from_value(set).unwrap();
    set.keys.into_iter().map(|key| key.kid).collect()
}

/// An access token of a new session.
async fn token(users: &Users) -> String {
    let tokens = users.login("default", "admin@example.com", PASSWORD).send().await.expect(200).json();
    assert_eq!(users.event_types().await, ["session.started"]);
    tokens["access_token"].as_str().unwrap().to_owned()
}

fn signed_with(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

#[tokio::test]
async fn a_new_key_is_shown_before_it_signs_and_the_old_until_its_tokens_are_gone() {
    let users = Users::start().await;
    let old = signed_with(&token(&users).await);
    rotate(&users.context, users.now(), false).await.unwrap();
    let ids = key_ids(&users).await;
    assert_eq!((ids.len(), &ids[0]), (2, &old), "the signing one first");
    // Verifiers that ask now know both, and need not ask again.
    let (verifier, _) = elsewhere(&users).await;
    verifier.verify(&token(&users).await).await.unwrap();

    users.clock.advance(LEAD - SignedDuration::from_mins(1));
    let last = token(&users).await;
    assert_eq!(signed_with(&last), old);
    users.clock.advance(SignedDuration::from_mins(1));
    let first = token(&users).await;
    assert_eq!(signed_with(&first), ids[1]);
    for token in [&last, &first] {
        verifier.verify(token).await.unwrap();
    }
    assert_eq!(key_ids(&users).await, [ids[1].clone(), old]);
    users.clock.advance(SignedDuration::from_mins(62));
    assert_eq!(key_ids(&users).await, [ids[1].clone()]);
}

#[tokio::test]
async fn a_key_that_is_not_to_be_trusted_is_gone_at_once() {
    let users = Users::start().await;
    let (stolen, old) = (token(&users).await, key_ids(&users).await);
    let (verifier, revocations) = elsewhere(&users).await;
    verifier.verify(&stolen).await.unwrap();
    rotate(&users.context, users.now(), true).await.unwrap();
    let new = key_ids(&users).await;
    assert_eq!(new.len(), 1);
    assert_ne!(old, new);
    users.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(signed_with(&token(&users).await), new[0]);
    // The verifier still has the key, and hears that it was withdrawn.
    revocations.step(users.now()).await.unwrap();
    assert_eq!(verifier.verify(&stolen).await.unwrap_err().code, "invalid_token");
}

#[tokio::test]
async fn rotations_at_once_leave_keys_that_follow_each_other() {
    let users = Users::start().await;
    let rotations: Vec<_> = (0..4)
        .map(|_| {
            let (context, now) = (users.context.clone(), users.now());
            tokio::spawn(async move { rotate(&context, now, false).await.unwrap() })
        })
        .collect();
    for rotation in rotations {
        assert_eq!(rotation.await.unwrap(), users.now() + LEAD);
    }
    users.clock.advance(LEAD);
    let signed = signed_with(&token(&users).await);
    assert_eq!(key_ids(&users).await[0], signed);
}
