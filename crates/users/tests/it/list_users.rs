//! `GET /api/v1/users`.

use kernel::Role;
use serde_json::{Value, json};

use crate::{PASSWORD, Users};

fn emails(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["email"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn pages_and_filters_in_the_order_of_making() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let manager = users.someone(&admin, "m@example.com", Role::Manager).await;
    users.someone(&admin, "a@example.com", Role::User).await;
    let list = async |query: &str| {
        users.by(&manager, "GET", &format!("/api/v1/users?{query}")).send().await.expect(200).json()
    };
    let first = list("limit=2").await;
    assert_eq!(emails(&first), ["admin@example.com", "m@example.com"]);
    let second = list(&format!("limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!((emails(&second), &second["next_cursor"]), (vec!["a@example.com"], &json!(null)));
    assert_eq!(emails(&list("role=user").await), ["a@example.com"]);
    assert_eq!(emails(&list("email=M@example.com").await), ["m@example.com"]);
    assert_eq!(emails(&list("active=false").await), [""; 0]);
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let list = |query: &str| users.by(&admin, "GET", &format!("/api/v1/users?{query}")).send();
    list("nonsense=1").await.problem(400, "invalid_query");
    list("role=root").await.problem(400, "invalid_query");
    list("cursor=nonsense").await.problem(400, "invalid_cursor");
    list("limit=201").await.problem(422, "invalid_input");
}

#[tokio::test]
async fn the_accounts_of_others_are_not_there() {
    let users = Users::start().await;
    let other = users.organization("other").await;
    let there = users.sign_in_at("other", "admin@example.com", PASSWORD).await;
    let page = users.by(&there, "GET", "/api/v1/users").send().await.expect(200).json();
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    assert_eq!(page["items"][0]["id"], other.user_id.to_string());
}
