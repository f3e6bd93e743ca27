//! Who may not see something does not find it in the catalogue, whichever way they look.

use std::collections::BTreeSet;

use contracts::users::{Account, UserChanged, UserRemoved};
use kernel::{Event, EventId, GroupId, LocationId, Remit, Role};
use platform::auth::Claims;
use platform::events::{Envelope, Handle as _};
use serde_json::{Value, json};
use testkit::{Person, TestApp};

use super::{create, manager, start};

/// A site with a laboratory in it, a room in each, and a suite of both.
struct Site {
    app: TestApp,
    boss: Person,
    laboratory: Value,
    room: Value,
    bench: Value,
    suite: Value,
}

fn path(noun: &str, thing: &Value) -> String {
    format!("/api/v1/{noun}/{}", thing["id"].as_str().unwrap())
}

impl Site {
    async fn start() -> Self {
        let app = start().await;
        let boss = manager(&app).await;
        let site = create(&app, &boss, "locations", json!({ "name": "Site", "kind": "site" })).await;
        let laboratory = json!({ "name": "Laboratory", "kind": "building", "parent_id": site["id"] });
        let laboratory = create(&app, &boss, "locations", laboratory).await;
        let floor = json!({ "name": "First floor", "kind": "floor", "parent_id": laboratory["id"] });
        let floor = create(&app, &boss, "locations", floor).await;
        let room = |name: &str, place: &Value, parts: Value| json!({ "name": name, "type": "room", "location_id": place["id"], "parts": parts });
        let of_none = json!([]);
        let bench = create(&app, &boss, "resources", room("Bench", &floor, of_none.clone())).await;
        let room_there = create(&app, &boss, "resources", room("Room", &site, of_none)).await;
        let both = json!([bench["id"], room_there["id"]]);
        let suite = create(&app, &boss, "resources", room("Suite", &site, both)).await;
        app.events().await;
        Self { app, boss, laboratory, room: room_there, bench, suite }
    }

    /// Lays rules down by which these see what is in the laboratory.
    async fn hide(&self, see: Value) {
        let body = json!({ "scope": "location", "policy": { "access": { "see": see } } });
        let put =
            self.app.call_as(&self.boss, "PUT", &path("rules", &self.laboratory)).header("if-match", "*");
        put.json(body).send().await.expect(200);
        self.app.events().await;
    }

    async fn names(&self, person: &Person) -> Vec<String> {
        let page = self.app.call_as(person, "GET", "/api/v1/resources").send().await.expect(200).json();
        let names = page["items"].as_array().unwrap().iter();
        names.map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    }

