//! Row-level security: on, forced and with a policy on every table; and what the narrow role may read.

use sqlx::Row as _;

use crate::Users;

#[tokio::test]
async fn every_table_is_protected() {
    let users = Users::start().await;
    let rows = sqlx::query(
        "select c.relname::text as name, c.relrowsecurity and c.relforcerowsecurity as forced,
                exists (select from pg_policy p where p.polrelid = c.oid) as policy,
                coalesce((select a.attname = 'organization_id' and a.attnotnull from pg_attribute a
                          where a.attrelid = c.oid and a.attnum = 1), false) as led
         from pg_class c where c.relnamespace = 'users'::regnamespace and c.relkind in ('r', 'p')
           and c.relname not in ('_migration', '_platform_migration')",
    )
    .fetch_all(&mut users.owner().await)
    .await
    .unwrap();
    assert!(rows.len() >= 8);
    for row in rows {
        let name: String = row.get("name");
        assert!(row.get::<bool, _>("forced") && row.get::<bool, _>("policy"), "{name} is not protected");
        // What belongs to no organization says so here.
        let installation =
            ["consumer", "read_only", "sealing_key", "signing_key", "throttle"].contains(&name.as_str());
        assert!(installation || row.get::<bool, _>("led"), "{name} does not start with organization_id");
    }
}

#[tokio::test]
async fn a_query_outside_of_its_organization_sees_nothing() {
    let users = Users::start().await;
    let other = users.organization("other").await;
    let count = async |mut tx: platform::db::Tx| {
        let statement = "select count(*) from users.account a join users.password p on p.user_id = a.id";
        sqlx::query_scalar::<_, i64>(statement).fetch_one(&mut *tx).await
    };
    assert_eq!(count(users.context.db.begin(other.organization_id).await.unwrap()).await.unwrap(), 1);
    assert_eq!(count(users.context.db.begin_without_organization().await.unwrap()).await.unwrap(), 0);
    assert!(count(users.context.db.begin_as_finder().await.unwrap()).await.is_err());
    let mut finder = users.context.db.begin_as_finder().await.unwrap();
    assert!(sqlx::query("select name from users.organization").fetch_all(&mut *finder).await.is_err());
}
