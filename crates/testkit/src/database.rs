//! A database of its own for each test, copied from one that was migrated once.

use std::str::FromStr as _;

use platform::db::migrate::{Schema, migrate};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use tokio::sync::OnceCell;

/// An environment variable that the test command sets.
///
/// # Panics
/// When it is not set: tests are not skipped, they say what is missing.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the test kit's one place that reads the environment")]
pub fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run `make test`, or `cargo xtask with-servers cargo test …`")
    })
}

/// The URL of a new database with the schema of a service, on the server of the test command.
///
/// # Panics
/// When the server cannot be reached.
pub async fn database(schema: &Schema) -> String {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let template = TEMPLATE
        .get_or_init(|| async {
            let name = unique("template");
            create(&format!("create database {name}")).await;
            migrate(&url(&name), std::slice::from_ref(schema)).await.expect("the migrations run");
            name
        })
        .await;
    let name = unique("test");
    create(&format!("create database {name} template {template}")).await;
    url(&name)
}

/// The URL of a new database with nothing in it, as an owner who is no superuser and may create roles: what an
/// operator is given.
///
/// # Panics
/// When the server cannot be reached.
pub async fn empty_database() -> String {
    let name = unique("test");
    create(&format!("create role {name} login createrole")).await;
    create(&format!("create database {name} owner {name}")).await;
    let mut url = url::Url::parse(&url(&name)).unwrap();
    url.set_username(&name).unwrap();
    url.into()
}

fn unique(prefix: &str) -> String {
    format!("{prefix}_{}", kernel::EventId::mint().0.simple())
}

async fn create(statement: &str) {
    let mut server =
        PgConnectOptions::from_str(&variable("TEST_DATABASE_URL")).unwrap().connect().await.unwrap();
    // Copies of one template wait for each other; the server refuses instead of queueing.
    server.execute("select pg_advisory_lock(7)").await.unwrap();
    server.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
    server.close().await.unwrap();
}

fn url(database: &str) -> String {
    let mut url = url::Url::parse(&variable("TEST_DATABASE_URL")).unwrap();
    url.set_path(database);
    url.into()
}
