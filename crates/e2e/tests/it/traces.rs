//! One booking is one connected tree of spans: the gateway, the services, their statements, and what is told by events.

use std::collections::{BTreeMap, BTreeSet};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::collector::{Collector, Seen};
use crate::installation::Installation;
use crate::journey::{afternoon, import, search};

const CLIENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

#[tokio::test]
async fn a_booking_is_one_tree_across_the_services() {
    let collector = Collector::start().await;
    let settings = [("RESERVAS_OTLP_ENDPOINT", collector.url()), ("RUST_LOG", "info".to_owned())];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut installation = Installation::on_database_with(&settings).await;
    import(&installation).await;
    let ada = installation.client().register("ada@example.com", "Ada Lovelace").await;
    let room = search(&ada).await;
    let body = json!({ "resource_id": room["resource_id"], "title": "a secret of two", "starts_at": afternoon("14:00"), "ends_at": afternoon("15:00") });
    let request = ada.request("POST", "/api/v1/bookings").header("traceparent", CLIENT).json(&body);
    ada.send(request).await.expect(201);
    let sent = |messages: &serde_json::Value| messages["items"][0]["deliveries"][0]["status"] == "sent";
    ada.eventually("/api/v1/notifications", sent).await;
    // What has ended is sent before the process ends.
    installation.stop(Signal::SIGTERM).await;

    let all = collector.until(|spans| spans.iter().any(|span| span.trace == TRACE && span.kind == 5)).await;
    let tree: Vec<&Seen> = all.iter().filter(|span| span.trace == TRACE).collect();
    let parents: BTreeMap<&str, &Seen> = tree.iter().map(|span| (span.id.as_str(), *span)).collect();
    let outside: Vec<&str> = tree
        .iter()
        .filter(|span| !parents.contains_key(span.parent.as_str()))
        .map(|span| span.parent.as_str())
        .collect();
    assert_eq!(outside, ["b7ad6b7169203331"], "one root, below the client's own: {tree:#?}");
    let find = |service: &str, kind: i32, name: &str| {
        let found = tree.iter().find(|span| {
            (span.service.as_str(), span.kind) == (service, kind) && span.name.starts_with(name)
        });
        *found.unwrap_or_else(|| panic!("{service} {kind} {name} is not in {tree:#?}"))
    };
    let above = |span: &Seen| parents[span.parent.as_str()].name.clone();
    assert_eq!(above(find("bookings", 2, "POST /api/v1/bookings")), "POST /api/v1/bookings");
    assert_eq!(find("gateway", 2, "POST /api/v1/bookings").attributes["http.response.status_code"], "201");
    find("gateway", 3, "POST /api/v1/bookings");
    find("bookings", 1, "transaction");
    find("bookings", 3, "INSERT event");
    let told = find("notifications", 5, "process reservas.booking.confirmed.v1");
    assert_eq!(above(told), "POST /api/v1/bookings");
    // The notification service asks whom to tell, and the user service answers in the same trace.
    let services: BTreeSet<&str> = tree.iter().map(|span| span.service.as_str()).collect();
    assert!(services.is_superset(&["gateway", "bookings", "notifications"].into()), "{services:?}");
    assert!(tree.iter().all(|span| !span.failed), "{tree:#?}");
    let secrets = ["a password of many words", "Bearer ", "a secret of two", "ada@example.com"];
    assert!(secrets.iter().all(|secret| !format!("{all:?}").contains(secret)));

    let log = installation.log();
    let with_it: BTreeSet<_> = log
        .iter()
        .filter(|line| line.to_string().contains(TRACE))
        .map(|line| line["span"]["service"].as_str().or(line["target"].as_str()).unwrap().to_owned())
        .collect();
    assert!(
        with_it.is_superset(&["gateway::access".to_owned(), "bookings".to_owned()].into()),
        "{with_it:?}"
    );
}
