//! `reservas all`: the five services in one process, with a private PostgreSQL unless one is given.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use platform::config::Secret;
use platform::data_dir::DataDir;
use platform::db::Db;
use platform::http::client::client;
use platform::http::serve::serve;
use platform::postgres::{Cluster, Durability, Settings as ClusterSettings};
use platform::sealing::Keyring;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::commands::gateway::{observe, product};
use crate::commands::reload::reload_on_change;
use crate::commands::stop_signal;
use crate::console::say;
use crate::secret_file;
use crate::settings::{SEALING_KEYS, Settings, WEB_PUSH_KEY};
use crate::wiring::{Service, bind, cache, migrate_schemas};

/// How long a service may take to say that it is ready.
const READY: Duration = Duration::from_secs(20);
/// The folder of the private PostgreSQL in the data folder.
pub const POSTGRES: &str = "postgres";
/// How often it is asked.
const ASK: Duration = Duration::from_millis(20);

/// Runs everything until a signal, and stops everything.
///
/// # Errors
/// One line that says what went wrong and what to do.
pub async fn run(mut settings: Settings) -> Result<(), String> {
    // What can be wrong is found before anything is started, the most likely first.
    cache(&settings)?;
    let listeners = Listeners::bind(&settings).await?;
    let folder = PathBuf::from(&settings.data_dir);
    let _lock = DataDir::open(&folder).map_err(|error| error.to_string())?;
    if settings.internal_token.get().is_none() {
        settings.internal_token = internal_token(&folder.join("internal-token"))?;
    }
    if settings.keyring()?.ids().is_empty() {
        secret_file::read_or_make(&folder.join(SEALING_KEYS), Keyring::generate)?;
    }
    if settings.notifications.push.web_push_key.get().is_none() {
        let made = notifications::push::vapid::generate()?;
        settings.notifications.push.web_push_key =
            secret_file::read_or_make(&folder.join(WEB_PUSH_KEY), || made)?;
    }
    // From here on there is something to stop, also when the signal comes before everything runs.
    let stop = stop_signal()?;
    let mut cluster = match settings.database_url.get() {
        Some(_) => None,
        None => Some(start_cluster(&folder).await?),
    };
    let owner_url = match &cluster {
        Some(cluster) => cluster.url("reservas_owner", "reservas"),
        None => settings.database_url.expose().to_owned(),
    };
    let mut running = Running::default();
    let work = async {
        start(&settings, &owner_url, listeners, &mut running).await?;
        unexpected_end(cluster.as_mut(), &mut running).await
    };
    let result = tokio::select! {
        () = stop => Ok(()),
        result = work => result,
    };
    running.stop().await;
    if let Some(cluster) = cluster {
        cluster.stop().await.map_err(|error| error.to_string())?;
    }
    result
}

/// What has been started so far.
#[derive(Default)]
struct Running {
    gateway: JoinSet<Result<(), String>>,
    gateway_stop: CancellationToken,
    services: JoinSet<Result<(), String>>,
    services_stop: CancellationToken,
    databases: Vec<Db>,
}

impl Running {
    /// Stops the gateway first: what it has taken in, the services must still answer.
    async fn stop(mut self) {
        self.gateway_stop.cancel();
        while self.gateway.join_next().await.is_some() {}
        self.services_stop.cancel();
        while self.services.join_next().await.is_some() {}
        let mut closing = JoinSet::new();
        for database in self.databases {
            closing.spawn(async move { database.close().await });
        }
        while closing.join_next().await.is_some() {}
    }
}

/// The five ports, taken.
struct Listeners {
    gateway: TcpListener,
    services: Vec<(Service, TcpListener)>,
}

impl Listeners {
    async fn bind(settings: &Settings) -> Result<Self, String> {
        let default = format!("0.0.0.0:{}", settings.port_base);
        let listen = if settings.gateway.listen.is_empty() { &default } else { &settings.gateway.listen };
        let gateway = bind(listen, "gateway", "RESERVAS_GATEWAY_LISTEN").await?;
        let mut services = Vec::new();
        for service in Service::ALL {
            // In one process, nobody but the gateway has to reach the services.
            services.push((service, service.listen(settings, "127.0.0.1").await?));
        }
        Ok(Self { gateway, services })
    }

    /// Where the services are reached, by name.
    fn addresses(&self) -> Result<BTreeMap<String, String>, String> {
        let address = |listener: &TcpListener| listener.local_addr().map_err(|error| error.to_string());
        let addresses = self.services.iter();
        addresses
            .map(|(service, listener)| Ok((service.name().into(), address(listener)?.to_string())))
            .collect()
    }
}

