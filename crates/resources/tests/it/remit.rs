//! Managers of some places: what is there is theirs to change, and nothing else.

use std::collections::BTreeSet;

use kernel::{LocationId, Remit, Role};
use platform::auth::Claims;
use serde_json::{Value, json};
use testkit::{Call, Person, TestApp};

use super::{codes, create, manager, outcomes, start};

/// Two sites, a building in the first, a room in each; and a manager of the first site.
struct Campus {
    app: TestApp,
    caretaker: Person,
    remit: Remit,
    here: Value,
    house: Value,
    there: Value,
    room_here: Value,
    room_there: Value,
}

impl Campus {
    async fn start() -> Self {
        let app = start().await;
        let boss = manager(&app).await;
        let here = create(&app, &boss, "locations", json!({ "name": "Here", "kind": "site" })).await;
        let there = create(&app, &boss, "locations", json!({ "name": "There", "kind": "site" })).await;
        let house = json!({ "name": "House", "kind": "building", "parent_id": here["id"] });
        let house = create(&app, &boss, "locations", house).await;
        let room =
            |name: &str, place: &Value| json!({ "name": name, "type": "room", "location_id": place["id"] });
        let room_here = create(&app, &boss, "resources", room("A", &house)).await;
        let room_there = create(&app, &boss, "resources", room("B", &there)).await;
        app.events().await;
        let id: LocationId = here["id"].as_str().unwrap().parse().unwrap();
        let remit = Remit { locations: [id].into(), groups: BTreeSet::new() };
        let caretaker = app.person(Role::Manager);
        Self { app, caretaker, remit, here, house, there, room_here, room_there }
    }

    fn call(&self, method: &str, path: &str) -> Call {
        self.app.call(method, path).bearer(&self.token()).header("if-match", "*")
    }

    fn token(&self) -> String {
        let claims = self.app.issuer.claims(&self.caretaker);
        self.app.issuer.sign(&Claims { remit: Some(self.remit.clone()), ..claims })
    }

    async fn refused(&self, method: &str, path: &str, body: Value) {
        self.call(method, path).json(body).send().await.problem(403, "outside_remit");
    }
}

fn path(noun: &str, thing: &Value) -> String {
    format!("/api/v1/{noun}/{}", thing["id"].as_str().unwrap())
}

#[tokio::test]
async fn what_is_in_their_places_is_theirs() {
    let campus = Campus::start().await;
    let zone = json!({ "name": "Hall", "kind": "floor", "parent_id": campus.house["id"] });
    let zone = campus.call("POST", "/api/v1/locations").json(zone).send().await.expect(201).json();
    let room = json!({ "name": "C", "type": "room", "location_id": zone["id"] });
    let room = campus.call("POST", "/api/v1/resources").json(room).send().await.expect(201).json();
    let whole = json!({ "name": "AC", "type": "room", "location_id": campus.here["id"],
                        "parts": [room["id"], campus.room_here["id"]] });
    campus.call("POST", "/api/v1/resources").json(whole).send().await.expect(201);
    let seats = campus.call("PATCH", &path("resources", &campus.room_here)).json(json!({ "seats": 5 }));
    seats.send().await.expect(200);
    let rules = campus.call("PUT", &path("rules", &campus.house)).json(json!({ "scope": "location" }));
    rules.send().await.expect(200);
    let rules = campus.call("PUT", &path("rules", &room)).json(json!({ "scope": "resource" }));
    rules.send().await.expect(200);
    // All else is there to be read.
    campus.call("GET", &path("resources", &campus.room_there)).send().await.expect(200);
    let told = ["resource.created", "resource.created", "resource.changed", "rules.changed", "rules.changed"];
    assert_eq!(campus.app.event_types().await, told);
}

#[tokio::test]
async fn nothing_else_is() {
    let campus = Campus::start().await;
    let (here, there) = (&campus.here["id"], &campus.there["id"]);
    let room = |place: &Value| json!({ "name": "C", "type": "room", "location_id": place });
    campus.refused("POST", "/api/v1/resources", room(there)).await;
    campus.refused("POST", "/api/v1/resources", room(&Value::Null)).await;
    let with_part =
        json!({ "name": "C", "type": "room", "location_id": here, "parts": [campus.room_there["id"]] });
    campus.refused("POST", "/api/v1/resources", with_part).await;
    let (theirs, others) = (path("resources", &campus.room_here), path("resources", &campus.room_there));
    campus.refused("PATCH", &others, json!({ "seats": 5 })).await;
    campus.refused("PATCH", &others, json!({ "location_id": here })).await;
    campus.refused("PATCH", &theirs, json!({ "location_id": there })).await;
    campus.refused("PATCH", &theirs, json!({ "parts": [campus.room_there["id"]] })).await;
    campus.call("DELETE", &others).send().await.problem(403, "outside_remit");
    campus.refused("POST", "/api/v1/locations", json!({ "name": "New", "kind": "site" })).await;
    let below = json!({ "name": "New", "kind": "building", "parent_id": there });
    campus.refused("POST", "/api/v1/locations", below).await;
    campus.refused("POST", "/api/v1/resource-types", json!({ "name": "desk" })).await;
    campus.refused("POST", "/api/v1/amenities", json!({ "name": "screen" })).await;
    campus.refused("PUT", &path("rules", &campus.there), json!({ "scope": "location" })).await;
    campus.refused("PUT", &path("rules", &campus.room_there), json!({ "scope": "resource" })).await;
    let organization = format!("/api/v1/rules/{}", campus.app.organization);
    campus.refused("PUT", &organization, json!({ "scope": "organization" })).await;
    let group = "/api/v1/rules/0198c6a0-0000-7000-8000-000000000001";
    campus.refused("PUT", group, json!({ "scope": "group" })).await;
    assert_eq!(campus.app.event_types().await, [""; 0]);
}

#[tokio::test]
async fn of_an_import_the_lines_elsewhere_stay_out() {
    let campus = Campus::start().await;
    let line =
        |name: &str, kind: &str, location: Value| json!({ "name": name, "type": kind, "location": location });
    let mut part = line("G", "room", json!(["Here"]));
    part["part_of"] = json!("B");
    let body = json!({ "create_missing": true, "resources": [
        line("C", "room", json!(["Here", "House", "Second floor"])),
        line("D", "room", json!(["There"])),
        line("E", "room", json!(["Elsewhere"])),
        line("F", "desk", json!(["Here"])),
        part,
        line("B", "room", json!(["There"])),
    ] });
    let report = campus.call("POST", "/api/v1/resources/import").json(body).send().await.expect(200).json();
    assert_eq!(outcomes(&report), ["created", "invalid", "invalid", "invalid", "invalid", "invalid"]);
    let errors: Vec<_> = report["lines"].as_array().unwrap().iter().flat_map(codes).collect();
    assert_eq!(
        errors,
        ["outside_remit", "outside_remit", "unknown_type", "outside_remit", "outside_remit"],
        "{report:#}"
    );
    assert_eq!(report["created"]["locations"], json!(["Here/House/Second floor"]));
    assert_eq!(campus.app.event_types().await, ["resource.created"]);
}
