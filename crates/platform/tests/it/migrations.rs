//! Migrations: several replicas that start at once, and what holds for the tables every service has.

use futures_util::future::join_all;
use platform::db::migrate::migrate;

use crate::notes;

#[tokio::test]
async fn several_replicas_may_start_at_once() {
    let app = notes::start().await;
    // A second service in the same database, whose schema nobody has made yet.
    let schema =
        platform::db::migrate::Schema::new("memos", &sqlx::migrate::Migrator::with_migrations(Vec::new()));
    let url = app.owner_url().to_owned();
    let runs = (0..6).map(|_| migrate(&url, std::slice::from_ref(&schema)));
    for run in join_all(runs).await {
        run.unwrap();
    }
}

#[tokio::test]
async fn every_table_has_row_security_forced_and_a_policy() {
    let app = notes::start().await;
    assert_eq!(testkit::unprotected_tables(&app).await, [""; 0]);
}

#[tokio::test]
async fn no_role_of_a_service_may_change_an_event() {
    let app = notes::start().await;
    let mut tx = app.context.db.begin(app.organization).await.unwrap();
    notes::write(&mut tx, &app, app.organization, "kept").await;
    tx.commit().await.unwrap();
    for statement in ["update event set type = 'x'", "delete from event", "truncate event"] {
        for begin in [app.context.db.begin(app.organization).await, app.context.db.begin_as_feed().await] {
            let mut tx = begin.unwrap();
            let error = sqlx::query(statement).execute(&mut *tx).await.unwrap_err();
            assert!(error.to_string().contains("permission denied"), "{statement}: {error}");
        }
    }
    assert_eq!(app.events().await.len(), 1);
}
