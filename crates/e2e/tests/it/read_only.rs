//! Read-only mode: by an administrator's command, and by itself when the database takes no writes.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::client::{Client, Reply};
use crate::installation::{ADMIN, Installation, PASSWORD};

/// Makes a new type of resource, again and again, until the answer has a status.
async fn write_until(client: &Client, status: u16) -> Reply {
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    for number in 0..600 {
        tick.tick().await;
        let name = format!("type {} {status} {number}", client.get("/__health").await.body["now"]);
        let reply = client.post("/api/v1/resource-types", json!({ "name": name })).await;
        if reply.status.as_u16() == status {
            return reply;
        }
        assert!([201, 503].contains(&reply.status.as_u16()), "{:#}", reply.body);
    }
    panic!("no write was ever answered {status}");
}

#[tokio::test]
async fn an_administrator_turns_it_on_for_every_gateway_and_off_again() {
    // On the private PostgreSQL, which the command finds by itself.
    let installation = Installation::start(&[]).await;
    let replica = installation.replica(&[]).await;
    let admin = installation.admin().await;
    let there = replica.client(&admin);
    assert_eq!(installation.say(&["admin", "read-only", "status"]).await, "writes are taken\n");
    let on = ["admin", "read-only", "on", "--retry-after", "90", "--reason", "moving house"];
    let said = installation.say(&on).await;
    assert!(
        said.starts_with("read-only since ") && said.ends_with("retry after 90 s: moving house\n"),
        "{said}"
    );
    for gateway in [&admin, &there] {
        let refused = write_until(gateway, 503).await;
        assert_eq!(refused.header("retry-after"), "90");
        let problem = refused.problem(503, "read_only");
        assert!(problem["detail"].as_str().unwrap().contains("moving house"), "{problem}");
        gateway.get("/api/v1/resource-types").await.expect(200);
        assert_eq!(gateway.get("/__health").await.expect(200)["read_only"], true);
        // Who is away from their desk must be able to come back and read.
        gateway.sign_in(ADMIN, PASSWORD).await.get("/api/v1/me").await.expect(200);
    }
    // It outlives the gateways.
    assert_eq!(installation.say(&["admin", "read-only", "off"]).await, "writes are taken\n");
    for gateway in [&admin, &there] {
        write_until(gateway, 201).await;
        assert_eq!(gateway.get("/__health").await.expect(200)["read_only"], Value::Null);
    }
}

/// Changes the database for all sessions from now on, and ends those that there are.
async fn set_read_only(url: &str, on: bool) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let name: String =
        sqlx::query_scalar("select current_database()").fetch_one(&mut connection).await.unwrap();
    let value = if on { "on" } else { "off" };
    let statements = [
        "set default_transaction_read_only = off".to_owned(),
        format!("alter database \"{name}\" set default_transaction_read_only = {value}"),
        "select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()"
            .to_owned(),
    ];
    // One by one: each is a transaction of its own.
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    }
}

/// The log's lines with a text.
fn lines(installation: &Installation, text: &str) -> usize {
    installation.log().iter().filter(|line| line.to_string().contains(text)).count()
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_noticed_and_its_return_too() {
    let installation = Installation::on_database_with(&[("RUST_LOG", "info")]).await;
    let admin = installation.admin().await;
    write_until(&admin, 201).await;
    let url = installation.database_url();
    set_read_only(&url, true).await;
    write_until(&admin, 503).await.problem(503, "read_only");
    // The gateway spares the services: the answer is its own, with its own time to wait.
    let refused = admin.post("/api/v1/resource-types", json!({ "name": "never" })).await;
    assert_eq!(refused.header("retry-after"), "5");
    refused.problem(503, "read_only");
    assert_eq!(admin.get("/__health").await.expect(200)["read_only"], true);
    for path in [
        "/api/v1/resource-types",
        "/api/v1/bookings",
        "/api/v1/notifications",
        "/api/v1/me",
        "/api/v1/me/dashboard",
    ] {
        admin.get(path).await.expect(200);
    }
    for offset in 1..=4 {
        let service = Client::new(format!("http://127.0.0.1:{}", installation.port + offset));
        assert_eq!(service.get("/health/ready").await.expect(200)["status"], "read_only");
    }
    // A session cannot be written down, so nobody can sign in; tokens that are out stay good.
    let credentials = json!({ "email": ADMIN, "password": PASSWORD });
    installation.client().post("/api/v1/auth/login", credentials).await.problem(503, "read_only");
    let said = installation.say(&["admin", "read-only", "status"]).await;
    assert!(said.ends_with("the database itself is read-only\n"), "{said}");

    // What runs by itself says once that it waits, and nothing else.
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    for _ in 0..600 {
        if lines(&installation, "what runs by itself waits") >= 2 {
            break;
        }
        tick.tick().await;
    }
    let waiting = lines(&installation, "what runs by itself waits");
    assert!((2..=4).contains(&waiting), "{waiting}");
    for noise in ["the jobs will run again", "will be tried again", "read-only transaction"] {
        assert_eq!(lines(&installation, noise), 0, "{noise}");
    }

    set_read_only(&url, false).await;
    write_until(&admin, 201).await;
    installation.client().sign_in(ADMIN, PASSWORD).await;
    // What refused a sign-in is only known to be well again when it has refused nothing for a while.
    admin.eventually("/__health", |health| health["read_only"].is_null()).await;
}
