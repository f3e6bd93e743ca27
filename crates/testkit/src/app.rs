//! One service on a database of its own, and what it published.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::Router;
use http::Method;
use kernel::{Clock, OrganizationId, Role};
use platform::cache::Cache;
use platform::config::Secret;
use platform::db::migrate::Schema;
use platform::db::{Db, Settings};
use platform::events::envelope::{COLUMNS, Envelope};
use platform::http::client::client;
use platform::internal::InternalToken;
use platform::sealing::Keyring;
use platform::service::Context;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use tokio_util::sync::CancellationToken;

use crate::client::Call;
use crate::clock::ManualClock;
use crate::database::database;
use crate::issuer::{Issuer, Person};

/// What services show each other in tests.
const INTERNAL: &str = "the-internal-token-of-the-tests";

/// A service under test. Dropping it fails the test when it leaves an event that nobody asserted.
pub struct TestApp {
    /// The service's routes, in all their layers.
    pub router: Router,
    /// What the service was given.
    pub context: Context,
    /// The service's time.
    pub clock: Arc<ManualClock>,
    /// Signs tokens that the service believes.
    pub issuer: Issuer,
    /// An organization.
    pub organization: OrganizationId,
    /// The one key of the context's keyring.
    pub sealing_key: Secret,
    schema: &'static str,
    owner_url: String,
    asserted: AtomicI64,
}

impl TestApp {
    /// A service: `build` makes its routes (before [`Context::complete`]) out of what it is given.
    ///
    /// # Panics
    /// When the server of the test command cannot be reached.
    pub async fn start(schema: Schema, build: impl AsyncFnOnce(Context) -> Router) -> Self {
        let owner_url = database(&schema).await;
        let sealing_key = Keyring::generate();
        let clock = Arc::new(ManualClock::default());
        let issuer = Issuer::start(clock.clone()).await;
        let settings = Settings { url: owner_url.clone(), assume_role: true, max_connections: 8 };
        let context = Context {
            db: Db::connect(&settings, schema.name).unwrap(),
            clock: clock.clone(),
            verifier: issuer.verifier(),
            internal: InternalToken(Secret::from(INTERNAL.to_owned())),
            cache: Cache::new(None).unwrap(),
            keyring: Keyring::parse(&sealing_key).unwrap(),
            client: client(Duration::from_secs(30)).unwrap(),
            shutdown: CancellationToken::new(),
        };
        let router = context.complete(build(context.clone()).await);
        let organization = OrganizationId::mint();
        let asserted = AtomicI64::new(0);
        Self {
            router,
            context,
            clock,
            issuer,
            organization,
            sealing_key,
            schema: schema.name,
            owner_url,
            asserted,
        }
    }

    /// Someone new in the test's organization.
    #[must_use]
    pub fn person(&self, role: Role) -> Person {
        Person::new(self.organization, role)
    }

    /// A call without a token.
    #[must_use]
    pub fn call(&self, method: &str, path: &str) -> Call {
        Call::new(self.router.clone(), Method::from_bytes(method.as_bytes()).unwrap(), path)
    }

    /// A call by someone.
    #[must_use]
    pub fn call_as(&self, person: &Person, method: &str, path: &str) -> Call {
        self.call(method, path).bearer(&self.issuer.token(person))
    }

    /// A call by another service.
    #[must_use]
    pub fn call_internally(&self, method: &str, path: &str) -> Call {
        self.call(method, path).bearer(INTERNAL)
    }

    /// The events that were written since the last time this was asked, in order.
    ///
    /// # Panics
    /// When the database cannot be read.
    pub async fn events(&self) -> Vec<Envelope> {
        let events = events(&self.owner_url, self.schema, self.asserted.load(Ordering::SeqCst)).await;
        if let Some((position, _)) = events.last() {
            self.asserted.store(*position, Ordering::SeqCst);
        }
        events.into_iter().map(|(_, event)| event).collect()
    }

    /// The types of those events, without what they have in common: `booking.confirmed`.
    pub async fn event_types(&self) -> Vec<String> {
        let short = |kind: &str| kind.trim_start_matches("reservas.").trim_end_matches(".v1").to_owned();
        self.events().await.iter().map(|event| short(&event.kind)).collect()
    }

    /// A connection as the database's owner, who sees everything: to look behind the service's back.
    ///
    /// # Panics
    /// When the server cannot be reached.
    pub async fn owner(&self) -> PgConnection {
        PgConnection::connect(&self.owner_url).await.unwrap()
    }

    /// The URL of the database's owner.
    #[must_use]
    pub fn owner_url(&self) -> &str {
        &self.owner_url
    }

    /// The time of the test's clock.
    #[must_use]
    pub fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }
}

async fn events(url: &str, schema: &str, after: i64) -> Vec<(i64, Envelope)> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let statement =
        format!("select {COLUMNS}, position from {schema}.event where position > $1 order by position");
    let rows = sqlx::query(AssertSqlSafe(statement)).bind(after).fetch_all(&mut connection).await.unwrap();
    rows.iter().map(|row| (row.get("position"), Envelope::of_row(row, schema).unwrap())).collect()
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.context.shutdown.cancel();
        if std::thread::panicking() {
            return;
        }
        let (url, schema, after) =
            (self.owner_url.clone(), self.schema, self.asserted.load(Ordering::SeqCst));
        // A thread with a runtime of its own: the test's may be the one that drops us.
        let left = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(events(&url, schema, after))
        });
        let left: Vec<_> = left.join().unwrap().into_iter().map(|(_, event)| event.kind).collect();
        assert!(left.is_empty(), "the test left events that nobody asserted: {left:?}");
    }
}

/// The tables of the service's schema whose rows are not kept apart: without row security forced, or without a policy.
///
/// # Panics
/// When the database cannot be read.
pub async fn unprotected_tables(app: &TestApp) -> Vec<String> {
    let tables = sqlx::query(
        "select relname from pg_class c
         where relnamespace = $1::regnamespace and relkind in ('r', 'p') and relname not like '%\\_migration'
           and not (relrowsecurity and relforcerowsecurity and exists (select from pg_policy where polrelid = c.oid))",
    );
    let rows = tables.bind(app.schema).fetch_all(&mut app.owner().await).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}
