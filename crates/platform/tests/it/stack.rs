//! Problems for everything, correlation ids, limits, pages, health and metrics.

use kernel::Role;
use serde_json::json;

use crate::notes;

#[tokio::test]
async fn everything_that_fails_is_a_problem() {
    let app = notes::start().await;
    let ada = app.person(Role::User);
    let post = || app.call_as(&ada, "POST", "/notes");
    app.call("GET", "/nowhere").send().await.problem(404, "unknown_path");
    let reply = app.call("DELETE", "/notes").send().await;
    assert_eq!(reply.header("allow"), "POST,GET,HEAD");
    reply.problem(405, "method_not_allowed");
    post().body("application/json", "{").send().await.problem(400, "malformed_json");
    post().body("application/json", "{\"text\": \"\u{1}\"} x").send().await.problem(400, "malformed_json");
    post().body("application/json", vec![0xff, 0xfe]).send().await.problem(400, "malformed_json");
    post().body("text/plain", "{}").send().await.problem(415, "unsupported_media_type");
    post().body("application/json", vec![b' '; 1024 * 1024 + 1]).send().await.problem(413, "body_too_large");
    let missing = post().json(json!({})).send().await.problem(422, "invalid_input");
    assert_eq!(missing["errors"][0]["code"], "required");
    let unknown = post().json(json!({ "text": "a", "color": 1 })).send().await.problem(422, "invalid_input");
    assert_eq!(
        (&unknown["errors"][0]["pointer"], &unknown["errors"][0]["code"]),
        (&json!("/color"), &json!("unknown_field"))
    );
    let long = post().json(json!({ "text": "x".repeat(21) })).send().await.problem(422, "invalid_input");
    assert_eq!(long["errors"][0]["pointer"], "/text");
    app.call_as(&ada, "GET", "/notes?color=1").send().await.problem(400, "invalid_query");
    let panic = app.call("GET", "/panic").send().await.problem(500, "internal");
    assert!(!panic.to_string().contains("secret"), "{panic}");
}

#[tokio::test]
async fn a_correlation_id_goes_in_and_out() {
    let app = notes::start().await;
    let reply = app.call("GET", "/nowhere").header("x-correlation-id", "abc-1.2_3").send().await;
    assert_eq!(reply.header("x-correlation-id"), "abc-1.2_3");
    assert_eq!(reply.json()["correlation_id"], "abc-1.2_3");
    assert_eq!(app.call("GET", "/nowhere").send().await.header("x-correlation-id").len(), 36);
    for bad in ["", "a b", "a\"b", &"x".repeat(129)] {
        let reply = app.call("GET", "/nowhere").header("x-correlation-id", bad).send().await;
        reply.problem(400, "invalid_correlation_id");
    }
}

#[tokio::test]
async fn pages_follow_each_other_to_the_end() {
    let app = notes::start().await;
    let ada = app.person(Role::User);
    let (mut seen, mut path) = (Vec::new(), "/notes?limit=2".to_owned());
    loop {
        let page = app.call_as(&ada, "GET", &path).send().await.expect(200).json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|number| number.as_i64().unwrap()));
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/notes?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
    for bad in ["/notes?limit=0", "/notes?limit=201"] {
        app.call_as(&ada, "GET", bad).send().await.problem(422, "invalid_input");
    }
    app.call_as(&ada, "GET", "/notes?cursor=xyz").send().await.problem(400, "invalid_cursor");
}

#[tokio::test]
async fn health_and_metrics_tell_the_state() {
    let app = notes::start().await;
    app.call("GET", "/health/live").send().await.expect(200);
    let ready = app.call("GET", "/health/ready").send().await.expect(200).json();
    assert_eq!(
        (&ready["status"], &ready["dependencies"][0]["name"]),
        (&json!("ready"), &json!("postgresql"))
    );
    app.call("GET", "/nowhere/12345").send().await;
    let metrics = String::from_utf8(app.call("GET", "/metrics").send().await.expect(200).body).unwrap();
    let line =
        r#"reservas_http_requests_total{service="notes",method="GET",route="/health/live",status="200"} 1"#;
    assert!(metrics.contains(line), "{metrics}");
    assert!(!metrics.contains("12345"), "a path that a client made up must not become a label");
}

#[tokio::test]
async fn a_database_that_can_only_be_read_refuses_writes_and_says_so() {
    let app = notes::start().await;
    let ada = app.person(Role::User);
    let database = app.owner_url().rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
    let statement = format!("alter database \"{database}\" set default_transaction_read_only = on");
    let execute = async |statement: &str| {
        let mut owner = app.owner().await;
        for statement in ["set default_transaction_read_only = off", statement] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut owner).await.unwrap();
        }
    };
    assert!(app.context.db.takes_writes().await);
    execute(&statement).await;
    // The setting is for new sessions.
    let end = "select pg_terminate_backend(pid) from pg_stat_activity
               where datname = current_database() and pid <> pg_backend_pid()";
    execute(end).await;
    assert!(!app.context.db.takes_writes().await);
    let refused = app.call_as(&ada, "POST", "/notes").json(json!({ "text": "a" })).send().await;
    assert_eq!((refused.header("retry-after"), refused.header("x-read-only")), ("5", "true"));
    refused.problem(503, "read_only");
    app.call_as(&ada, "GET", "/notes").send().await.expect(200);
    let health = app.call("GET", "/health/ready").send().await.expect(200).json();
    assert_eq!(
        (&health["status"], &health["dependencies"][0]["read_only"]),
        (&json!("read_only"), &json!(true))
    );
    execute(&statement.replace("= on", "= off")).await;
    execute(end).await;
    assert!(app.context.db.takes_writes().await);
    app.call_as(&ada, "POST", "/notes").json(json!({ "text": "a" })).send().await.expect(201);
    app.events().await;
}
