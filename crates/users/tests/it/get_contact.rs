//! `GET /internal/organizations/{organization_id}/users/{user_id}/contact`.

use kernel::OrganizationId;
use serde_json::json;

use crate::Users;

#[tokio::test]
async fn a_service_learns_how_to_reach_a_person() {
    let users = Users::start().await;
    let (organization, user) = (users.first.organization_id, users.first.user_id);
    let path =
        |organization: OrganizationId| format!("/internal/organizations/{organization}/users/{user}/contact");
    let contact = users.call_internally("GET", &path(organization)).send().await.expect(200).json();
    assert_eq!(
        contact,
        json!({"user_id": user, "email": "admin@example.com", "name": "Administrator", "locale": "en", "time_zone": "UTC",
            "organization": "Default", "branding": {"primary": "#1a5fb4", "accent": "#26a269"}})
    );
    let other = users.organization("other").await;
    users.call_internally("GET", &path(other.organization_id)).send().await.problem(404, "not_found");
    let admin = users.admin().await;
    for call in [users.by(&admin, "GET", &path(organization)), users.call("GET", &path(organization))] {
        call.send().await.problem(401, "internal_token_required");
    }
}
