//! `reservas gateway run` and `reservas gateway check`: the API gateway as a process of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;

use axum::Router;
use axum::routing::get;
use clap::Subcommand;
use gateway::{Gateway, Options};
use platform::http::serve::serve;
use tokio_util::sync::CancellationToken;

use super::cancelled_by_signal;
use super::reload::reload_on_change;
use crate::console::say;
use crate::settings::Settings;
use crate::wiring::bind;

/// The product's own route file.
const PRODUCT: &str = include_str!("../../../../deploy/gateway.json");

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve a route file.
    Run(File),
    /// Check a route file: every error with its line and column.
    Check(File),
}

/// A route file and how to take it.
#[derive(Debug, clap::Args)]
pub struct File {
    /// The route file; the product's own when absent.
    // Neither the name nor the long option is `config`: that is the settings' file, for every command.
    #[arg(long = "routes", short = 'c', value_name = "FILE")]
    routes: Option<PathBuf>,
    /// Serve `/__debug/`.
    #[arg(long, short)]
    debug: bool,
    /// Warn of what is not supported instead of refusing it.
    #[arg(long)]
    lenient: bool,
    /// Where a service name of the file is reached: `users=127.0.0.1:8081`. May be repeated.
    #[arg(long, value_name = "NAME=ADDRESS")]
    resolve: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// What is wrong with the route file, or why it cannot be served.
pub async fn run(settings: Settings, command: Command) -> Result<(), String> {
    match command {
        Command::Check(file) => {
            let gateway = load(&settings, &file)?;
            gateway.warnings().iter().for_each(say);
            say("the route file is right");
            Ok(())
        }
        Command::Run(file) => {
            let gateway = load(&settings, &file)?;
            gateway.warnings().iter().for_each(say);
            let default = format!("0.0.0.0:{}", gateway.port());
            let listen = if settings.gateway.listen.is_empty() { &default } else { &settings.gateway.listen };
            let listener = bind(listen, "gateway", "RESERVAS_GATEWAY_LISTEN").await?;
            say(format_args!(
                "gateway listens on {}",
                listener.local_addr().map_err(|error| error.to_string())?
            ));
            let shutdown = cancelled_by_signal()?;
            let gateway = with_docs(gateway);
            observe(&settings, &gateway, shutdown.clone()).await?;
            reload_on_change(&gateway, route_file(&settings, &file), shutdown.clone())?;
            gateway.serve(listener, shutdown).await.map_err(|error| error.to_string())
        }
    }
}

/// The product's gateway, with its service names mapped to addresses.
///
/// # Errors
/// What is wrong with the route file.
pub fn product(settings: &Settings, resolve: BTreeMap<String, String>) -> Result<Gateway, String> {
    let options = Options { resolve, ..options(settings)? };
    read(settings.gateway.route_file(), options).map(with_docs)
}

/// Shows the gateway's metrics and life on an address of their own, when the settings name one.
///
/// # Errors
/// When the address cannot be had.
pub async fn observe(
    settings: &Settings,
    gateway: &Gateway,
    shutdown: CancellationToken,
) -> Result<(), String> {
    let address = &settings.gateway.metrics_listen;
    if address.is_empty() {
        return Ok(());
    }
    let listener = bind(address, "gateway's metrics", "RESERVAS_GATEWAY_METRICS_LISTEN").await?;
    let gateway = gateway.clone();
    let router = Router::new()
        .route("/metrics", get(move || async move { gateway.metrics() }))
        .route("/health/live", get(|| async { "ok" }));
    tokio::spawn(async move {
        if let Err(error) = serve(router, listener, shutdown).await {
            tracing::warn!(%error, "the gateway's metrics are no longer shown");
        }
    });
    Ok(())
}

/// The route file that the command or the settings name; none for the product's own.
fn route_file(settings: &Settings, file: &File) -> Option<PathBuf> {
    file.routes.clone().or_else(|| settings.gateway.route_file())
}

fn load(settings: &Settings, file: &File) -> Result<Gateway, String> {
    let mut resolve = BTreeMap::new();
    for pair in &file.resolve {
        let (name, address) =
            pair.split_once('=').ok_or_else(|| format!("--resolve {pair} is not NAME=ADDRESS"))?;
        resolve.insert(name.to_owned(), address.to_owned());
    }
    let options = Options { debug: file.debug, lenient: file.lenient, resolve, ..options(settings)? };
    read(route_file(settings, file), options)
}

/// Reads a route file; the product's own when none is named.
fn read(file: Option<PathBuf>, options: Options) -> Result<Gateway, String> {
    let name = file.as_ref().map_or_else(|| "the product's own".into(), |path| path.display().to_string());
    let gateway = match file {
        Some(path) => Gateway::load(&path, options),
        None => Gateway::parse(PRODUCT, options),
    };
    gateway.map_err(|errors| format!("the route file is wrong: {name}\n{errors}"))
}

fn options(settings: &Settings) -> Result<Options, String> {
    let dns = Some(settings.gateway.dns.as_str()).filter(|server| !server.is_empty());
    let unusable = |_| "RESERVAS_GATEWAY_DNS is not an address and a port such as 10.0.0.10:53".to_owned();
    let proxies = settings.gateway.trusted_proxies.split(',').map(str::trim).filter(|text| !text.is_empty());
    let trusted_proxies = proxies.map(|text| {
        gateway::network(text).ok_or_else(|| {
            format!("RESERVAS_GATEWAY_TRUSTED_PROXIES: `{text}` is no network such as 10.0.0.0/8")
        })
    });
    Ok(Options {
        debug: false,
        lenient: false,
        resolve: BTreeMap::new(),
        compat: Some(settings.gateway.compat.clone()).filter(|version| !version.is_empty()),
        redis_url: settings.redis_url.get().map(str::to_owned),
        dns: dns.map(str::parse).transpose().map_err(unusable)?,
        otlp: settings.otlp.of("gateway"),
        trusted_proxies: trusted_proxies.collect::<Result<_, _>>()?,
    })
}

fn with_docs(gateway: Gateway) -> Gateway {
    gateway.with_local(&crate::docs::PATHS, crate::docs::router())
}
