//! The first start, and further organizations.

use kernel::Kind;
use platform::config::Secret;
use testkit::TestApp;
use users::{bootstrap, create_organization};

use crate::{PASSWORD, Users, config, router};

#[tokio::test]
async fn the_first_start_makes_up_a_password_that_signs_in() {
    let app = TestApp::start(users::schema(), router).await;
    let first = bootstrap(&app.context, &config(), "Boss@Example.com", None).await.unwrap().unwrap();
    assert_eq!(app.event_types().await, ["organization.created", "user.created"]);
    let password = first.password.as_ref().map(Secret::expose).unwrap().to_owned();
    assert!(password.len() >= 20 && !format!("{first:?}").contains(&password));
    let users = Users { app, first };
    users.sign_in_at("default", "boss@example.com", &password).await;
    assert!(bootstrap(&users.context, &config(), "boss@example.com", None).await.unwrap().is_none());
}

#[tokio::test]
async fn of_replicas_that_start_at_once_one_wins() {
    let app = TestApp::start(users::schema(), router).await;
    let starts: Vec<_> = (0..5)
        .map(|_| {
            let context = app.context.clone();
            tokio::spawn(async move { bootstrap(&context, &config(), "a@example.com", None).await.unwrap() })
        })
        .collect();
    let mut winners = 0;
    for start in starts {
        winners += u32::from(start.await.unwrap().is_some());
    }
    assert_eq!(winners, 1);
    assert_eq!(app.event_types().await, ["organization.created", "user.created"]);
}

#[tokio::test]
async fn what_will_not_do_is_said() {
    let users = Users::start().await;
    let create = |slug: &'static str, email: &'static str, password: &'static str| {
        let context = users.context.clone();
        async move {
            create_organization(&context, &config(), slug, "Name", email, Some(password)).await.unwrap_err()
        }
    };
    assert_eq!(create("default", "a@example.com", PASSWORD).await.code, "slug_taken");
    for (slug, email, password, pointer) in [
        ("Not A Slug", "a@example.com", PASSWORD, "/slug"),
        ("other", "nonsense", PASSWORD, "/admin_email"),
        ("other", "a@example.com", "admin", "/admin_password"),
    ] {
        let problem = create(slug, email, password).await;
        assert_eq!((problem.kind, problem.errors[0].pointer.as_str()), (Kind::Invalid, pointer));
    }
    let wrong = users::Config { bcrypt_cost: 31, ..config() };
    assert!(users::start(users.context.clone(), wrong).await.is_err());
}

#[tokio::test]
async fn read_only_mode_is_told_to_whoever_asks_the_service() {
    use users::store::read_only::{self, ReadOnly};
    let users = Users::start().await;
    let told = async || users.call("GET", "/health/read-only").send().await.expect(200).json();
    assert_eq!(told().await, serde_json::json!({ "read_only": false }));
    let since = users.now();
    let order = ReadOnly { retry_after_seconds: 90, reason: Some("moving house".into()), since };
    read_only::save(&users.context.db, &order).await.unwrap();
    assert_eq!(told().await["retry_after"], 90);
    let changed =
        ReadOnly { retry_after_seconds: 30, reason: None, since: since + jiff::SignedDuration::from_mins(1) };
    read_only::save(&users.context.db, &changed).await.unwrap();
    let kept = ReadOnly { since, ..changed };
    assert_eq!(read_only::load(&users.context.db).await.unwrap(), Some(kept), "it began when it began");
    read_only::end(&users.context.db).await.unwrap();
    assert_eq!(told().await, serde_json::json!({ "read_only": false }));
}
