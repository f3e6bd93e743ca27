//! All settings in one tree, as `reservas config` prints it.
//!
//! | variable | default | what it sets |
//! | --- | --- | --- |
//! | `RESERVAS_DATA_DIR` | `/var/lib/reservas` as root, else `~/.local/share/reservas` | where `all` keeps everything |
//! | `RESERVAS_PORT_BASE` | 8080 | the gateway's port; the services follow at +1 to +4 |
//! | `RESERVAS_ADMIN_EMAIL` | `admin@localhost.localdomain` | the first administrator (first start only) |
//! | `RESERVAS_ADMIN_PASSWORD` | generated and shown once | the first administrator's password (first start only) |
//! | `RESERVAS_INTERNAL_TOKEN` | generated in the data folder by `all` | what services show each other |
//! | `RESERVAS_SEALING_KEYS` | what stands in the file | the keys that secrets in the database are encrypted with, in base64, separated by commas: the first seals, all open; the user service needs one |
//! | `RESERVAS_SEALING_KEY_FILE` | `sealing-keys` in the data folder, made by `all` | a file with them instead |
//! | `DATABASE_URL` | a private PostgreSQL in the data folder | the database, as its owner |
//! | `REDIS_URL` | none: caches and limits in memory | the shared cache, and the gateways' shared limits |
//! | `SMTP_URL` | none: files in the data folder | the mail server |
//! | `RESERVAS_GATEWAY_FILE` | the product's own | the route file |
//! | `RESERVAS_GATEWAY_METRICS_LISTEN` | none | where the gateway shows `/metrics` and `/health/live` |
//! | `RESERVAS_GATEWAY_TRUSTED_PROXIES` | none | addresses or networks of proxies in front, by commas: their `X-Forwarded-For` is believed |
//! | `RESERVAS_GATEWAY_DNS` | the system's | the DNS server that `sd: "dns"` of the route file asks |
//! | `RESERVAS_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_ENDPOINT` | none: no traces | the collector of traces (OTLP over HTTP), such as `http://collector:4318` |
//! | `RESERVAS_OTLP_SAMPLE_RATE`, `OTEL_TRACES_SAMPLER_ARG` | 1.0 | the share of traces that are kept, 0 to 1 |
//! | `RUST_LOG` | `info,sqlx=warn` | the log's levels |
//!
//! A key `a.b` of the file is `RESERVAS_A_B` in the environment; each service's own are in its `config.rs`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use platform::config::{ConfigError, Layers, Secret, Server};
use platform::sealing::Keyring;
use serde::{Deserialize, Serialize};

use crate::secret_file;

/// Everything that can be set.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where `all` keeps its database, its outbox and its lock; empty: by the user's rights.
    pub data_dir: String,
    /// The gateway's port: 1 to 65531.
    pub port_base: u16,
    /// The first administrator's address.
    pub admin_email: String,
    /// The first administrator's password; empty: generated.
    pub admin_password: Secret,
    /// What services show each other; at least 32 characters.
    pub internal_token: Secret,
    /// The keys that secrets in the database are sealed with, the one that seals first; empty: those of the file.
    pub sealing_keys: Secret,
    /// The file with them; empty: `sealing-keys` in the data folder.
    pub sealing_key_file: String,
    /// The database's owner; empty in `all`: a private PostgreSQL.
    pub database_url: Secret,
    /// The shared cache and the gateways' shared limits; empty: each process its own.
    pub redis_url: Secret,
    /// The log's levels, in the syntax of `RUST_LOG`.
    pub log: String,
    /// Traces.
    pub otlp: Otlp,
    /// The gateway.
    pub gateway: Gateway,
    /// The user service.
    pub users: users::Config,
    /// The resource service.
    pub resources: resources::Config,
    /// The booking service.
    pub bookings: bookings::Config,
    /// The notification service.
    pub notifications: notifications::Config,
}

