//! `POST /api/v1/devices`: the caller registers a telephone or browser on which they are told things.

use axum::extract::State;
use garde::Validate;
use http::StatusCode;
use kernel::role::NotificationsOwn;
use platform::auth::Can;
use platform::http::{FieldError, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::App;
use crate::device::{self, AUTH, Address, LONGEST_ENDPOINT, PUBLIC_KEY, Provider, Subscription};
use crate::push::encrypt::is_public_key;
use crate::store::devices::{Device, Registration, list, register};
use crate::store::erasure::is_forgotten;

/// A device. `fcm` and `apns` have a token; `web_push` has the parts of a browser's `PushSubscription`.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AddDevice)]
pub struct Request {
    /// What the caller calls it.
    #[schema(min_length = 1, max_length = 100, example = "My telephone")]
    #[garde(length(chars, min = 1, max = 100))]
    pub name: String,
    /// Who reaches it.
    #[garde(skip)]
    pub provider: Provider,
    /// The registration token of FCM, or the device token of APNs in hexadecimal digits.
    #[serde(default)]
    #[schema(max_length = 4096)]
    #[garde(inner(length(max = 4096)))]
    pub token: Option<String>,
    /// Where the browser's push service takes messages.
    #[serde(default)]
    #[schema(max_length = 2000, example = "https://updates.push.services.mozilla.com/wpush/v2/gAAA")]
    #[garde(inner(length(max = LONGEST_ENDPOINT)))]
    pub endpoint: Option<String>,
    /// The browser's public key, 65 bytes in base64url.
    #[serde(default)]
    #[schema(max_length = 100)]
    #[garde(inner(length(max = 100)))]
    pub p256dh: Option<String>,
    /// The browser's secret, 16 bytes in base64url.
    #[serde(default)]
    #[schema(max_length = 100)]
    #[garde(inner(length(max = 100)))]
    pub auth: Option<String>,
}

/// Registers a device. One that is known gets its name and keys anew; one that was somebody else's is the caller's from now
/// on.
///
/// # Errors
/// When it is no device, or the caller has twenty.
#[utoipa::path(
    post,
    path = "/api/v1/devices",
    operation_id = "add_device",
    tag = "notifications",
    summary = "Register a device to be told things on",
    request_body = Request,
    responses(
        (status = 200, description = "The device, which the caller had already", body = Device),
        (status = 201, description = "The device", body = Device),
        (status = 404, description = "not_found"),
        (status = 409, description = "too_many_devices"),
        (status = 422, description = "invalid_input")
    ),
    extensions(("x-permission" = json!("notifications.own")))
)]
pub async fn add_device(
    State(app): State<App>,
    actor: Can<NotificationsOwn>,
    Json(request): Json<Request>,
) -> Result<(StatusCode, Json<Device>), Problem> {
    if !app.pushers.has(request.provider) {
        let detail = "No pushes are sent by this provider here.";
        return Err(Problem::invalid_field("/provider", "not_set_up", detail));
    }
    let address = read(&app, &request)?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    if is_forgotten(&mut tx, actor.organization, actor.user).await? {
        return Err(Problem::not_found("account"));
    }
    let wanted = Registration {
        organization: actor.organization,
        user: actor.user,
        name: &request.name,
        address: &address,
        now: app.context.clock.now(),
    };
    let (id, is_new) = register(&mut tx, &app.context.keyring, &wanted).await?;
    let devices = list(&mut tx, actor.organization, actor.user).await?;
    tx.commit().await?;
    let device = devices.into_iter().find(|device| device.id == id);
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(device.ok_or_else(|| Problem::not_found("device"))?)))
}

/// The address, or all that is wrong with it.
fn read(app: &App, request: &Request) -> Result<Address, Problem> {
    let mut errors = Vec::new();
    let mut wrong = |field: &str, code: &str, detail: String| {
        errors.push(FieldError { pointer: format!("/{field}"), code: code.into(), detail });
    };
    let fields = [
        ("token", &request.token, request.provider != Provider::WebPush),
        ("endpoint", &request.endpoint, request.provider == Provider::WebPush),
        ("p256dh", &request.p256dh, request.provider == Provider::WebPush),
        ("auth", &request.auth, request.provider == Provider::WebPush),
    ];
    for (field, value, is_wanted) in fields {
        match (is_wanted, value.is_some()) {
            (true, false) => wrong(field, "required", "This provider needs it.".into()),
            (false, true) => wrong(field, "unknown", "This provider has none.".into()),
            _ => {}
        }
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let mut address = None;
    if errors.is_empty() {
        let read = match request.provider {
            Provider::Fcm => device::fcm(&text(&request.token)).map_err(|detail| vec![("token", detail)]),
            Provider::Apns => device::apns(&text(&request.token)).map_err(|detail| vec![("token", detail)]),
            Provider::WebPush => {
                subscription(app, [&request.endpoint, &request.p256dh, &request.auth].map(text))
            }
        };
        match read {
            Ok(read) => address = Some(read),
            Err(mistakes) => errors.extend(mistakes.into_iter().map(|(field, detail)| FieldError {
                pointer: format!("/{field}"),
                code: "wrong".into(),
                detail,
            })),
        }
    }
    address.ok_or_else(|| Problem::invalid(errors))
}

/// A subscription, or what is wrong with each of its parts.
fn subscription(
    app: &App,
    [endpoint, p256dh, auth]: [String; 3],
) -> Result<Address, Vec<(&'static str, String)>> {
    let mut mistakes = Vec::new();
    if let Err(detail) = app.webhooks.guard().check(&endpoint) {
        mistakes.push(("endpoint", detail));
    }
    let mut bytes = |field, text: &str, length| {
        device::bytes(text, length).map_err(|detail| mistakes.push((field, detail))).unwrap_or_default()
    };
    let (p256dh, auth) = (bytes("p256dh", &p256dh, PUBLIC_KEY), bytes("auth", &auth, AUTH));
    if p256dh.len() == PUBLIC_KEY && !is_public_key(&p256dh) {
        mistakes.push(("p256dh", "It is no point of the curve P-256.".into()));
    }
    if mistakes.is_empty() {
        return Ok(Address::WebPush(Subscription { endpoint, p256dh, auth }));
    }
    Err(mistakes)
}
