//! Who sees a resource, from the group that somebody is put in to what they find in each service.

use serde_json::{Value, json};

use crate::client::{Client, until};
use crate::installation::Installation;
use crate::journey::afternoon;

async fn names(client: &Client, path: &str) -> Vec<String> {
    let items = client.get(path).await.expect(200)["items"].as_array().unwrap().clone();
    items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_group_opens_a_laboratory_in_every_service() {
    let installation = Installation::on_database().await;
    let admin = installation.admin().await;
    admin.post("/api/v1/resource-types", json!({ "name": "room" })).await.expect(201);
    let room = |name: &str| json!({ "name": name, "type": "room", "seats": 4 });
    let laboratory = admin.post("/api/v1/resources", room("Laboratory")).await.expect(201)["id"].clone();
    admin.post("/api/v1/resources", room("Office")).await.expect(201);
    let group = admin.post("/api/v1/groups", json!({ "name": "Chemists" })).await.expect(201)["id"].clone();
    let rules = json!({ "scope": "resource", "policy": { "access": { "see": { "groups": [group] } } } });
    let id = laboratory.as_str().unwrap();
    let put = admin.request("PUT", &format!("/api/v1/rules/{id}")).json(&rules);
    admin.send(put).await.expect(200);

    let eva = installation.client().register("eva@example.com", "Eva").await;
    assert_eq!(names(&eva, "/api/v1/resources").await, ["Office"]);
    eva.get(&format!("/api/v1/resources/{id}")).await.problem(404, "not_found");
    let schedule = format!("/api/v1/resources/{id}/schedule");
    until(404, async || eva.get(&schedule).await.status.as_u16()).await;
    let asked =
        json!({ "resource_id": laboratory, "starts_at": afternoon("14:00"), "ends_at": afternoon("15:00") });
    let refused = eva.post("/api/v1/bookings", asked.clone()).await.problem(422, "invalid_input");
    assert_eq!(refused["errors"][0]["code"], "not_found");

    let me: Value = eva.get("/api/v1/me").await.expect(200);
    let join = format!("/api/v1/groups/{}/members/{}", group.as_str().unwrap(), me["id"].as_str().unwrap());
    admin.send(admin.request("PUT", &join)).await.expect(204);
    eva.eventually("/api/v1/resources", |page| page["items"].as_array().unwrap().len() == 2).await;
    eva.get(&format!("/api/v1/resources/{id}")).await.expect(200);
    until(200, async || eva.get(&schedule).await.status.as_u16()).await;
    eva.post("/api/v1/bookings", asked).await.expect(201);
}
