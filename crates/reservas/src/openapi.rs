//! The OpenAPI documents: one for each service and one for the whole.

pub mod gateway;

use std::path::Path;

use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

#[derive(utoipa::OpenApi)]
#[openapi(info(
    title = "Reservas",
    description = "Reservations of rooms, desks, equipment, vehicles and lab time: one API for all services.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Whole;

/// The services' documents by name.
#[must_use]
pub fn services() -> [(&'static str, OpenApi); 4] {
    [
        (users::NAME, users::openapi()),
        (resources::NAME, resources::openapi()),
        (bookings::NAME, bookings::openapi()),
        (notifications::NAME, notifications::openapi()),
    ]
}

/// The document of the whole, as clients see it through the gateway.
#[must_use]
pub fn whole() -> OpenApi {
    let services =
        services().into_iter().fold(Whole::openapi(), |whole, (_, service)| whole.merge_from(service));
    services.merge_from(gateway::openapi())
}

/// Every document as the text of its file.
///
/// # Errors
/// When a document cannot be written as JSON.
pub fn files() -> Result<Vec<(String, String)>, serde_json::Error> {
    let all = services().into_iter().map(|(name, document)| (name.to_owned(), document));
    all.chain([("gateway".to_owned(), gateway::openapi()), ("reservas".to_owned(), whole())])
        .map(|(name, document)| Ok((format!("{name}.json"), document.to_pretty_json()? + "\n")))
        .collect()
}

/// Writes every document into a folder.
///
/// # Errors
/// When a file cannot be written.
pub fn write(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, text) in files().map_err(std::io::Error::other)? {
        std::fs::write(folder.join(name), text)?;
    }
    Ok(())
}
