//! What must hold for every table of the schema, and for the document of the operations.

use crate::harness::Bookings;

#[tokio::test]
async fn every_table_has_row_security_forced_and_a_policy() {
    let app = Bookings::start().await;
    assert_eq!(testkit::unprotected_tables(&app).await, [""; 0]);
}

#[tokio::test]
async fn outside_of_an_organization_nothing_is_visible() {
    let app = Bookings::start().await;
    let room = app.room("Ada", 8).await;
    app.book(room, "10:00", "11:00").await;
    let mut tx = app.context.db.begin_without_organization().await.unwrap();
    for table in ["resource", "unit", "booking", "booking_resource", "claim", "event", "idempotency_key"] {
        let count = format!("select count(*) from bookings.{table}");
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(&mut *tx).await.unwrap();
        assert_eq!(count, 0, "{table}");
    }
}