    async fn hear<E: Event>(&self, event: &E) {
        let envelope = Envelope {
            specversion: "1.0".into(),
            id: EventId::mint(),
            source: "/test".into(),
            kind: E::TYPE.into(),
            subject: event.stream_id(),
            time: self.app.now(),
            datacontenttype: "application/json".into(),
            organizationid: self.app.organization,
            streamversion: 1,
            actorid: None,
            onbehalfof: None,
            correlationid: "test".into(),
            traceparent: None,
            cursor: "1-1".into(),
            data: serde_json::to_value(event).unwrap(),
        };
        let mut tx = self.app.context.db.begin(self.app.organization).await.unwrap();
        ::resources::on::People.handle(&mut tx, &envelope).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn join(&self, person: &Person, version: i64, groups: &[GroupId]) {
        let groups = groups.iter().copied().collect();
        let after = Account { role: Role::User, active: true, version, groups, remit: None };
        let before = Account { groups: BTreeSet::new(), ..after.clone() };
        self.hear(&UserChanged { user_id: person.user, before, after, fields: Vec::new() }).await;
    }
}

#[tokio::test]
async fn what_somebody_may_not_see_is_not_there() {
    let site = Site::start().await;
    let (ada, bob) = (site.app.person(Role::User), site.app.person(Role::User));
    let bench = path("resources", &site.bench);
    // Known before, so that it lies in the cache.
    site.app.call_as(&bob, "GET", &bench).send().await.expect(200);
    site.hide(json!({ "users": [ada.user] })).await;
    for (person, names, status) in
        [(&ada, vec!["Bench", "Room", "Suite"], 200), (&bob, vec!["Room", "Suite"], 404)]
    {
        assert_eq!(site.names(person).await, names);
        site.app.call_as(person, "GET", &bench).send().await.expect(status);
        let below = format!("/api/v1/resources?location_id={}", site.laboratory["id"].as_str().unwrap());
        let below = site.app.call_as(person, "GET", &below).send().await.expect(200).json();
        assert_eq!(below["items"].as_array().unwrap().len(), names.len() - 2);
    }
    let parts = async |person| {
        let suite = site.app.call_as(person, "GET", &path("resources", &site.suite)).send().await;
        suite.expect(200).json()["parts"].as_array().unwrap().len()
    };
    assert_eq!((parts(&ada).await, parts(&bob).await), (2, 1));
    // Rules of what is not there are not there either; the boss sees all.
    let rules = site.app.call_as(&site.boss, "PUT", &path("rules", &site.bench));
    rules.json(json!({ "scope": "resource" })).send().await.expect(200);
    site.app.call_as(&ada, "GET", &path("rules", &site.bench)).send().await.expect(200);
    site.app.call_as(&bob, "GET", &path("rules", &site.bench)).send().await.problem(404, "not_found");
    assert_eq!(site.names(&site.boss).await, ["Bench", "Room", "Suite"]);
    site.app.events().await;
}

#[tokio::test]
async fn groups_and_roles_open_it_and_every_layer_has_to() {
    let site = Site::start().await;
    let (ada, group) = (site.app.person(Role::User), GroupId::mint());
    site.hide(json!({ "groups": [group] })).await;
    assert_eq!(site.names(&ada).await, ["Room", "Suite"]);
    site.join(&ada, 2, &[group]).await;
    assert_eq!(site.names(&ada).await, ["Bench", "Room", "Suite"]);
    // What is older comes too late.
    site.join(&ada, 1, &[]).await;
    assert_eq!(site.names(&ada).await, ["Bench", "Room", "Suite"]);
    let of_one = json!({ "scope": "resource", "policy": { "access": { "see": { "role": "manager" } } } });
    let put = site.app.call_as(&site.boss, "PUT", &path("rules", &site.bench)).json(of_one);
    put.send().await.expect(200);
    assert_eq!(site.names(&ada).await, ["Room", "Suite"]);
    site.app.events().await;
    // Of who was removed no group is known any more.
    site.hear(&UserRemoved { user_id: ada.user }).await;
    site.join(&ada, 9, &[group]).await;
    let groups: Vec<uuid::Uuid> = sqlx::query_scalar("select groups from resources.account where id = $1")
        .bind(ada.user.0)
        .fetch_one(&mut site.app.owner().await)
        .await
        .unwrap();
    assert!(groups.is_empty());
}

#[tokio::test]
async fn a_manager_sees_what_is_in_their_places() {
    let site = Site::start().await;
    site.hide(json!({ "users": [] })).await;
    let caretaker = site.app.person(Role::Manager);
    let call = |method: &str, thing: &Value, place: Option<&Value>| {
        let place = place.map(|place| place["id"].as_str().unwrap().parse::<LocationId>().unwrap());
        let remit = Remit { locations: place.into_iter().collect(), groups: BTreeSet::new() };
        let claims = Claims { remit: Some(remit), ..site.app.issuer.claims(&caretaker) };
        let token = site.app.issuer.sign(&claims);
        site.app.call(method, &path("resources", thing)).bearer(&token).header("if-match", "*")
    };
    call("GET", &site.bench, Some(&site.laboratory)).send().await.expect(200);
    call("GET", &site.bench, None).send().await.problem(404, "not_found");
    for method in ["PATCH", "DELETE"] {
        let body = json!({ "seats": 3 });
        call(method, &site.bench, None).json(&body).send().await.problem(404, "not_found");
    }
    let body = json!({ "seats": 3 });
    call("PATCH", &site.room, None).json(&body).send().await.problem(403, "outside_remit");
    // Leaving out what they do not see takes nothing away, and nobody makes a whole of it.
    site.app
        .call_as(&site.boss, "PATCH", &path("resources", &site.suite))
        .header("if-match", "*")
        .json(json!({ "location_id": site.laboratory["id"] }))
        .send()
        .await
        .expect(200);
    let elsewhere = json!({ "scope": "resource", "policy": { "access": { "see": { "users": [] } } } });
    let put = site.app.call_as(&site.boss, "PUT", &path("rules", &site.room)).json(elsewhere);
    put.send().await.expect(200);
    let suite = call("PATCH", &site.suite, Some(&site.laboratory)).json(json!({ "parts": [] })).send().await;
    assert_eq!(suite.expect(200).json()["parts"], json!([]));
    let kept = site.app.call_as(&site.boss, "GET", &path("resources", &site.suite)).send().await;
    assert_eq!(kept.expect(200).json()["parts"], json!([site.room["id"]]));
    let with = call("PATCH", &site.bench, Some(&site.laboratory)).json(json!({ "parts": [site.room["id"]] }));
    assert_eq!(with.send().await.problem(422, "invalid_input")["errors"][0]["code"], "unknown_part");
    site.app.events().await;
    call("PATCH", &site.bench, Some(&site.laboratory)).json(json!({ "seats": 3 })).send().await.expect(200);
    assert_eq!(site.app.event_types().await, ["resource.changed"]);
}
