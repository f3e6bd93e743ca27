//! The archive of all that is held about a person: one JSON document a service, gathered from all of them or not at all.

use std::io::{Cursor, Write as _};
use std::sync::Arc;
use std::time::Duration;

use contracts::users::UserExported;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};
use kernel::{OrganizationId, UserId};
use platform::auth::Actor;
use platform::db::Db;
use platform::events::{self, Origin};
use platform::http::{Fault as _, Problem};
use platform::personal_data::{self, PersonalData};
use platform::remote::Remote;
use platform::service::Context;
use tokio::sync::Semaphore;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::App;
use crate::config::Config;
use crate::error::Error;
use crate::personal_data::PARTS;
use crate::store::accounts;

/// Archives that are put together at the same time: each takes up to 192 MiB of memory for a moment: what four services
/// may tell, and the archive of it, which grows by doubling.
const AT_ONCE: usize = 2;
/// How long a service may take to tell what it holds.
const TIME_OUT: Duration = Duration::from_secs(10);
/// What stands in the archive beside the documents.
const README: &str = include_str!("archive/README.txt");

/// What a client gets: the archive, for the one who asked and no cache on the way.
pub type Download = ([(HeaderName, HeaderValue); 3], Vec<u8>);

/// Puts archives together.
#[derive(Debug, Clone)]
pub struct Archives {
    places: Arc<Semaphore>,
    db: Db,
    others: [(&'static str, Remote); 3],
}

impl Archives {
    /// Out of this service and the others.
    #[must_use]
    pub fn new(context: &Context, config: &Config) -> Self {
        let urls = [
            ("resources", &config.resources_url),
            ("bookings", &config.bookings_url),
            ("notifications", &config.notifications_url),
        ];
        let others = urls.map(|(name, url)| {
            let remote = Remote::new(name, url, context.client.clone(), context.internal.clone());
            (name, remote.with_time_out(TIME_OUT))
        });
        Self { places: Arc::new(Semaphore::new(AT_ONCE)), db: context.db.clone(), others }
    }

    /// What each service holds.
    async fn gather(
        &self,
        organization: OrganizationId,
        user: UserId,
        correlation: &str,
    ) -> Result<Vec<(&'static str, PersonalData)>, Problem> {
        let path = personal_data::path(&organization.to_string(), &user.to_string());
        let [one, two, three] = &self.others;
        let (own, one, two, three) = tokio::try_join!(
            personal_data::collect(&self.db, organization, user, PARTS),
            ask(one, &path, correlation),
            ask(two, &path, correlation),
            ask(three, &path, correlation),
        )?;
        Ok(vec![("users", own), one, two, three])
    }
}

async fn ask(
    (name, remote): &(&'static str, Remote),
    path: &str,
    correlation: &str,
) -> Result<(&'static str, PersonalData), Problem> {
    let told: Option<PersonalData> = remote.get(path, correlation).await?;
    let detail = "A service does not tell what it holds. Try again in a moment.";
    Ok((name, told.ok_or_else(|| Problem::unavailable("service_unavailable", detail, 1))?))
}

/// The archive of a person of the caller's organization. That it was made is told as an event, before it is given away.
///
/// # Errors
/// 404 when there is no such account, 409 `export_too_large`, 503 `exports_busy`, or `service_unavailable` when a service
/// cannot be asked: there is no archive then.
pub async fn export(app: &App, actor: &Actor, user: UserId) -> Result<Download, Problem> {
    let Ok(_place) = app.archives.places.try_acquire() else {
        return Err(Problem::unavailable(Error::ExportsBusy.code(), &Error::ExportsBusy.to_string(), 5));
    };
    let (db, organization) = (&app.context.db, actor.organization);
    let mut tx = db.begin(organization).await?;
    let account = accounts::load(&mut tx, organization, user).await?;
    account.ok_or_else(|| Problem::not_found("user"))?;
    tx.commit().await?;
    let gathered = app.archives.gather(organization, user, &actor.correlation.id).await?;
    let now = app.context.clock.now();
    let archive = tokio::task::spawn_blocking(move || pack(gathered)).await;
    let archive = archive.map_err(|error| Problem::internal(&error))??;
    let mut tx = db.begin(organization).await?;
    events::append(&mut tx, organization, &Origin::from(actor), &UserExported { user_id: user }, now).await?;
    tx.commit().await?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/zip")),
        (CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"personal-data.zip\"")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, archive))
}

fn pack(gathered: Vec<(&'static str, PersonalData)>) -> Result<Vec<u8>, Problem> {
    let internal = |error: std::io::Error| Problem::internal(&error);
    // Not compressed: it would take another backend of flate2 than the gateway's, or the gateway's for this alone.
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("README.txt", options).map_err(|error| Problem::internal(&error))?;
    archive.write_all(README.as_bytes()).map_err(internal)?;
    for (name, data) in gathered {
        let parts = data.parts.ok_or(Error::ExportTooLarge)?;
        archive.start_file(format!("{name}.json"), options).map_err(|error| Problem::internal(&error))?;
        serde_json::to_writer_pretty(&mut archive, &parts).map_err(|error| Problem::internal(&error))?;
    }
    Ok(archive.finish().map_err(|error| Problem::internal(&error))?.into_inner())
}
