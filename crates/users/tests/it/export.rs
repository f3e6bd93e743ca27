//! Archives of personal data, as far as this service alone shows it; the whole archive is in `e2e/privacy.rs`.

use jiff::SignedDuration;
use kernel::{Role, UserId};
use serde_json::Value;

use crate::{Users, user};

#[tokio::test]
async fn without_every_service_there_is_no_archive_and_no_event() {
    let users = Users::start().await;
    let admin = users.admin().await;
    // The other services are nowhere.
    users.by(&admin, "POST", "/api/v1/me/export").send().await.problem(503, "service_unavailable");
    assert_eq!(users.event_types().await, [""; 0]);
}

#[tokio::test]
async fn it_takes_a_fresh_proof_and_is_for_oneself_or_an_administrator() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let ada = users.someone(&admin, "ada@example.com", Role::Manager).await;
    let other = users.organization("other").await;
    let export = |id: &str| format!("{}/export", user(id));
    users.by(&ada, "POST", &export(&admin.id)).send().await.problem(403, "permission_required");
    let stranger = other.user_id.to_string();
    users.by(&admin, "POST", &export(&stranger)).send().await.problem(404, "not_found");
    users.clock.advance(SignedDuration::from_mins(11));
    users.by(&ada, "POST", "/api/v1/me/export").send().await.problem(403, "step_up_required");
    users.by(&admin, "POST", &export(&ada.id)).send().await.problem(403, "step_up_required");
    assert_eq!(users.event_types().await, [""; 0]);
}

#[tokio::test]
async fn what_is_told_has_no_secret_and_nothing_of_others() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let ada = users.someone(&admin, "ada@example.com", Role::User).await;
    let organization = users.first.organization_id;
    let other = users.organization("other").await.organization_id;
    let user = UserId(ada.id.parse().unwrap());
    let collect = async |organization| {
        let parts = users::personal_data::PARTS;
        let told = platform::personal_data::collect(&users.context.db, organization, user, parts).await;
        serde_json::to_value(told.unwrap()).unwrap()
    };
    let told = collect(organization).await;
    let parts = &told["parts"];
    assert_eq!(parts["account"][0]["email"], "ada@example.com");
    assert_eq!(parts["sessions"].as_array().unwrap().len(), 1);
    let kinds: Vec<_> = parts["events"].as_array().unwrap().iter().map(|one| one["type"].clone()).collect();
    assert_eq!(kinds, ["reservas.user.created.v1", "reservas.session.started.v1"]);
    let text = told.to_string();
    let hashes: Vec<String> = sqlx::query_scalar(
        "select hash from users.password union all select encode(hash, 'hex') from users.refresh_token",
    )
    .fetch_all(&mut users.owner().await)
    .await
    .unwrap();
    assert!(hashes.len() >= 3 && hashes.iter().all(|hash| !text.contains(hash.as_str())));
    assert!(!text.contains("admin@example.com"), "nobody else's address");
    // The same id in another organization is nobody.
    let told = collect(other).await;
    let parts = told["parts"].as_object().unwrap();
    let found: Vec<&Value> = parts
        .iter()
        .filter(|(name, _)| *name != "recovery_codes")
        .flat_map(|(_, rows)| rows.as_array().unwrap())
        .collect();
    assert_eq!(found, Vec::<&Value>::new());
}
