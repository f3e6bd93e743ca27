//! From settings to running services: contexts, listeners, servers.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use kernel::SystemClock;
use otlp::Tracing;
use platform::auth::revocations::Revocations;
use platform::auth::{Keys, Verifier};
use platform::cache::Cache;
use platform::config::Server;
use platform::db::migrate::{Schema, migrate};
use platform::db::{Db, Settings as Database};
use platform::http::client::client;
use platform::internal::InternalToken;
use platform::service::Context;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::settings::Settings;

/// A call between services takes this long at most; longer than a poll of a feed waits.
const CALL: Duration = Duration::from_secs(40);
/// How long the database may take to answer before the start is given up.
const REACH: Duration = Duration::from_secs(10);

/// One of the four services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Accounts, sessions, tokens.
    Users,
    /// The catalogue.
    Resources,
    /// Claims and availability.
    Bookings,
    /// Messages and their delivery.
    Notifications,
}

impl Service {
    /// All of them, in the order of their ports.
    pub const ALL: [Self; 4] = [Self::Users, Self::Resources, Self::Bookings, Self::Notifications];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Users => users::NAME,
            Self::Resources => resources::NAME,
            Self::Bookings => bookings::NAME,
            Self::Notifications => notifications::NAME,
        }
    }

    /// Its schema.
    #[must_use]
    pub fn schema(self) -> Schema {
        match self {
            Self::Users => users::schema(),
            Self::Resources => resources::schema(),
            Self::Bookings => bookings::schema(),
            Self::Notifications => notifications::schema(),
        }
    }

    /// Its distance from the port base.
    #[must_use]
    pub const fn offset(self) -> u16 {
        match self {
            Self::Users => 1,
            Self::Resources => 2,
            Self::Bookings => 3,
            Self::Notifications => 4,
        }
    }

    /// Where it listens, and its database.
    #[must_use]
    pub const fn server(self, settings: &Settings) -> &Server {
        match self {
            Self::Users => &settings.users.server,
            Self::Resources => &settings.resources.server,
            Self::Bookings => &settings.bookings.server,
            Self::Notifications => &settings.notifications.server,
        }
    }

    /// Takes its port.
    ///
    /// # Errors
    /// One line that says which port is taken and what to do.
    pub async fn listen(self, settings: &Settings, host: &str) -> Result<TcpListener, String> {
        let listen = &self.server(settings).listen;
        let default = format!("{host}:{}", settings.port_base + self.offset());
        let variable = format!("RESERVAS_{}_SERVER_LISTEN", self.name().to_uppercase());
        bind(if listen.is_empty() { &default } else { listen }, self.name(), &variable).await
    }

    /// Starts it, and gives its routes in all their layers.
    ///
    /// # Errors
    /// When it cannot be set up.
    pub async fn start(self, settings: &Settings, context: Context) -> Result<Router, String> {
        let routes = match self {
            Self::Users => users::start(context.clone(), settings.users.clone()).await,
            Self::Resources => resources::start(context.clone(), settings.resources.clone()).await,
            Self::Bookings => bookings::start(context.clone(), settings.bookings.clone()).await,
            Self::Notifications => {
                notifications::start(context.clone(), settings.notifications.clone()).await
            }
        };
        Ok(context.complete(routes?))
    }

    /// What it needs of its surroundings.
    ///
    /// # Errors
    /// When a URL cannot be understood.
    pub fn context(
        self,
        settings: &Settings,
        owner_url: &str,
        shutdown: CancellationToken,
    ) -> Result<Context, String> {
        let server = self.server(settings);
        let own = server.database_url.get();
        let database = Database {
            url: own.unwrap_or(owner_url).to_owned(),
            assume_role: own.is_none(),
            max_connections: server.max_connections,
        };
        let client = client(CALL).map_err(|error| error.to_string())?;
        let clock = Arc::new(SystemClock);
        let keys = Keys::at(format!("{}/.well-known/jwks.json", settings.users.server.url), client.clone());
        let internal = InternalToken(settings.internal_token.clone());
        let revocations = Revocations::at(&settings.users.server.url, internal.clone(), client.clone());
        Ok(Context {
            db: Db::connect(&database, self.name())
                .map_err(|error| format!("the database URL is wrong: {error}"))?
                .traced(settings.otlp.of(self.name()).map(Tracing::start).transpose()?),
            clock: clock.clone(),
            verifier: Verifier::new(Arc::new(keys), clock).with_revocations(Arc::new(revocations)),
            internal,
            keyring: settings.keyring()?,
            cache: Cache::new(settings.redis_url.get())
                .map_err(|error| format!("REDIS_URL is wrong: {error}"))?,
            client,
            shutdown,
        })
    }
}

/// The cache that the settings name; Redis need not be up.
///
/// # Errors
/// One line when REDIS_URL cannot be understood.
pub fn cache(settings: &Settings) -> Result<Cache, String> {
    Cache::new(settings.redis_url.get()).map_err(|error| format!("REDIS_URL cannot be understood: {error}"))
}

/// Takes a port.
///
/// # Errors
/// One line that says what to do.
pub async fn bind(address: &str, name: &str, variable: &str) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => format!(
            "{address} is in use, and the {name} service listens there: stop what uses it, or set RESERVAS_PORT_BASE or {variable}"
        ),
        _ => format!("the {name} service cannot listen on {address}: {error} (set RESERVAS_PORT_BASE or {variable})"),
    })
}

/// Brings the schemas of services up to date, as the database's owner.
///
/// # Errors
/// One line that says what is wrong with the database.
pub async fn migrate_schemas(owner_url: &str, services: &[Service]) -> Result<(), String> {
    let schemas: Vec<Schema> = services.iter().map(|service| service.schema()).collect();
    reach(owner_url).await?;
    migrate(owner_url, &schemas)
        .await
        .map_err(|error| format!("the database cannot be brought up to date: {error}"))
}

/// Whether the database answers at all, so that an unreachable one is one clear line and not a hang.
async fn reach(url: &str) -> Result<(), String> {
    let options: sqlx::postgres::PgConnectOptions =
        url.parse().map_err(|error| format!("DATABASE_URL cannot be understood: {error}"))?;
    let place = format!("{}:{}", options.get_host(), options.get_port());
    let connect = sqlx::ConnectOptions::connect(&options);
    match tokio::time::timeout(REACH, connect).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => {
            Err(format!("the database at {place} cannot be used: {error} (check DATABASE_URL)"))
        }
        Err(_) => Err(format!(
            "the database at {place} does not answer within {} s (check DATABASE_URL)",
            REACH.as_secs()
        )),
    }
}
