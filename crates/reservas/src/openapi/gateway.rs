//! The operations that the gateway makes of those of several services. `deploy/gateway.json` is what runs; here stands what
//! clients are told of it, and a test compares the two.

use utoipa::{OpenApi as _, ToSchema};

/// What somebody wants to see first.
#[derive(Debug, ToSchema)]
pub struct Dashboard {
    /// The caller; absent when the user service does not answer.
    pub profile: Option<users::api::get_me::Me>,
    /// The caller's next five bookings; absent when the booking service does not answer.
    pub next_bookings: Option<Vec<bookings::api::BookingBody>>,
    /// The first ten requests on which the caller may decide; absent when the booking service does not answer.
    pub pending_approvals: Option<Vec<bookings::api::BookingBody>>,
    /// Messages the caller has not seen, 1000 at most; absent when the notification service does not answer.
    #[schema(minimum = 0, maximum = 1000, example = 3)]
    pub unread_notifications: Option<u32>,
}

/// All that the page of one resource shows.
#[derive(Debug, ToSchema)]
pub struct ResourcePage {
    /// The resource; absent when the resource service does not answer.
    pub resource: Option<resources::api::ResourceBody>,
    /// Its hours; null when it is always open, absent when the booking service does not answer.
    pub schedule: Option<contracts::rules::Schedule>,
    /// Whether bookings have to be within its hours.
    pub within_hours: Option<bool>,
    /// When it is taken and free today, by its own clock; absent when the booking service does not answer.
    pub today: Option<bookings::api::get_free_busy::FreeBusy>,
}

/// One call instead of four. Partial, with `X-Gateway-Completed: false`, when a service does not answer.
#[utoipa::path(
    get,
    path = "/api/v1/me/dashboard",
    operation_id = "get_dashboard",
    tag = "overview",
    summary = "See one's profile, next bookings, open requests and unread notifications",
    responses(
        (status = 200, description = "What the services that answer know", body = Dashboard,
         headers(("X-Gateway-Completed" = bool, description = "false: a service did not answer, and its part is absent"))),
        (status = 502, description = "bad_gateway: no service answered")
    ),
    extensions(("x-permission" = json!("profile.own")))
)]
pub const fn get_dashboard() {}

/// One call instead of three. Partial, with `X-Gateway-Completed: false`, when a service does not answer.
#[utoipa::path(
    get,
    path = "/api/v1/resources/{id}/page",
    operation_id = "get_resource_page",
    tag = "overview",
    summary = "See a resource with its hours and today's free and busy times",
    params(("id" = kernel::ResourceId, Path, description = "The resource")),
    responses(
        (status = 200, description = "What the services that answer know", body = ResourcePage,
         headers(("X-Gateway-Completed" = bool, description = "false: a service did not answer, and its part is absent"))),
        (status = 404, description = "not_found"),
        (status = 502, description = "bad_gateway: no service answered")
    ),
    extensions(("x-permission" = json!("catalogue.read")))
)]
pub const fn get_resource_page() {}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Reservas: gateway",
        description = "What the gateway puts together from several services.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(get_dashboard, get_resource_page)
)]
struct Document;

/// The OpenAPI document.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    platform::openapi::complete(&mut document);
    document
}
