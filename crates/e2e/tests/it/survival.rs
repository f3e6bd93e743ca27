//! What a power cut may not do: lose an acknowledged booking, or block the next start.

use std::collections::BTreeSet;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::installation::{Installation, command, folder, free_ports};
use crate::journey::{afternoon, in_days};

async fn room(installation: &Installation) -> Value {
    let admin = installation.admin().await;
    admin.post("/api/v1/resource-types", json!({ "name": "room" })).await.expect(201);
    let room = json!({ "name": "Ada", "type": "room", "seats": 8, "time_zone": "Europe/Lisbon" });
    admin.post("/api/v1/resources", room).await.expect(201)["id"].clone()
}

#[tokio::test]
async fn kill_9_during_writes_loses_no_acknowledged_booking() {
    let mut installation = Installation::start(&[]).await;
    let room = room(&installation).await;
    let mut acknowledged = BTreeSet::new();
    for round in 0..3 {
        let writer = installation.admin().await;
        let room = room.clone();
        let (told, mut hears) = tokio::sync::mpsc::channel(1000);
        // Writes until the connection breaks; what was answered 201 must be there afterwards.
        let writing = tokio::spawn(async move {
            for minute in 0..288 {
                let day = in_days(40 + round).to_zoned(jiff::tz::TimeZone::UTC).unwrap();
                let start = day.timestamp() + jiff::SignedDuration::from_mins(5 * minute);
                let end = start + jiff::SignedDuration::from_mins(5);
                let body = json!({ "resource_id": room, "starts_at": start, "ends_at": end });
                let Ok(answer) = writer.request("POST", "/api/v1/bookings").json(&body).send().await else {
                    return;
                };
                if answer.status() != 201 {
                    return;
                }
                let Ok(booking) = answer.json::<Value>().await else {
                    return;
                };
                told.send(booking["id"].as_str().unwrap().to_owned()).await.unwrap();
            }
        });
        for _ in 0..20 {
            acknowledged.insert(hears.recv().await.expect("the writer writes"));
        }
        installation.crash_and_restart().await;
        writing.await.unwrap();
        while let Some(id) = hears.recv().await {
            acknowledged.insert(id);
        }
    }
    let admin = installation.admin().await;
    for id in &acknowledged {
        assert_eq!(admin.get(&format!("/api/v1/bookings/{id}")).await.expect(200)["status"], "confirmed");
    }
    assert!(acknowledged.len() >= 60);
}

/// The processes whose command line names a folder.
fn processes_of(folder: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read_to_string(entry.path().join("cmdline")).ok());
    lines.map(|line| line.replace('\0', " ")).filter(|line| line.contains(folder.to_str().unwrap())).collect()
}

#[tokio::test]
async fn each_signal_stops_everything_and_the_next_start_finds_the_data() {
    let mut installation = Installation::start(&[]).await;
    let room = room(&installation).await;
    let body = json!({ "resource_id": room, "starts_at": afternoon("14:00"), "ends_at": afternoon("15:00") });
    let booking = installation.admin().await.post("/api/v1/bookings", body).await.expect(201);
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        installation.stop(signal).await;
        assert_eq!(processes_of(&installation.data()), [""; 0]);
        installation.restart().await;
        assert!(
            !installation.said.iter().any(|line| line.contains("password")),
            "the password is shown once"
        );
        let path = format!("/api/v1/bookings/{}", booking["id"].as_str().unwrap());
        assert_eq!(installation.admin().await.get(&path).await.expect(200), booking);
    }
}

#[tokio::test]
async fn a_signal_during_the_start_stops_everything_too() {
    let folder = folder();
    let data = folder.path().join("data");
    let settings = [
        ("RESERVAS_DATA_DIR".to_owned(), data.to_str().unwrap().to_owned()),
        ("RESERVAS_PORT_BASE".to_owned(), free_ports().to_string()),
    ];
    let mut child = command(&["all"], &settings).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = said.next_line().await.unwrap().unwrap();
    assert!(first.starts_with("users"), "{first}");
    kill(Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()), Signal::SIGTERM).unwrap();
    assert!(child.wait().await.unwrap().success());
    assert_eq!(processes_of(&data), [""; 0]);
}
