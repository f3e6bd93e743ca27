//! Events: the feed skips none, the consumer handles each once in effect, one replica at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kernel::{EventId, OrganizationId};
use platform::db::Tx;
use platform::events::{Consumer, Envelope, Handle, history};
use platform::http::Problem;
use platform::http::client::client;
use testkit::TestApp;

use crate::notes::{self, NoteTaken};

/// The texts that the feed shows after a cursor, and the cursor after them; waits for the first of them.
async fn read(app: &TestApp, cursor: Option<&str>, wait: u64) -> (Vec<String>, Option<String>) {
    let after = cursor.map(|cursor| format!("&after={cursor}")).unwrap_or_default();
    let reply =
        app.call_internally("GET", &format!("/internal/events?wait={wait}{after}")).send().await.expect(200);
    assert_eq!(reply.header("content-type"), "application/cloudevents-batch+json");
    let events: Vec<Envelope> = serde_json::from_slice(&reply.body).unwrap();
    let texts = events.iter().map(|event| event.read::<NoteTaken>().unwrap().unwrap().text).collect();
    (texts, events.last().map(|event| event.cursor.clone()))
}

/// Reads until so many texts have come.
async fn read_all(app: &TestApp, count: usize) -> Vec<String> {
    let (mut texts, mut cursor) = (Vec::new(), None);
    while texts.len() < count {
        let (more, next) = read(app, cursor.as_deref(), 30).await;
        texts.extend(more);
        cursor = next.or(cursor);
    }
    texts
}

async fn take(app: &TestApp, text: &str) {
    let mut tx = app.context.db.begin(app.organization).await.unwrap();
    notes::write(&mut tx, app, app.organization, text).await;
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_slower_earlier_transaction_is_never_skipped() {
    let app = notes::start().await;
    let mut slow = app.context.db.begin(app.organization).await.unwrap();
    notes::write(&mut slow, &app, app.organization, "slow").await;
    take(&app, "fast").await;
    // The fast one is committed, and must wait for the slow one before it.
    assert_eq!(read(&app, None, 0).await.0, [""; 0]);
    slow.commit().await.unwrap();
    assert_eq!(read_all(&app, 2).await, ["slow", "fast"]);
    app.events().await;
}

#[tokio::test]
async fn a_waiting_reader_is_woken() {
    let app = notes::start().await;
    let (texts, ()) = tokio::join!(read_all(&app, 1), take(&app, "news"));
    assert_eq!(texts, ["news"]);
    app.events().await;
    let _ =
        app.call_internally("GET", "/internal/events?after=x").send().await.problem(400, "invalid_cursor");
    app.call_internally("GET", "/internal/events?wait=31").send().await.problem(422, "invalid_input");
}

#[tokio::test]
async fn a_stream_is_numbered_and_chained() {
    let app = notes::start().await;
    let note = EventId::mint();
    for text in ["one", "two", "three"] {
        let mut tx = app.context.db.begin(app.organization).await.unwrap();
        let event = NoteTaken { note, text: text.into() };
        let origin = platform::events::Origin::system();
        platform::events::append(&mut tx, app.organization, &origin, &event, app.now()).await.unwrap();
        tx.commit().await.unwrap();
    }
    let versions: Vec<_> = app.events().await.iter().map(|event| event.streamversion).collect();
    assert_eq!(versions, [1, 2, 3]);
    let whole = async || {
        let mut tx = app.context.db.begin(app.organization).await.unwrap();
        history::verify(&mut tx, app.organization, note.0).await.unwrap()
    };
    assert!(whole().await);
    sqlx::query("delete from notes.event where stream_version = 2")
        .execute(&mut app.owner().await)
        .await
        .unwrap();
    assert!(!whole().await, "a missing link shows");
}

/// Counts what it hears in a table of the transaction, and fails when told to.
struct Count {
    failures: AtomicUsize,
}

impl Handle for Count {
    async fn handle(&self, tx: &mut Tx, event: &Envelope) -> Result<(), Problem> {
        sqlx::query("insert into heard (id) values ($1)").bind(event.id.0).execute(&mut **tx).await?;
        let fails =
            self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if fails.is_ok() { Err(Problem::unavailable("later", "not now", 1)) } else { Ok(()) }
    }
}

/// A consumer of the service's own feed, served on a real port.
async fn consumer(app: &TestApp, failures: usize) -> Consumer<Count> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = app.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let create = "create table if not exists notes.heard (id uuid not null); grant all on notes.heard to reservas_notes";
    sqlx::Executor::execute(&mut app.owner().await, create).await.unwrap();
    Consumer {
        name: "notes",
        url,
        token: app.context.internal.0.clone(),
        client: client(Duration::from_secs(40)).unwrap(),
        db: app.context.db.clone(),
        handler: Count { failures: AtomicUsize::new(failures) },
    }
}