/// Where traces go.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Otlp {
    /// The collector's address for OTLP over HTTP; empty: no traces.
    pub endpoint: String,
    /// The share of traces that are kept, 0 to 1; one that a client began is kept when it is kept there.
    pub sample_rate: f64,
}

impl Default for Otlp {
    fn default() -> Self {
        Self { endpoint: String::new(), sample_rate: 1.0 }
    }
}

impl Otlp {
    /// How a service's spans are sent, when they are.
    #[must_use]
    pub fn of(&self, service: &str) -> Option<otlp::Settings> {
        (!self.endpoint.is_empty()).then(|| otlp::Settings {
            endpoint: self.endpoint.clone(),
            service: service.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            sample_rate: self.sample_rate,
        })
    }
}

/// The gateway's settings.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gateway {
    /// The route file; empty: the product's own, built in.
    pub file: String,
    /// Address and port; empty: every address, and the port of the port base or of the route file.
    pub listen: String,
    /// Address and port for `/metrics` and `/health/live`, apart from what the world may ask; empty: none.
    pub metrics_listen: String,
    /// Name and behave as this version of KrakenD CE; empty: as ourselves.
    pub compat: String,
    /// Address and port of the DNS server that `sd: "dns"` asks; empty: those of the system.
    pub dns: String,
    /// Addresses or networks of proxies in front, by commas; their `X-Forwarded-For` is believed.
    pub trusted_proxies: String,
}

impl Gateway {
    /// The route file that is named; none for the product's own.
    #[must_use]
    pub fn route_file(&self) -> Option<PathBuf> {
        Some(PathBuf::from(&self.file)).filter(|path| !path.as_os_str().is_empty())
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data_dir: String::new(),
            port_base: 8080,
            admin_email: "admin@localhost.localdomain".into(),
            admin_password: Secret::default(),
            internal_token: Secret::default(),
            sealing_keys: Secret::default(),
            sealing_key_file: String::new(),
            database_url: Secret::default(),
            redis_url: Secret::default(),
            log: "info,sqlx=warn".into(),
            otlp: Otlp::default(),
            gateway: Gateway::default(),
            users: users::Config::default(),
            resources: resources::Config::default(),
            bookings: bookings::Config::default(),
            notifications: notifications::Config::default(),
        }
    }
}

/// The file of sealing keys in the data folder.
pub const SEALING_KEYS: &str = "sealing-keys";
/// The file of the key pair for browsers (VAPID) in the data folder.
pub const WEB_PUSH_KEY: &str = "web-push-key";
/// Names the configuration file; read by the command line.
pub const FILE: &str = "RESERVAS_CONFIG";

/// Names of the environment that the world knows, and the keys they set.
const PLAIN: [(&str, &str); 6] = [
    ("DATABASE_URL", "database_url"),
    ("REDIS_URL", "redis_url"),
    ("SMTP_URL", "notifications.mail_url"),
    ("RUST_LOG", "log"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "otlp.endpoint"),
    ("OTEL_TRACES_SAMPLER_ARG", "otlp.sample_rate"),
];