/// The private PostgreSQL of a data folder, with its database.
///
/// # Errors
/// One line that says why it cannot be had.
pub async fn start_cluster(folder: &Path) -> Result<Cluster, String> {
    let settings = ClusterSettings { folder: folder.join(POSTGRES), durability: Durability::Safe };
    let cluster = Cluster::start(&settings).await.map_err(|error| error.to_string())?;
    cluster.ensure_database("reservas").await.map_err(|error| error.to_string())?;
    Ok(cluster)
}

/// Starts the services and the gateway, one line for each as it becomes ready.
async fn start(
    settings: &Settings,
    owner_url: &str,
    listeners: Listeners,
    running: &mut Running,
) -> Result<(), String> {
    let shutdown = &running.services_stop;
    let gateway = product(settings, listeners.addresses()?)?;
    migrate_schemas(owner_url, &Service::ALL).await?;
    let users = Service::Users.context(settings, owner_url, shutdown.clone())?;
    let password = settings.admin_password.get();
    let first = users::bootstrap(&users, &settings.users, &settings.admin_email, password).await;
    let first =
        first.map_err(|problem| format!("the first administrator cannot be created: {}", problem.detail))?;
    let first = Announcement(first);
    running.databases.push(users.db);
    for (service, listener) in listeners.services {
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let context = service.context(settings, owner_url, shutdown.clone())?;
        running.databases.push(context.db.clone());
        let router = service.start(settings, context).await?;
        let stop = shutdown.clone();
        running
            .services
            .spawn(async move { serve(router, listener, stop).await.map_err(|error| error.to_string()) });
        ready(&format!("http://{address}/health/ready")).await?;
        say(format_args!("{:<14} ready on {address}", service.name()));
    }
    let mut address = listeners.gateway.local_addr().map_err(|error| error.to_string())?;
    let port = address.port();
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    observe(settings, &gateway, shutdown.clone()).await?;
    reload_on_change(&gateway, settings.gateway.route_file(), shutdown.clone())?;
    let (listener, stop) = (listeners.gateway, running.gateway_stop.clone());
    running
        .gateway
        .spawn(async move { gateway.serve(listener, stop).await.map_err(|error| error.to_string()) });
    ready(&format!("http://{address}/__health")).await?;
    say(format_args!("{:<14} ready on port {port}", "gateway"));
    say(format_args!("\nReservas    http://localhost:{port}"));
    say(format_args!("API docs    http://localhost:{port}/api/docs"));
    drop(first);
    Ok(())
}

/// The first administrator, who is shown even when the start fails or is stopped after they were created: nobody can
/// look the password up later.
struct Announcement(Option<users::FirstAdministrator>);

impl Drop for Announcement {
    fn drop(&mut self) {
        let Some(first) = &self.0 else { return };
        say("\nThe administrator, shown this once:");
        say(format_args!("  e-mail    {}", first.email));
        say(format_args!(
            "  password  {}",
            first.password.as_ref().map_or("(the one you set)", Secret::expose)
        ));
    }
}

/// Until something ends that should not.
async fn unexpected_end(cluster: Option<&mut Cluster>, running: &mut Running) -> Result<(), String> {
    let cluster_end = async {
        match cluster {
            Some(cluster) => cluster.exited().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        end = cluster_end => Err(format!("PostgreSQL ended by itself ({end:?}); its log is in the data folder")),
        Some(end) = running.services.join_next() => Err(format!("a service ended by itself: {end:?}")),
        Some(end) = running.gateway.join_next() => Err(format!("the gateway ended by itself: {end:?}")),
    }
}

/// Waits until an address answers with success.
async fn ready(url: &str) -> Result<(), String> {
    let client = client(Duration::from_secs(5)).map_err(|error| error.to_string())?;
    let asking = async {
        let mut tick = tokio::time::interval(ASK);
        loop {
            tick.tick().await;
            if client.get(url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
        }
    };
    tokio::time::timeout(READY, asking)
        .await
        .map_err(|_| format!("{url} was not ready within {} s", READY.as_secs()))
}

/// The token of the data folder; made with the first start.
fn internal_token(path: &Path) -> Result<Secret, String> {
    let made = || rand::random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let token = secret_file::read_or_make(path, || Secret::from(made()))?;
    match token.expose().len() {
        32.. => Ok(token),
        _ => Err(format!("{} is damaged: delete it, and a new one is made", path.display())),
    }
}
