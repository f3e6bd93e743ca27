//! Every table has row-level security, forced, with a policy; the finder sees no more than it needs; the document.

use contracts::bookings::BookingConfirmed;
use sqlx::Row as _;

use crate::world::{World, booking, envelope};

#[tokio::test]
async fn every_table_is_protected() {
    let world = World::start().await;
    let mut owner = world.test.owner().await;
    let rows = sqlx::query(
        "select c.relname::text as name, c.relrowsecurity and c.relforcerowsecurity as forced,
                exists (select from pg_policy p where p.polrelid = c.oid) as policy
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'notifications' and c.relkind = 'r' and c.relname not like '%\\_migration'",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap();
    assert!(rows.len() >= 6);
    for row in rows {
        let name: String = row.get("name");
        assert!(row.get::<bool, _>("forced"), "{name}: row-level security is not forced");
        assert!(row.get::<bool, _>("policy"), "{name}: no policy");
    }
}

#[tokio::test]
async fn the_finder_sees_when_something_is_due_and_nothing_else() {
    let world = World::start().await;
    let ada = world.person("Ada");
    let event = BookingConfirmed { before: None, booking: booking(&ada), reason: None };
    world.hear(&envelope(ada.organization, &event)).await;
    let db = &world.test.context.db;
    let mut tx = db.begin_as_finder().await.unwrap();
    let due = sqlx::query("select organization_id, id, due_at from notifications.delivery");
    assert_eq!(due.fetch_all(&mut *tx).await.unwrap().len(), 1);
    for forbidden in ["select error from notifications.delivery", "select * from notifications.message"] {
        let mut tx = db.begin_as_finder().await.unwrap();
        let error = sqlx::query(forbidden).fetch_all(&mut *tx).await.unwrap_err();
        assert!(error.to_string().contains("permission denied"), "{error}");
    }
    let mut tx = db.begin_without_organization().await.unwrap();
    let rows = sqlx::query("select * from notifications.message").fetch_all(&mut *tx).await.unwrap();
    assert!(rows.is_empty(), "without an organization nothing is visible");
}

#[test]
fn the_document_names_the_permission() {
    let document = serde_json::to_value(notifications::openapi()).unwrap();
    let operation = &document["paths"]["/api/v1/notifications"]["get"];
    assert_eq!(operation["operationId"], "list_notifications");
    assert_eq!(operation["x-permission"], "notifications.own");
    assert_eq!(operation["security"][0]["bearer"], serde_json::json!([]));
}
