//! Managers of some places and people: bookings there and theirs, and no others.

use std::collections::BTreeSet;

use contracts::rules::Scope;
use contracts::users::{Account, UserCreated};
use kernel::{GroupId, LocationId, Remit, ResourceId, Role};
use platform::auth::Claims;
use serde_json::{Value, json};
use testkit::{Call, Person};

use crate::harness::{Bookings, at, room};

/// A room here and one there; Ada and Bob, who is in a group; a manager of the place here, and one of the group.
struct Houses {
    app: Bookings,
    here: ResourceId,
    there: ResourceId,
    caretaker: (Person, Remit),
    head: (Person, Remit),
}

impl Houses {
    async fn start() -> Self {
        let app = Bookings::start().await;
        let [site, house, other] = [LocationId::mint(), LocationId::mint(), LocationId::mint()];
        let place = |name: &str, path: Vec<LocationId>| contracts::resources::Resource {
            location_names: path.iter().map(|_| "A place".to_owned()).collect(),
            location_path: path,
            ..room(name, 8)
        };
        let here = app.tell(place("Here", vec![site, house])).await;
        let there = app.tell(place("There", vec![site, other])).await;
        let group = GroupId::mint();
        let bob = app.bob.clone();
        app.account(&bob, Role::User, &[group]).await;
        let caretaker = Remit { locations: [house].into(), groups: BTreeSet::new() };
        let head = Remit { locations: BTreeSet::new(), groups: [group].into() };
        let (first, second) = (app.person(Role::Manager), app.person(Role::Manager));
        // The head is in the group as well: nobody is their own manager by that.
        for (person, remit, groups) in [(&first, &caretaker, vec![]), (&second, &head, vec![group])] {
            let groups = groups.into_iter().collect();
            let account =
                Account { role: Role::Manager, active: true, version: 1, groups, remit: Some(remit.clone()) };
            app.hear(&bookings::on::People, &UserCreated { user_id: person.user, account }).await;
        }
        Self { app, here, there, caretaker: (first, caretaker), head: (second, head) }
    }

    fn call(&self, who: &(Person, Remit), method: &str, path: &str) -> Call {
        let claims = self.app.issuer.claims(&who.0);
        let token = self.app.issuer.sign(&Claims { remit: Some(who.1.clone()), ..claims });
        self.app.call(method, path).bearer(&token)
    }

    async fn book(&self, person: &Person, room: ResourceId, hour: &str) -> Value {
        let body = request(room, hour);
        self.app.call_as(person, "POST", "/api/v1/bookings").json(body).send().await.expect(201).json()
    }

