//! The private PostgreSQL: what it must survive, and what it says when it cannot.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use platform::postgres::{Cluster, Durability, Error, OWNER, Settings};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgConnection};
use tempfile::TempDir;

/// A folder that the server's user can pass through when the tests run as root.
fn place() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o711)).unwrap();
    place
}

fn settings(folder: impl Into<PathBuf>) -> Settings {
    Settings { folder: folder.into(), durability: Durability::Throwaway }
}

async fn connect(cluster: &Cluster, database: &str) -> PgConnection {
    PgConnectOptions::from_str(&cluster.url(OWNER, database)).unwrap().connect().await.unwrap()
}

async fn write(cluster: &Cluster) {
    cluster.ensure_database("an \"odd\" name").await.unwrap();
    let mut connection = connect(cluster, "an \"odd\" name").await;
    sqlx::raw_sql("create table kept (n int); insert into kept values (42)")
        .execute(&mut connection)
        .await
        .unwrap();
}

async fn read(cluster: &Cluster) -> i32 {
    cluster.ensure_database("an \"odd\" name").await.unwrap();
    let mut connection = connect(cluster, "an \"odd\" name").await;
    sqlx::query_scalar("select n from kept").fetch_one(&mut connection).await.unwrap()
}

/// A session that does not notice that the postmaster is gone.
async fn never_ending_statement(cluster: &Cluster) -> tokio::task::JoinHandle<sqlx::Result<()>> {
    let mut session = connect(cluster, "postgres").await;
    let pid: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut session).await.unwrap();
    let busy = tokio::spawn(async move {
        let statement = sqlx::raw_sql("do $$ begin loop end loop; end $$");
        statement.execute(&mut session).await.map(drop)
    });
    let mut watcher = connect(cluster, "postgres").await;
    let running = "select query like 'do %' and state = 'active' from pg_stat_activity where pid = $1";
    while !sqlx::query_scalar::<_, bool>(running).bind(pid).fetch_one(&mut watcher).await.unwrap() {}
    busy
}

fn postmaster(folder: &Path) -> Pid {
    let text = fs::read_to_string(folder.join("postmaster.pid")).unwrap();
    Pid::from_raw(text.lines().next().unwrap().parse().unwrap())
}

async fn refusal(folder: &Path) -> (Error, String) {
    let error = Cluster::start(&settings(folder)).await.unwrap_err();
    let text = error.to_string();
    assert!(!text.contains('\n'), "more than a line: {text}");
    assert!(text.contains(folder.to_str().unwrap()), "the folder is not named: {text}");
    (error, text)
}

