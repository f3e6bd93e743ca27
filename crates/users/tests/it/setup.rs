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