async fn heard(app: &TestApp) -> (i64, i64) {
    let count = "select count(*), count(distinct id) from notes.heard";
    sqlx::query_as(count).fetch_one(&mut app.owner().await).await.unwrap()
}

#[tokio::test]
async fn each_event_is_handled_once_in_effect_even_after_failures() {
    let app = notes::start().await;
    let consumer = consumer(&app, 3).await;
    for number in 0..5 {
        take(&app, &number.to_string()).await;
    }
    // Another organization's, between.
    let other = OrganizationId::mint();
    let mut tx = app.context.db.begin(other).await.unwrap();
    notes::write(&mut tx, &app, other, "of another").await;
    tx.commit().await.unwrap();

    let replica = EventId::mint().0;
    while heard(&app).await.0 < 6 {
        // A failure rolls back what it did; the next step begins where the last success ended.
        let _ = consumer.step(replica, 5).await;
    }
    assert_eq!(heard(&app).await, (6, 6));
    assert!(consumer.step(replica, 0).await.unwrap());
    assert_eq!(heard(&app).await, (6, 6));
    app.events().await;
}

#[tokio::test]
async fn one_replica_at_a_time_has_the_lease() {
    let app = notes::start().await;
    let consumer = consumer(&app, 0).await;
    let (one, two) = (EventId::mint().0, EventId::mint().0);
    assert!(consumer.step(one, 0).await.unwrap());
    assert!(!consumer.step(two, 0).await.unwrap(), "the first one has it");
    let lapse = "update notes.consumer set leased_until = now() - interval '1 second'";
    sqlx::query(lapse).execute(&mut app.owner().await).await.unwrap();
    assert!(consumer.step(two, 0).await.unwrap(), "a lease that lapsed is taken over");
}

#[tokio::test]
async fn an_event_that_stands_in_the_way_shows() {
    let app = notes::start().await;
    let consumer = consumer(&app, 2).await;
    take(&app, "one").await;
    let shown = async |metric: &str| {
        let reply = app.call("GET", "/metrics").send().await.expect(200);
        let text = String::from_utf8(reply.body.to_vec()).unwrap();
        let line = format!("reservas_feed_{metric}{{service=\"notes\",feed=\"notes\"}} ");
        text.lines().find_map(|text| text.strip_prefix(&line)).map(str::to_owned)
    };
    let replica = EventId::mint().0;
    while consumer.step(replica, 5).await.is_ok() {}
    assert_eq!(shown("failures").await.as_deref(), Some("1"));
    assert!(consumer.step(replica, 5).await.is_err());
    assert_eq!(shown("failures").await.as_deref(), Some("2"));
    assert!(app.context.db.progress().readers()["notes"].waiting_since.is_some());
    assert!(consumer.step(replica, 5).await.unwrap());
    assert_eq!(shown("failures").await.as_deref(), Some("0"));
    assert_eq!(shown("events").await.as_deref(), Some("1"));
    assert_eq!(shown("lag_seconds").await.as_deref(), Some("0.0"));
    app.events().await;
}