impl Settings {
    /// Defaults, then the file, then the environment, then flags.
    ///
    /// # Errors
    /// One line that names the file, variable or key at fault.
    #[expect(clippy::disallowed_methods, reason = "the binary's one place that reads the environment")]
    pub fn load(
        file: Option<&Path>,
        port_base: Option<u16>,
        data_dir: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        let layers = match file {
            Some(path) => Layers::of::<Self>().file(path)?,
            None => Layers::of::<Self>(),
        };
        // What is not UTF-8 is not ours; a value of ours that is not will not be understood, and is named.
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        });
        let mut settings: Self = layers
            .environment(variables.filter(|(name, _)| name != FILE), &PLAIN)?
            .flag("port_base", port_base.map(Into::into))
            .flag("data_dir", data_dir.map(|path| path.to_string_lossy().into()))
            .build()?;
        if !(1..=65531).contains(&settings.port_base) {
            return Err(ConfigError::Invalid("port_base".into(), "it must be 1 to 65531".into()));
        }
        if settings.data_dir.is_empty() {
            let variable = |name| std::env::var_os(name).map(PathBuf::from);
            let folder = platform::data_dir::default_data_dir(
                variable("HOME").as_deref(),
                variable("XDG_DATA_HOME").as_deref(),
                nix::unistd::geteuid().is_root(),
            );
            let folder = folder.ok_or_else(|| {
                ConfigError::Invalid(
                    "data_dir".into(),
                    "there is no home folder; set RESERVAS_DATA_DIR".into(),
                )
            })?;
            settings.data_dir = folder.to_string_lossy().into();
        }
        settings.complete();
        Ok(settings)
    }

    /// Fills the addresses that were left to the port base.
    fn complete(&mut self) {
        let base = self.port_base;
        let url = |offset: u16| format!("http://127.0.0.1:{}", base + offset);
        for (offset, server) in self.servers_mut() {
            if server.url.is_empty() {
                server.url = match server.listen.parse::<SocketAddr>() {
                    Ok(address) if address.ip().is_unspecified() => {
                        format!("http://127.0.0.1:{}", address.port())
                    }
                    Ok(address) => format!("http://{address}"),
                    Err(_) => url(offset),
                };
            }
        }
        let or = |own: &mut String, other: &str| {
            if own.is_empty() {
                other.clone_into(own);
            }
        };
        or(&mut self.users.resources_url, &self.resources.server.url);
        or(&mut self.users.bookings_url, &self.bookings.server.url);
        or(&mut self.users.notifications_url, &self.notifications.server.url);
        or(&mut self.resources.users_url, &self.users.server.url);
        or(&mut self.bookings.resources_url, &self.resources.server.url);
        or(&mut self.bookings.users_url, &self.users.server.url);
        or(&mut self.notifications.users_url, &self.users.server.url);
        or(&mut self.notifications.bookings_url, &self.bookings.server.url);
        or(&mut self.notifications.link_url, &format!("http://localhost:{base}"));
        or(&mut self.users.public_url, self.notifications.link_url.trim_end_matches('/'));
        let mails = self.notifications.mail_url.get().is_some();
        or(&mut self.users.verification, if mails { users::config::DEMANDED } else { "optional" });
        or(&mut self.notifications.outbox_dir, &format!("{}/outbox", self.data_dir));
    }

    /// The sealing keys: those that are set, else those of the file; without a key when neither is there.
    ///
    /// # Errors
    /// One line when both are set, or one of them holds no keys.
    pub fn keyring(&self) -> Result<Keyring, String> {
        let (set, file) = (self.sealing_keys.get(), Path::new(&self.sealing_key_file));
        if set.is_some() && !file.as_os_str().is_empty() {
            return Err("RESERVAS_SEALING_KEYS and RESERVAS_SEALING_KEY_FILE are both set: set one".into());
        }
        if set.is_some() {
            return Keyring::parse(&self.sealing_keys).map_err(|why| format!("RESERVAS_SEALING_KEYS: {why}"));
        }
        let default = Path::new(&self.data_dir).join(SEALING_KEYS);
        let path = if file.as_os_str().is_empty() { default.as_path() } else { file };
        match secret_file::read(path)? {
            Some(text) => Keyring::parse(&text).map_err(|why| format!("{}: {why}", path.display())),
            None if file.as_os_str().is_empty() => Ok(Keyring::default()),
            None => Err(format!("RESERVAS_SEALING_KEY_FILE: there is no file {}", path.display())),
        }
    }

    /// The services' servers, each with its distance from the port base.
    pub fn servers_mut(&mut self) -> [(u16, &mut Server); 4] {
        [
            (1, &mut self.users.server),
            (2, &mut self.resources.server),
            (3, &mut self.bookings.server),
            (4, &mut self.notifications.server),
        ]
    }
}
