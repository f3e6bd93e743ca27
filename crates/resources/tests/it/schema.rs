//! Row-level security stands on every table, and nothing of one organization is visible to another.

use sqlx::Row as _;

use super::start;

#[tokio::test]
async fn every_table_is_protected() {
    let app = start().await;
    let tables = sqlx::query(
        "select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as forced,
                exists (select from pg_policy p where p.polrelid = c.oid) as has_policy,
                exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'organization_id') as is_owned
         from pg_class c where c.relnamespace = 'resources'::regnamespace and c.relkind in ('r', 'p')
           and c.relname not in ('_migration', '_platform_migration')",
    )
    .fetch_all(&mut app.owner().await)
    .await
    .unwrap();
    assert!(tables.len() >= 9, "the tables were found");
    for table in tables {
        let name: String = table.get("name");
        assert!(table.get::<bool, _>("forced"), "{name} has no forced row security");
        assert!(table.get::<bool, _>("has_policy"), "{name} has no policy");
        assert!(table.get::<bool, _>("is_owned") || name == "consumer", "{name} is of no organization");
    }
}

#[tokio::test]
async fn the_service_cannot_read_its_migrations_table() {
    let app = start().await;
    let result = sqlx::query("select * from resources._migration").fetch_all(app.context.db.pool()).await;
    assert!(result.is_err());
}

#[test]
fn the_document_names_every_operation_once() {
    let document = serde_json::to_value(::resources::openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let mut ids: Vec<_> = paths
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
        .filter_map(|operation| {
            assert!(operation["x-permission"].is_string() && operation["summary"].is_string(), "{operation}");
            operation["operationId"].as_str()
        })
        .collect();
    ids.sort_unstable();
    let expected = [
        "create_amenity",
        "create_location",
        "create_resource",
        "create_resource_type",
        "get_amenity",
        "get_location",
        "get_resource",
        "get_resource_type",
        "get_resources_audit",
        "get_rules",
        "import_resources",
        "list_amenities",
        "list_locations",
        "list_resource_types",
        "list_resources",
        "list_rule_versions",
        "put_rules",
        "retire_resource",
        "update_resource",
    ];
    assert_eq!(ids, expected);
}
