//! The service's own copy of the catalogue: kept by events, asked for when something is missing.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use bookings::Config;
use contracts::resources::{Resource, ResourceStatus};
use kernel::ResourceId;
use platform::http::{Json, Path};
use serde_json::json;

use crate::harness::{Bookings, at, room};

#[tokio::test]
async fn an_older_event_never_overwrites_a_newer_one() {
    let app = Bookings::start().await;
    let newer = Resource { version: 3, name: "Newer".into(), ..room("", 8) };
    app.tell(newer.clone()).await;
    app.tell(Resource { version: 2, name: "Older".into(), ..newer.clone() }).await;
    assert_eq!(app.book(newer.id, "10:00", "11:00").await["resources"][0]["name"], "Newer");
}

#[tokio::test]
async fn fewer_units_take_fewer_bookings_and_drop_none() {
    let app = Bookings::start().await;
    let pool = Resource { units: 2, ..room("Laptops", 1) };
    app.tell(pool.clone()).await;
    let first = app.book(pool.id, "10:00", "11:00").await;
    let second = app.book(pool.id, "10:00", "11:00").await;
    app.tell(Resource { units: 1, version: 2, ..pool.clone() }).await;
    for booking in [first, second] {
        let path = format!("/api/v1/bookings/{}", booking["id"].as_str().unwrap());
        assert_eq!(
            app.call_as(&app.ada, "GET", &path).send().await.expect(200).json()["status"],
            "confirmed"
        );
    }
    app.book(pool.id, "12:00", "13:00").await;
    let body = json!({ "resource_id": pool.id, "starts_at": at("12:00"), "ends_at": at("13:00") });
    let _ =
        app.call_as(&app.bob, "POST", "/api/v1/bookings").json(body).send().await.problem(409, "slot_taken");
}

#[tokio::test]
async fn what_is_retired_takes_no_bookings() {
    let app = Bookings::start().await;
    let retired = app.tell(Resource { status: ResourceStatus::Retired, ..room("Old", 8) }).await;
    let body = json!({ "resource_id": retired, "starts_at": at("10:00"), "ends_at": at("11:00") });
    let reply = app.call_as(&app.bob, "POST", "/api/v1/bookings").json(body).send().await;
    assert_eq!(reply.problem(422, "invalid_input")["errors"][0]["code"], "not_bookable");
}

/// Plays the resource service's published contract on a real port.
async fn resource_service(all: Vec<Resource>) -> Config {
    let answer = move |Path((_, id)): Path<(String, ResourceId)>| async move {
        let found = all.iter().find(|one| one.id == id).cloned();
        found.map(Json).ok_or(StatusCode::NOT_FOUND)
    };
    let router = Router::new().route("/internal/organizations/{organization_id}/resources/{id}", get(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let resources_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Config { resources_url, ..Config::default() }
}

#[tokio::test]
async fn a_resource_created_a_moment_ago_is_asked_for() {
    let fresh = room("Fresh", 8);
    let app = Bookings::start_with(resource_service(vec![fresh.clone()]).await).await;
    assert_eq!(app.book(fresh.id, "10:00", "11:00").await["resources"][0]["name"], "Fresh");
    let body = json!({ "resource_id": ResourceId::mint(), "starts_at": at("10:00"), "ends_at": at("11:00") });
    let reply = app.call_as(&app.bob, "POST", "/api/v1/bookings").json(body).send().await;
    assert_eq!(reply.problem(422, "invalid_input")["errors"][0]["code"], "not_found");
}

#[tokio::test]
async fn whoever_created_a_resource_can_look_at_it_at_once() {
    let looks = ["schedule", "free-busy", "next-free?duration_minutes=60"];
    let fresh: Vec<Resource> = looks.iter().map(|_| room("Fresh", 8)).collect();
    let app = Bookings::start_with(resource_service(fresh.clone()).await).await;
    for (look, fresh) in looks.iter().zip(&fresh) {
        let path = |id: ResourceId| format!("/api/v1/resources/{id}/{look}");
        let reply = app.call_as(&app.bob, "GET", &path(fresh.id)).send().await.expect(200);
        assert_eq!(reply.json()["resource_id"], json!(fresh.id));
        let unknown = app.call_as(&app.bob, "GET", &path(ResourceId::mint())).send().await;
        unknown.problem(404, "not_found");
    }
}

#[tokio::test]
async fn the_parts_of_a_whole_are_asked_for_as_well() {
    let (left, right) = (room("Left", 8), room("Right", 8));
    let hall = Resource { parts: [left.id, right.id].into(), ..room("Hall", 16) };
    let app = Bookings::start_with(resource_service(vec![left.clone(), right, hall.clone()]).await).await;
    // Told of the whole before its parts, as in the middle of an import.
    app.tell(hall.clone()).await;
    app.book(hall.id, "10:00", "11:00").await;
    let body = json!({ "resource_id": left.id, "starts_at": at("10:00"), "ends_at": at("11:00") });
    app.call_as(&app.bob, "POST", "/api/v1/bookings").json(body).send().await.problem(409, "slot_taken");
}

#[tokio::test]
async fn known_resources_are_booked_while_the_resource_service_is_down() {
    let app = Bookings::start().await;
    let known = app.room("Known", 8).await;
    app.book(known, "10:00", "11:00").await;
    let body = json!({ "resource_id": ResourceId::mint(), "starts_at": at("10:00"), "ends_at": at("11:00") });
    let reply = app.call_as(&app.bob, "POST", "/api/v1/bookings").json(body).send().await;
    assert_eq!(reply.header("retry-after"), "1");
    reply.problem(503, "service_unavailable");
}

#[tokio::test]
async fn a_change_of_parts_opens_no_way_to_book_twice() {
    let app = Bookings::start().await;
    let (left, right) = (app.room("Left", 40).await, app.room("Right", 40).await);
    let single = room("Hall", 80);
    let whole = Resource { version: 2, parts: [left, right].into(), ..single.clone() };
    let ask = json!({ "resource_id": single.id, "starts_at": at("10:00"), "ends_at": at("11:00") });
    // Booked without parts, then divided; later booked with parts, then made one again.
    app.tell(single.clone()).await;
    app.book(single.id, "10:00", "11:00").await;
    app.tell(whole).await;
    app.call_as(&app.bob, "POST", "/api/v1/bookings").json(&ask).send().await.problem(409, "slot_taken");
    app.book(single.id, "12:00", "13:00").await;
    app.tell(Resource { version: 3, ..single.clone() }).await;
    let ask = json!({ "resource_id": single.id, "starts_at": at("12:30"), "ends_at": at("13:30") });
    app.call_as(&app.bob, "POST", "/api/v1/bookings").json(&ask).send().await.problem(409, "slot_taken");
}