#[tokio::test]
async fn data_survives_a_stop_and_the_server_does_not() {
    let place = place();
    let folder = place.path().join("data/postgres");
    fs::create_dir(place.path().join("data")).unwrap();
    let safe = Settings { folder: folder.clone(), durability: Durability::Safe };
    let cluster = Cluster::start(&safe).await.unwrap();
    write(&cluster).await;
    let pid = postmaster(&folder);
    cluster.stop().await.unwrap();
    assert!(kill(pid, None).is_err(), "the server still runs");
    assert!(!folder.join("postmaster.pid").exists());

    let cluster = Cluster::start(&safe).await.unwrap();
    assert_eq!(read(&cluster).await, 42);
    let mut connection = connect(&cluster, "postgres").await;
    let set: Vec<String> = sqlx::query_scalar(
        "select setting from pg_settings where name in ('data_checksums', 'fsync', 'listen_addresses', 'server_encoding')
         order by name",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert_eq!(set, ["on", "on", "", "UTF8"]);
    let upper: String = sqlx::query_scalar("select upper('é')").fetch_one(&mut connection).await.unwrap();
    assert_eq!(upper, "É");
    // A client that stays connected does not hold up the stop.
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_server_is_noticed_and_recovers() {
    let place = place();
    let folder = place.path().join("postgres");
    let safe = Settings { folder: folder.clone(), durability: Durability::Safe };
    let mut cluster = Cluster::start(&safe).await.unwrap();
    write(&cluster).await;
    let busy = never_ending_statement(&cluster).await;
    kill(postmaster(&folder), Signal::SIGKILL).unwrap();
    assert!(!cluster.exited().await.unwrap().success());
    drop(cluster);
    assert!(folder.join("postmaster.pid").exists());

    let cluster = Cluster::start(&safe).await.unwrap();
    assert_eq!(read(&cluster).await, 42);
    assert!(busy.await.unwrap().is_err());
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_left_by_a_killed_run_is_replaced() {
    let place = place();
    let folder = place.path().join("postgres");
    let left = Cluster::start(&settings(&folder)).await.unwrap();
    write(&left).await;
    let before = postmaster(&folder);
    // A killed process runs no destructors.
    std::mem::forget(left);

    let cluster = Cluster::start(&settings(&folder)).await.unwrap();
    assert_ne!(postmaster(&folder), before);
    assert_eq!(read(&cluster).await, 42);
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_pid_file_that_names_another_program_is_no_obstacle() {
    let place = place();
    let folder = place.path().join("postgres");
    Cluster::start(&settings(&folder)).await.unwrap().stop().await.unwrap();
    let other = std::process::id();
    fs::write(folder.join("postmaster.pid"), format!("{other}\n{}\n", folder.display())).unwrap();
    Cluster::start(&settings(&folder)).await.unwrap().stop().await.unwrap();
}

#[tokio::test]
async fn an_interrupted_first_start_is_begun_again() {
    let place = place();
    let folder = place.path().join("postgres");
    let started = tokio::spawn({
        let settings = settings(&folder);
        async move { Cluster::start(&settings).await.map(drop) }
    });
    let unfinished = place.path().join("postgres.new");
    while !unfinished.join("PG_VERSION").exists() {
        tokio::task::yield_now().await;
    }
    started.abort();
    assert!(started.await.unwrap_err().is_cancelled());
    assert!(unfinished.exists() && !folder.exists());

    let cluster = Cluster::start(&settings(&folder)).await.unwrap();
    assert!(!unfinished.exists());
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_works() {
    let place = place();
    let folder = place.path().join("long, \"and\" odd ".repeat(8)).join("postgres");
    fs::create_dir(folder.parent().unwrap()).unwrap();
    let cluster = Cluster::start(&settings(&folder)).await.unwrap();
    write(&cluster).await;
    assert_eq!(read(&cluster).await, 42);
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn odd_names_of_folders_work() {
    let place = place();
    let folder = place.path().join("a,b \"c\" é%20&?#");
    let cluster = Cluster::start(&settings(&folder)).await.unwrap();
    write(&cluster).await;
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_no_data_folder_is_left_alone() {
    let place = place();
    let folder = place.path().join("postgres");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("precious"), "x").unwrap();
    let (error, text) = refusal(&folder).await;
    assert!(matches!(error, Error::Broken { .. }) && text.contains("PG_VERSION"), "{text}");
    fs::write(folder.join("PG_VERSION"), "garbage").unwrap();
    let (error, _) = refusal(&folder).await;
    assert!(matches!(error, Error::Broken { .. }));
    fs::write(folder.join("PG_VERSION"), "9\n").unwrap();
    let (error, text) = refusal(&folder).await;
    assert!(matches!(error, Error::OtherVersion { wanted: 9, .. }), "{text}");
    assert_eq!(fs::read_to_string(folder.join("precious")).unwrap(), "x");
}

#[tokio::test]
async fn a_damaged_folder_is_reported_with_the_servers_own_words() {
    let place = place();
    let folder = place.path().join("postgres");
    Cluster::start(&settings(&folder)).await.unwrap().stop().await.unwrap();
    let control = folder.join("global/pg_control");
    fs::File::options().write(true).truncate(true).open(control).unwrap().write_all(b"garbage").unwrap();
    let (error, text) = refusal(&folder).await;
    assert!(matches!(error, Error::NotReady { .. }) && text.contains("pg_control"), "{text}");
}

#[tokio::test]
async fn a_folder_closed_to_the_servers_user_is_named() {
    let place = place();
    let closed = place.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    let result = Cluster::start(&settings(closed.join("postgres"))).await;
    if platform::data_dir::is_root() {
        let text = result.unwrap_err().to_string();
        assert!(text.contains(closed.to_str().unwrap()) && text.contains("RESERVAS_DATA_DIR"), "{text}");
    } else {
        result.unwrap().stop().await.unwrap();
    }
}
