//! Bringing a database up to date: roles, schemas, the tables every service has, then each service's own.

use std::str::FromStr as _;

use sqlx::migrate::{Migration, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection};

use super::role;

/// The tables that every service has, run once in each schema.
static PLATFORM: Migrator = sqlx::migrate!();

/// Replicas that start together take turns: any number, as long as nobody else uses it on this database.
const LOCK: i64 = 0x7265_7365_7276_6173;

/// A service's schema and its migrations.
#[derive(Debug, Clone)]
pub struct Schema {
    /// Its name.
    pub name: &'static str,
    migrations: Vec<Migration>,
}

impl Schema {
    /// A service's schema, with the migrations of its crate.
    #[must_use]
    pub fn new(name: &'static str, migrator: &Migrator) -> Self {
        Self { name, migrations: migrator.iter().cloned().collect() }
    }
}

/// Why a database could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database cannot be reached or refused a statement.
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    /// A migration failed, or an applied one was edited.
    #[error("{0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
}

/// Applies what is missing, as the database's owner. Safe to run by several replicas at once.
///
/// # Errors
/// When the database cannot be reached, the login may not create roles and schemas, or a migration fails.
pub async fn migrate(url: &str, schemas: &[Schema]) -> Result<(), MigrateError> {
    let mut connection = PgConnectOptions::from_str(url)?.connect().await?;
    sqlx::query("select pg_advisory_lock($1)").bind(LOCK).execute(&mut connection).await?;
    for schema in schemas {
        create_roles(&mut connection, schema.name).await?;
        create_schema(&mut connection, schema.name).await?;
        run(PLATFORM.iter().cloned().collect(), "_platform_migration", schema.name, &mut connection).await?;
        run(schema.migrations.clone(), "_migration", schema.name, &mut connection).await?;
    }
    // Closing the session gives the lock back.
    connection.close().await?;
    Ok(())
}

/// The service's login and the two narrow roles it can step into; NOINHERIT, so that only an explicit
/// `set role` brings their policies into force. Roles are the server's, not the database's: another database
/// may be creating them at this moment.
async fn create_roles(connection: &mut PgConnection, schema: &str) -> Result<(), sqlx::Error> {
    let service = role(schema);
    let statement = format!(
        "do $$ begin
            perform pg_advisory_xact_lock({LOCK});
            if not exists (select from pg_roles where rolname = '{service}') then
                create role {service} login noinherit;
            end if;
            if not exists (select from pg_roles where rolname = '{service}_feed') then
                create role {service}_feed nologin;
                create role {service}_finder nologin;
                grant {service}_feed, {service}_finder to {service};
            end if;
            if not pg_has_role(current_user, '{service}',
                               case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end) then
                -- PostgreSQL 16 makes the creator an administrator of the role, but not one who may step into it.
                execute format('grant {service} to %I', current_user);
            end if;
        end $$"
    );
    // Advisory locks are per database: two databases of one server can still meet here, and the loser finds it done.
    match connection.execute(AssertSqlSafe(statement.clone())).await {
        Err(error) if is_duplicate(&error) => connection.execute(AssertSqlSafe(statement)).await.map(drop),
        result => result.map(drop),
    }
}

fn is_duplicate(error: &sqlx::Error) -> bool {
    let code =
        error.as_database_error().and_then(|database| database.code()).unwrap_or_default().into_owned();
    ["42710", "23505", "XX000"].contains(&code.as_str())
}

async fn create_schema(connection: &mut PgConnection, schema: &str) -> Result<(), sqlx::Error> {
    let service = role(schema);
    let statement = format!(
        "set client_min_messages = warning;
         create schema if not exists {schema};
         grant usage on schema {schema} to {service}, {service}_feed, {service}_finder;"
    );
    connection.execute(AssertSqlSafe(statement)).await.map(drop)
}

async fn run(
    migrations: Vec<Migration>,
    table: &str,
    schema: &str,
    connection: &mut PgConnection,
) -> Result<(), MigrateError> {
    connection.execute(AssertSqlSafe(format!("set search_path = {schema}, public"))).await?;
    let mut migrator = Migrator::with_migrations(migrations);
    migrator.dangerous_set_table_name(format!("{schema}.{table}"));
    // The lock of ours is held already, and covers the roles as well.
    migrator.set_locking(false);
    migrator.run_direct(None, connection, false).await?;
    Ok(())
}