    /// The ids on a list.
    async fn listed(&self, who: &(Person, Remit), noun: &str) -> BTreeSet<String> {
        let page = self.call(who, "GET", &format!("/api/v1/{noun}")).send().await.expect(200).json();
        page["items"].as_array().unwrap().iter().map(|item| text(&item["id"])).collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn request(room: ResourceId, hour: &str) -> Value {
    json!({ "resource_id": room, "starts_at": at(&format!("{hour}:00")), "ends_at": at(&format!("{hour}:30")) })
}

fn path(booking: &Value, verb: &str) -> String {
    format!("/api/v1/bookings/{}{verb}", booking["id"].as_str().unwrap())
}

#[tokio::test]
async fn they_see_and_change_what_is_theirs_to_manage() {
    let houses = Houses::start().await;
    let (app, caretaker, head) = (&houses.app, &houses.caretaker, &houses.head);
    let ada_here = houses.book(&app.ada, houses.here, "10").await;
    let ada_there = houses.book(&app.ada, houses.there, "10").await;
    let bob_there = houses.book(&app.bob, houses.there, "11").await;
    let ids = |bookings: &[&Value]| bookings.iter().map(|one| text(&one["id"])).collect::<BTreeSet<_>>();
    assert_eq!(houses.listed(caretaker, "bookings").await, ids(&[&ada_here]));
    assert_eq!(houses.listed(head, "bookings").await, ids(&[&bob_there]));
    for (who, open, shut) in [(caretaker, &ada_here, &bob_there), (head, &bob_there, &ada_there)] {
        houses.call(who, "GET", &path(open, "")).send().await.expect(200);
        houses.call(who, "GET", &path(open, "/history")).send().await.expect(200);
        for (method, verb) in [("GET", ""), ("GET", "/history"), ("POST", "/cancel"), ("POST", "/check-in")] {
            let call = houses.call(who, method, &path(shut, verb));
            let call = if method == "POST" { call.json(json!({})) } else { call };
            call.send().await.problem(404, "not_found");
        }
    }
    // Who is in the way is told of what they manage alone.
    let taken = houses.call(caretaker, "POST", "/api/v1/bookings").json(request(houses.there, "10"));
    let conflict = taken.send().await.problem(409, "slot_taken")["conflicts"][0].clone();
    assert_eq!(conflict.get("user_id"), None, "{conflict}");
    let taken = houses.call(caretaker, "POST", "/api/v1/bookings").json(request(houses.here, "10"));
    let conflict = taken.send().await.problem(409, "slot_taken")["conflicts"][0].clone();
    assert_eq!(conflict["user_id"], ada_here["user_id"]);
    // Not to a place that is not theirs, where the booking is somebody else's.
    let away = json!({ "resource_id": houses.there, "starts_at": at("15:00") });
    let away = houses.call(caretaker, "POST", &path(&ada_here, "/move")).json(away);
    away.send().await.problem(403, "outside_remit");
    let moved =
        houses.call(caretaker, "POST", &path(&ada_here, "/move")).json(json!({ "starts_at": at("15:00") }));
    moved.send().await.expect(200);
    houses.call(head, "POST", &path(&bob_there, "/cancel")).json(json!({})).send().await.expect(200);
    app.events().await;
}

#[tokio::test]
async fn they_book_for_others_where_they_manage_the_place_or_the_person() {
    let houses = Houses::start().await;
    let (app, caretaker, head) = (&houses.app, &houses.caretaker, &houses.head);
    let book = async |who, person: &Person, room, hour: &str| {
        let mut body = request(room, hour);
        body["on_behalf_of"] = json!(person.user);
        houses.call(who, "POST", "/api/v1/bookings").json(body).send().await
    };
    book(caretaker, &app.ada, houses.here, "10").await.expect(201);
    book(caretaker, &app.ada, houses.there, "11").await.problem(403, "outside_remit");
    book(head, &app.bob, houses.there, "12").await.expect(201);
    book(head, &app.ada, houses.there, "13").await.problem(403, "outside_remit");
    let mut series = json!({ "rule": "FREQ=DAILY;COUNT=2", "time_zone": "Europe/Lisbon", "duration_minutes": 30,
                             "starts_at": "2026-03-03T10:00:00", "on_behalf_of": app.ada.user });
    for (room, status) in [(houses.here, 201), (houses.there, 403)] {
        series["resource_id"] = json!(room);
        let preview = houses.call(caretaker, "POST", "/api/v1/series/preview").json(&series).send().await;
        preview.expect(if status == 201 { 200 } else { status });
        houses.call(caretaker, "POST", "/api/v1/series").json(&series).send().await.expect(status);
    }
    assert_eq!(houses.listed(caretaker, "series").await.len(), 1);
    assert_eq!(houses.listed(head, "series").await.len(), 0);
    let mut wait = request(houses.there, "12");
    wait["on_behalf_of"] = json!(app.ada.user);
    let waits = houses.call(caretaker, "POST", "/api/v1/waitlist").json(&wait).send().await;
    waits.problem(403, "outside_remit");
    wait["on_behalf_of"] = json!(app.bob.user);
    let entry = houses.call(head, "POST", "/api/v1/waitlist").json(&wait).send().await.expect(201).json();
    assert_eq!(houses.listed(head, "waitlist").await.len(), 1);
    assert_eq!(houses.listed(caretaker, "waitlist").await.len(), 0);
    let entry = format!("/api/v1/waitlist/{}", entry["id"].as_str().unwrap());
    houses.call(caretaker, "DELETE", &entry).send().await.problem(404, "not_found");
    houses.call(head, "DELETE", &entry).send().await.expect(204);
    app.events().await;
}

#[tokio::test]
async fn they_decide_on_requests_there_and_theirs() {
    let houses = Houses::start().await;
    let (app, caretaker, head) = (&houses.app, &houses.caretaker, &houses.head);
    let rules = json!({ "policy": { "approval": { "always": true } } });
    for room in [houses.here, houses.there] {
        app.rule(Scope::Resource, room.0, rules.clone()).await;
    }
    let ada_here = houses.book(&app.ada, houses.here, "10").await;
    let ada_there = houses.book(&app.ada, houses.there, "10").await;
    let bob_there = houses.book(&app.bob, houses.there, "11").await;
    // Who has to decide is told, so that somebody can ask them.
    let asked: Vec<Value> =
        app.events().await.into_iter().map(|event| event.data["booking"]["approver_ids"].clone()).collect();
    let by = |who: &[&Person]| {
        let mut ids: Vec<_> = who.iter().map(|person| person.user).collect();
        ids.sort_unstable();
        json!(ids)
    };
    let (everywhere, caretaker_, head_) = (&app.manager, &caretaker.0, &head.0);
    let expected = [by(&[everywhere, caretaker_]), by(&[everywhere]), by(&[everywhere, head_])];
    assert_eq!(asked, expected);
    assert_eq!(houses.listed(caretaker, "approvals").await, [text(&ada_here["id"])].into());
    assert_eq!(houses.listed(head, "approvals").await, [text(&bob_there["id"])].into());
    let decide = async |who, booking: &Value| {
        houses.call(who, "POST", &path(booking, "/approve")).json(json!({})).send().await
    };
    decide(caretaker, &ada_there).await.problem(404, "not_found");
    decide(caretaker, &bob_there).await.problem(404, "not_found");
    decide(head, &ada_here).await.problem(404, "not_found");
    decide(caretaker, &ada_here).await.expect(200);
    decide(head, &bob_there).await.expect(200);
    // What they book there needs nobody else; elsewhere it does, also where they are in the group that they manage.
    for (who, room, status) in [
        (caretaker, houses.here, "confirmed"),
        (caretaker, houses.there, "pending"),
        (head, houses.there, "pending"),
    ] {
        let hour = if status == "pending" && who.0.user == head.0.user { "15" } else { "14" };
        let made = houses.call(who, "POST", "/api/v1/bookings").json(request(room, hour)).send().await;
        assert_eq!(made.expect(201).json()["status"], status);
    }
    app.events().await;
}

#[tokio::test]
async fn closures_conflicts_credit_and_reports_end_at_their_places() {
    let houses = Houses::start().await;
    let (app, caretaker, head) = (&houses.app, &houses.caretaker, &houses.head);
    let close = async |who, room: ResourceId| {
        let body = json!({ "scope": "resource", "scope_id": room, "reason": "Paint",
                           "starts_at": at("18:00"), "ends_at": at("19:00") });
        houses.call(who, "POST", "/api/v1/blackouts").json(body).send().await
    };
    let closed = close(caretaker, houses.here).await.expect(201).json();
    close(caretaker, houses.there).await.problem(403, "outside_remit");
    close(head, houses.there).await.problem(403, "outside_remit");
    let blackout = format!("/api/v1/blackouts/{}", closed["id"].as_str().unwrap());
    houses.call(head, "DELETE", &blackout).send().await.problem(403, "outside_remit");
    houses.call(caretaker, "DELETE", &blackout).send().await.expect(204);
    // A conflict here, and one there.
    for room in [houses.here, houses.there] {
        houses.book(&app.ada, room, "10").await;
        let body = request(room, "10");
        app.call_as(&app.bob, "POST", "/api/v1/bookings").json(body).send().await.problem(409, "slot_taken");
    }
    let conflicts = houses.listed(caretaker, "conflicts").await;
    assert_eq!((conflicts.len(), houses.listed(head, "conflicts").await.len()), (1, 2));
    let grant = json!({ "amount": 100, "currency": "EUR" });
    let credit = |person: &Person| format!("/api/v1/credits/{}", person.user);
    let give = async |person: &Person| {
        houses.call(head, "POST", &format!("{}/grant", credit(person))).json(&grant).send().await
    };
    give(&app.bob).await.expect(201);
    houses.call(head, "GET", &credit(&app.bob)).send().await.expect(200);
    give(&app.ada).await.problem(403, "outside_remit");
    houses.call(head, "GET", &credit(&app.ada)).send().await.problem(404, "not_found");
    let report = "/api/v1/reports/utilization?from=2026-03-02&to=2026-03-03&group_by=resource";
    let rows = async |who| {
        let report = houses.call(who, "GET", report).send().await.expect(200).json();
        report["rows"].as_array().unwrap().iter().map(|row| row["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(rows(caretaker).await, [json!("Here")]);
    assert!(rows(head).await.is_empty());
    let calendar = |room: ResourceId| {
        format!(
            "/api/v1/calendar?resource_ids={room}&from={}&to={}&as_of={}",
            at("08:00"),
            at("20:00"),
            app.now()
        )
    };
    houses.call(caretaker, "GET", &calendar(houses.here)).send().await.expect(200);
    houses.call(caretaker, "GET", &calendar(houses.there)).send().await.problem(403, "outside_remit");
    app.events().await;
}

#[tokio::test]
async fn what_is_hidden_in_their_places_they_see_and_elsewhere_not() {
    let houses = Houses::start().await;
    let app = &houses.app;
    let nobody = json!({ "policy": { "access": { "see": { "users": [] } } } });
    app.rule(Scope::Organization, app.organization.0, nobody).await;
    let look = async |who: &(Person, Remit), room: ResourceId| {
        let path = format!("/api/v1/resources/{room}/free-busy");
        houses.call(who, "GET", &path).send().await.status.as_u16()
    };
    assert_eq!(
        (look(&houses.caretaker, houses.here).await, look(&houses.caretaker, houses.there).await),
        (200, 404)
    );
    // Who manages people sees no places by that.
    assert_eq!((look(&houses.head, houses.here).await, look(&houses.head, houses.there).await), (404, 404));
    let theirs =
        app.call_as(&app.ada, "POST", "/api/v1/bookings").json(request(houses.here, "10")).send().await;
    assert_eq!(theirs.problem(422, "invalid_input")["errors"][0]["code"], "not_found");
    // By role, at a place.
    app.rule(Scope::Organization, app.organization.0, json!({})).await;
    let managers = json!({ "policy": { "access": { "see": { "role": "manager" } } } });
    let house = *houses.caretaker.1.locations.first().unwrap();
    app.rule(Scope::Location, house.0, managers).await;
    assert_eq!((look(&houses.head, houses.here).await, look(&houses.head, houses.there).await), (200, 200));
    for (room, status) in [(houses.here, 404), (houses.there, 200)] {
        let path = format!("/api/v1/resources/{room}/policy");
        app.call_as(&app.ada, "GET", &path).send().await.expect(status);
    }
    app.events().await;
}
